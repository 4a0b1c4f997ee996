"""A WebSocket handshake that is refused: its answer comes at once, the connection ends, and nobody on call is woken."""

import logging
from collections.abc import Iterator

import pytest

from gateway.main import build_app
from gateway.settings import read_gateway_settings
from tests.conftest import BARE
from tests.http.sockets import Answer, Wire, post, until
from tests.live import Served, serving

HANDSHAKE = {
    b"Host": b"127.0.0.1",
    b"Connection": b"Upgrade",
    b"Upgrade": b"websocket",
    b"Sec-WebSocket-Version": b"13",
    b"Sec-WebSocket-Key": b"dGhlIHNhbXBsZSBub25jZQ==",
    b"Sec-WebSocket-Protocol": b"graphql-transport-ws",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("handshakes")
    settings = read_gateway_settings(database_url=f"sqlite:///{folder}/gateway.db", **BARE)
    with serving(build_app(settings, {}), settings) as live:
        yield live


@pytest.fixture(autouse=True)
def nobody_is_woken(
    served: Served, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> Iterator[None]:
    yield
    until(lambda: not served.server.server_state.tasks and not served.server.server_state.connections)
    told = [record.getMessage() for record in caplog.get_records("call") if record.levelno > logging.INFO]
    printed = capsys.readouterr()
    assert (told, printed.out, printed.err) == ([], "", "")


def handshake(
    target: bytes = b"/graphql", *more: bytes, method: bytes = b"GET", without: bytes = b"", **change: bytes
) -> bytes:
    named = {name.replace("_", "-").encode(): value for name, value in change.items()}
    headers = [name + b": " + value for name, value in {**HANDSHAKE, **named}.items() if name != without]
    return b"\r\n".join([method + b" " + target + b" HTTP/1.1", *headers, *more, b"", b""])


def refused(served: Served, request: bytes) -> Answer:
    with Wire(served.port) as wire:
        answer = wire.send(request).answer()
        assert wire.closed()
    return answer


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (handshake(Host=b"evil.test"), 421, "MISDIRECTED_REQUEST"),
        (handshake(b"/graphql", b"Origin: https://evil.test"), 403, "CROSS_SITE_REQUEST"),
        (handshake(b"/graphql", b"Origin: http://[x"), 403, "CROSS_SITE_REQUEST"),
        (handshake(b"/graphql", b"Sec-Fetch-Site: cross-site"), 403, "CROSS_SITE_REQUEST"),
        (handshake(b"/graphql", b"Content-Length: 2") + b"{}", 400, "BAD_REQUEST"),
        (handshake(b"/graphql", b"Content-Length: 00"), 400, "BAD_REQUEST"),
        (handshake(b"/graphql", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", 400, "BAD_REQUEST"),
        (handshake(method=b"POST", without=b"Host"), 400, "BAD_REQUEST"),
        (handshake(b"/graphql", *(b"x-%d: a" % number for number in range(95))), 431, "LIMIT_EXCEEDED"),
    ],
    ids=["host", "origin", "no origin at all", "page", "body", "length", "chunks", "no host", "headers"],
)
def test_what_we_refuse_is_told_like_any_refusal(served: Served, request_: bytes, status: int, code: str) -> None:
    answer = refused(served, request_)

    assert (answer.status, answer.code, answer.headers["connection"]) == (status, code, "close")
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "target", [b"/", b"/nope", b"/health/live", b"/graphiql/x.js", b"*", b"http://127.0.0.1/graphql"]
)
def test_where_none_is_spoken_it_is_403(served: Served, target: bytes) -> None:
    assert refused(served, handshake(target)).status == 403


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (handshake(method=b"POST"), 405),
        (handshake(without=b"Sec-WebSocket-Key"), 400),
        (handshake(Sec_WebSocket_Key=b"\xff"), 400),
        (handshake(Sec_WebSocket_Version=b"8"), 400),
        (handshake(Sec_WebSocket_Protocol=b"@"), 400),
        (handshake(b"/graphql", b"Upgrade: websocket", Upgrade=b"h2c"), 426),
        (handshake(b"/graphql", b"X-Long: " + b"a" * 9_000), 431),
        (handshake(b"/graphql?" + b"a" * 8_180), 414),
    ],
    ids=["method", "no key", "key", "version", "sub-protocols", "another upgrade", "a long line", "a long URL"],
)
def test_what_the_library_refuses_ends_too(served: Served, request_: bytes, status: int) -> None:
    answer = refused(served, request_)

    assert (answer.status, answer.headers["connection"]) == (status, "close")


def test_one_that_could_never_be_read_does_not_keep_its_connection(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the library finds wrong that we do not: the connection ends, even without a word."""
    monkeypatch.setattr("gateway.http.connection.check_handshake", lambda headers: None)
    with Wire(served.port) as wire:
        assert wire.send(handshake(b"/graphql", b"Content-Length: 2") + b"{}").closed()


def test_what_comes_with_a_handshake_is_no_request(served: Served) -> None:
    with Wire(served.port) as wire:
        assert wire.send(handshake() + b"\x89\x80\x00\x00\x00\x00").answer().status == 101
        wire.send(b"\x8a\x80\x00\x00\x00\x00", b"\x89\x80\x00\x00\x00\x00")
        assert wire.take(2) == b"\x8a\x00"


def test_who_leaves_before_the_refusal_is_no_event(served: Served) -> None:
    for _ in range(5):
        with Wire(served.port) as wire:
            wire.send(handshake(Host=b"evil.test"))


def test_what_was_refused_leaves_the_gateway_as_it_was(served: Served) -> None:
    assert refused(served, handshake(Host=b"evil.test")).status == 421
    with Wire(served.port) as wire:
        assert wire.send(post(b'{"query": "{ __typename }"}')).answer().data == {"__typename": "Query"}
    with Wire(served.port) as wire:
        assert wire.send(handshake(b"/graphql", b"Content-Length: 0")).answer().status == 101
