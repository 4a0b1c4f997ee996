"""The server under slow, stuck, greedy and many clients: each is cut off, and everybody else is served."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from gateway.http.ending import Ending
from gateway.http.refused_by_server import refused_by_server
from gateway.main import build_app
from gateway.settings import read_gateway_settings
from tests.conftest import BARE
from tests.http.sockets import Wire, get, post, until
from tests.live import Served, serving

QUERY = b'{"query": "{ __typename }"}'
DATA = {"__typename": "Query"}
SOON = 0.3
"""A time-out of these tests."""

Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serves the gateway, or another application, with these settings; without providers, which nobody asks here."""
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:

        def start(app: Starlette | None = None, **settings: Any) -> Served:
            chosen = read_gateway_settings(database_url=f"sqlite:///{tmp_path}/gateway.db", **{**BARE, **settings})
            if app is None:
                return stack.enter_context(serving(build_app(chosen, {}), chosen))
            app.state.services = SimpleNamespace(ending=Ending())
            return stack.enter_context(serving(app, chosen))

        yield start


def still_serves(served: Served) -> bool:
    with Wire(served.port) as other:
        return bool(other.send(post(QUERY)).answer().data == DATA)


def connections(served: Served) -> int:
    return len(served.server.server_state.connections)


class TestSlowRequests:
    def test_a_connection_that_says_nothing_is_closed_without_a_word(self, serve: Serve) -> None:
        served = serve(header_timeout_seconds=SOON)
        with Wire(served.port) as wire:
            assert wire.closed()

    def test_headers_that_do_not_end_are_cut_off_with_408(self, serve: Serve) -> None:
        served = serve(header_timeout_seconds=SOON)
        with Wire(served.port) as wire:
            answer = wire.send(b"POST /graphql HTTP/1.1\r\nHost: 127.").answer()

            assert (answer.status, answer.code) == (408, "REQUEST_TIMEOUT")
            assert answer.headers["connection"] == "close"
            assert wire.closed()
        assert still_serves(served)

    def test_a_byte_now_and_then_wins_no_time(self, serve: Serve) -> None:
        """Slowloris: the time counts from the first byte."""
        served = serve(header_timeout_seconds=SOON)
        began = time.monotonic()
        with Wire(served.port) as wire:
            wire.send(b"GET / HTTP/1.1\r\nX: ")
            while time.monotonic() < began + SOON * 0.9:
                wire.send(b"a")
                time.sleep(SOON / 10)
            assert wire.answer().status == 408
        assert time.monotonic() < began + SOON * 3

    def test_empty_lines_are_no_sign_of_life(self, serve: Serve) -> None:
        served = serve(header_timeout_seconds=SOON)
        with Wire(served.port) as wire:
            assert wire.send(b"\r\n" * 10).closed()

    def test_nor_are_they_after_an_answer(self, serve: Serve) -> None:
        served = serve(header_timeout_seconds=SOON)
        with Wire(served.port) as wire:
            assert wire.send(get()).answer().status == 200
            wire.patience(SOON * 10)
            assert wire.send(b"\r\n").closed()

    def test_the_next_request_on_a_connection_has_to_hurry_as_the_first(self, serve: Serve) -> None:
        served = serve(header_timeout_seconds=SOON)
        with Wire(served.port) as wire:
            assert wire.send(get()).answer().status == 200
            assert wire.send(b"GET /health/li").answer().status == 408
            assert wire.closed()

    def test_its_beginning_may_have_come_with_the_request_before(self, serve: Serve) -> None:
        served = serve(header_timeout_seconds=SOON, keep_alive_seconds=SOON / 3)
        with Wire(served.port) as wire:
            wire.send(get() + b"GET /health/li")
            assert [wire.answer().status, wire.answer().status] == [200, 408]
            assert wire.closed()

    def test_a_connection_that_rests_is_closed(self, serve: Serve) -> None:
        served = serve(keep_alive_seconds=SOON)
        with Wire(served.port) as wire:
            assert wire.send(post(QUERY)).answer().data == DATA
            assert wire.closed()

    def test_resting_for_less_is_fine(self, serve: Serve) -> None:
        """The time for headers counts from their first byte, not from the answer before."""
        served = serve(header_timeout_seconds=SOON)
        with Wire(served.port) as wire:
            assert wire.send(get()).answer().status == 200
            time.sleep(SOON * 1.5)
            assert wire.send(get()).answer().status == 200

    @pytest.mark.parametrize("framing", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
    def test_a_body_that_does_not_end_is_cut_off_and_the_connection_closed(self, serve: Serve, framing: bytes) -> None:
        served = serve(body_timeout_seconds=SOON)
        with Wire(served.port) as wire:
            answer = wire.send(post(b"1\r\n{\r\n", framing, framed=False)).answer()

            assert (answer.status, answer.code) == (408, "REQUEST_TIMEOUT")
            assert answer.headers["connection"] == "close"
            assert wire.closed()
        until(lambda: connections(served) == 0)

    def test_who_goes_on_sending_after_the_answer_is_dropped(self, serve: Serve) -> None:
        served = serve(body_timeout_seconds=SOON)
        with Wire(served.port) as wire:
            assert wire.send(post(b"{", b"Content-Length: 200000", framed=False)).answer().status == 408
            until(lambda: connections(wire.send(b" ") and served) == 0)

    def test_a_body_nobody_wants_does_not_hold_the_connection(self, serve: Serve) -> None:
        served = serve()
        with Wire(served.port) as wire:
            head = post(b"", b"Content-Length: 1000000", framed=False).replace(b"/graphql", b"/nowhere")
            answer = wire.send(head).answer()

            assert (answer.status, answer.headers["connection"]) == (404, "close")
            assert wire.closed()


class Large:
    """Answers far more than the kernel keeps for a reader, in one piece or in many."""

    SIZE = 32 * 1024 * 1024

    def __init__(self) -> None:
        self.sent = 0
        self.app = Starlette(routes=[Route("/one", self._one), Route("/many", self._many)])

    async def _one(self, _: Request) -> Response:
        return PlainTextResponse(b"x" * self.SIZE)

    async def _many(self, _: Request) -> Response:
        return StreamingResponse(self._pieces())

    async def _pieces(self) -> AsyncIterator[bytes]:
        for _ in range(self.SIZE // 65_536):
            self.sent += 65_536
            yield b"x" * 65_536


class TestSlowReaders:
    @pytest.mark.parametrize("path", [b"/one", b"/many"])
    def test_an_answer_that_nobody_takes_is_abandoned(self, serve: Serve, path: bytes) -> None:
        served = serve(Large().app, write_timeout_seconds=SOON)
        with Wire(served.port) as wire:
            wire.send(get(path))
            until(lambda: connections(served) == 1)
            until(lambda: connections(served) == 0)
            # The kernel still hands out what it had taken; the answer is not whole.
            with pytest.raises((ConnectionAbortedError, ConnectionResetError)):
                wire.answer()

    def test_that_is_known_from_the_first_byte_that_waits(self, serve: Serve) -> None:
        served = serve()
        with Wire(served.port) as wire:
            assert wire.send(get()).answer().status == 200
            (connection,) = served.server.server_state.connections
            assert connection.transport.get_write_buffer_limits() == (0, 0)

    def test_what_is_not_taken_is_not_made(self, serve: Serve) -> None:
        large = Large()
        served = serve(large.app, write_timeout_seconds=SOON)
        with Wire(served.port) as wire:
            wire.send(get(b"/many"))
            until(lambda: large.sent > 0 and not served.server.server_state.tasks)

        assert large.sent < large.SIZE / 2

    def test_so_it_is_behind_a_request_to_close(self, serve: Serve) -> None:
        """Closing waits for the reader too."""
        served = serve(Large().app, write_timeout_seconds=SOON)
        with Wire(served.port) as wire:
            wire.send(get(b"/one", b"Connection: close"))
            until(lambda: connections(served) == 1)
            until(lambda: connections(served) == 0)

    def test_a_slow_reader_who_reads_gets_it_whole(self, serve: Serve) -> None:
        large = Large()
        served = serve(large.app, write_timeout_seconds=10)
        with Wire(served.port) as wire:
            wire.send(get(b"/many"))
            time.sleep(SOON / 3)
            assert len(wire.answer().body) == large.SIZE


class TestManyConnections:
    def test_one_too_many_is_told_when_to_come_again(self, serve: Serve) -> None:
        served = serve(max_connections=2)
        with Wire(served.port) as first, Wire(served.port) as second:
            until(lambda: connections(served) == 2)
            with Wire(served.port) as third:
                answer = third.send(post(QUERY)).answer()

                assert (answer.status, answer.code) == (503, "TOO_MANY_CONNECTIONS")
                assert (answer.headers["retry-after"], answer.headers["connection"]) == ("1", "close")
                assert third.closed()
            assert first.send(post(QUERY)).answer().data == DATA
            assert second.send(post(QUERY)).answer().data == DATA
        until(lambda: connections(served) == 0)
        assert still_serves(served)

    def test_many_too_many_are_not_even_answered(self, serve: Serve) -> None:
        served = serve(max_connections=1)
        with Wire(served.port), Wire(served.port), Wire(served.port) as third:
            third.patience(SOON * 10)
            assert third.closed()


class Refusing:
    """Of what stands in front of the gateway the one thing that the connection relies on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (refused_by_server(scope) or self._app)(scope, receive, send)


class Slow:
    """Reads a request and answers when it is told to."""

    def __init__(self) -> None:
        self.begun, self.release = asyncio.Event(), asyncio.Event()
        routes = [Route("/slow", self._answer), WebSocketRoute("/ws", self._never)]
        self.app = Starlette(routes=routes, middleware=[Middleware(Refusing)])

    async def _answer(self, request: Request) -> Response:
        await request.body()
        self.begun.set()
        await self.release.wait()
        return PlainTextResponse("done")

    async def _never(self, socket: WebSocket) -> None:
        await socket.accept()


class TestPipelining:
    def test_requests_that_come_at_once_are_answered_in_turn(self, serve: Serve) -> None:
        served = serve()
        bodies = [b'{"query": "{ a%d: __typename }"}' % number for number in range(300)]
        with Wire(served.port) as wire:
            wire.send(b"".join(map(post, bodies)))
            answers = [wire.answer().data for _ in bodies]

        assert answers == [{f"a{number}": "Query"} for number in range(300)]

    def test_a_refusal_waits_for_the_answers_before_it(self, serve: Serve) -> None:
        """Out of turn it would be taken for the answer to another request."""
        slow = Slow()
        served = serve(slow.app)
        with Wire(served.port) as wire:
            wire.send(get(b"/slow") + b"nonsense\r\n\r\n")
            until(slow.begun.is_set)
            served.call(slow.release.set)

            assert [wire.answer().status, wire.answer().status] == [200, 400]
            assert wire.closed()

    def test_what_waits_is_not_late(self, serve: Serve) -> None:
        """Neither a request that is here, nor one whose rest is not read because of those before it."""
        slow = Slow()
        served = serve(slow.app, header_timeout_seconds=SOON)
        with Wire(served.port) as wire:
            wire.send(get(b"/slow"))
            until(slow.begun.is_set)
            wire.send(get() + get()[:-5])
            time.sleep(SOON * 2)
            wire.send(get()[-5:] + get())
            served.call(slow.release.set)

            assert [wire.answer().status for _ in range(4)] == [200, 404, 404, 404]

    def test_more_than_is_kept_is_read_when_its_turn_comes(self, serve: Serve) -> None:
        slow = Slow()
        served = serve(slow.app)
        with Wire(served.port) as wire:
            wire.send(get(b"/slow"))
            until(slow.begun.is_set)
            wire.send(get() * 4_000)
            served.call(slow.release.set)

            assert [wire.answer().status for _ in range(4_001)] == [200] + [404] * 4_000

    def test_nothing_behind_a_refusal_is_read(self, serve: Serve) -> None:
        served = serve()
        with Wire(served.port) as wire:
            wire.send(b"nonsense\r\n\r\n" + post(QUERY))
            assert wire.answer().status == 400
            assert wire.closed()

    def test_nothing_behind_a_request_to_close_is_answered(self, serve: Serve) -> None:
        served = serve()
        with Wire(served.port) as wire:
            wire.send(post(QUERY, b"Connection: close") + post(QUERY))
            assert wire.answer().data == DATA
            assert wire.closed()

    def test_what_waits_takes_no_memory(self, serve: Serve) -> None:
        """A client that sends and sends while its first request runs is not read from."""
        slow = Slow()
        served = serve(slow.app)
        with Wire(served.port) as wire:
            wire.patience(SOON)
            with pytest.raises(TimeoutError):
                wire.send(get(b"/slow") * 1_000_000)
            (connection,) = served.server.server_state.connections
            assert len(connection.pipeline) < 200  # type: ignore[union-attr]  # this protocol has one
            served.call(slow.release.set)


class TestProtocol:
    def test_http_1_0_is_answered_and_closed(self, serve: Serve) -> None:
        served = serve()
        with Wire(served.port) as wire:
            assert wire.send(post(QUERY).replace(b"HTTP/1.1", b"HTTP/1.0")).answer().data == DATA
            assert wire.closed()

    def test_a_body_that_waits_to_be_wanted_is_asked_for(self, serve: Serve) -> None:
        served = serve()
        with Wire(served.port) as wire:
            wire.send(post(b"", b"Content-Length: 27", b"Expect: 100-continue", framed=False))
            assert wire.answer().status == 100
            assert wire.send(QUERY).answer().data == DATA
            assert wire.send(post(QUERY)).answer().data == DATA

    def test_one_that_is_not_wanted_is_refused_at_once(self, serve: Serve) -> None:
        served = serve()
        with Wire(served.port) as wire:
            wire.send(post(b"", b"Content-Length: 20000000", b"Expect: 100-continue", framed=False))
            answer = wire.answer()

            assert (answer.status, answer.headers["connection"]) == (413, "close")

    @pytest.mark.parametrize("offer", [b"h2c", b"TLS/1.0", b"foo"])
    def test_an_upgrade_that_is_not_known_is_ignored(self, serve: Serve, offer: bytes) -> None:
        """Its body is still its body, not the next request."""
        served = serve()
        with Wire(served.port) as wire:
            wire.send(post(QUERY, b"Connection: Upgrade", b"Upgrade: " + offer) + get())
            assert [wire.answer().data, wire.answer().json] == [DATA, {"status": "ok"}]

    def test_every_answer_is_dated(self, serve: Serve) -> None:
        """RFC 9110, section 6.6.1: who has a clock has to."""
        served = serve()
        for request_ in (get(), post(QUERY), post(b""), b"nonsense\r\n\r\n"):
            with Wire(served.port) as wire:
                dated = parsedate_to_datetime(wire.send(request_).answer().headers["date"])
                assert abs(dated.timestamp() - time.time()) < 60

    def test_answers_to_head_have_no_body(self, serve: Serve) -> None:
        served = serve()
        with Wire(served.port) as wire:
            wire.send(get().replace(b"GET", b"HEAD"))
            assert wire.answer(to_head=True).status == 200
            assert wire.send(get()).answer().status == 200

    def test_a_client_that_leaves_in_the_middle_is_no_event(
        self, serve: Serve, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        served = serve()
        for piece in (b"GET", get()[:-2], post(QUERY)[:-5], post(b"1", b"Transfer-Encoding: chunked", framed=False)):
            with Wire(served.port) as wire:
                wire.send(piece)
        until(lambda: connections(served) == 0 and not served.server.server_state.tasks)

        assert still_serves(served)
        assert (capsys.readouterr().err, caplog.text) == ("", "")


class TestWebSockets:
    HANDSHAKE = (
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )

    @staticmethod
    async def _echo(socket: WebSocket) -> None:
        await socket.accept()
        while True:
            await socket.send_text(await socket.receive_text())

    def _served(self, serve: Serve, **settings: Any) -> Served:
        middleware = [Middleware(Refusing)]
        return serve(Starlette(routes=[WebSocketRoute("/ws", self._echo)], middleware=middleware), **settings)

    def test_no_timer_of_requests_touches_one(self, serve: Serve) -> None:
        served = self._served(
            serve, header_timeout_seconds=SOON / 2, keep_alive_seconds=SOON / 2, write_timeout_seconds=SOON / 2
        )
        with Wire(served.port) as wire:
            assert wire.send(get(b"/ws", *self.HANDSHAKE)).answer().status == 101
            time.sleep(SOON)
            wire.send(b"\x81\x82\x00\x00\x00\x00hi")
            assert wire.take(4) == b"\x81\x02hi"

    def test_one_too_many_is_refused_like_a_request(self, serve: Serve) -> None:
        served = self._served(serve, max_connections=1)
        with Wire(served.port), Wire(served.port) as second:
            until(lambda: connections(served) == 2)
            second.send(get(b"/ws", *self.HANDSHAKE))
            assert second.status() == 503

    def test_one_does_not_overtake_an_answer(self, serve: Serve) -> None:
        slow = Slow()
        served = serve(slow.app)
        with Wire(served.port) as wire:
            wire.send(get(b"/slow") + get(b"/ws", *self.HANDSHAKE))
            until(slow.begun.is_set)
            served.call(slow.release.set)
            assert [wire.answer().status, wire.answer().status] == [200, 400]


def test_what_breaks_in_the_application_is_told_without_its_text(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("ada.winter@northwind.example")

    monkeypatch.setattr("gateway.http.endpoint.acceptable", broken)
    served = serve()
    with Wire(served.port) as wire, caplog.at_level(logging.DEBUG):
        answer = wire.send(post(QUERY)).answer()

    logged = capsys.readouterr()
    written = logged.out + logged.err + caplog.text
    assert (answer.status, answer.code) == (500, "INTERNAL_ERROR")
    assert answer.headers["x-request-id"] == answer.json["errors"][0]["extensions"]["requestId"]
    assert answer.headers["x-request-id"] in written
    assert "northwind" not in written + answer.body.decode()
