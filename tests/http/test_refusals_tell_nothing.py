"""Every refusal of the HTTP face, held against a list of what no caller and no log may learn."""

import logging
import re
from collections.abc import Iterator

import pytest

from gateway.main import build_app, build_connectors
from gateway.sandbox.server import RunningSandbox
from gateway.settings import read_gateway_settings
from tests.http.sockets import Answer, Wire, get, post
from tests.http.test_raw_http import BODIES, PARAMETERS, TRICKS, encoded
from tests.live import Served, serving

EMAIL = b"ada.winter@northwind.example"
CREDENTIAL = b"s3cr3t-credential-of-a-caller"

FORBIDDEN = {
    "a class": r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)*(?:Error|Exception|Refused|Exceeded|Warning)\b",
    "a stack": r"Traceback|line \d+, in |File \"",
    "a file": r"\.py\b|site-packages|/tmp/|/usr/|/home/",
    "a library or server": r"(?i)uvicorn|starlette|httptools|llhttp|uvloop|strawberry|graphql-core|msgspec"
    r"|jiter|pydantic|sqlalchemy|sqlite|httpx|python|asyncio",
    "an email address": r"[\w.]+@[\w.]+",
    "what nobody is called": r"\bstr\b|\bdict\b|\bNone\b|NoneType|<class|object at 0x",
}

SAYS: dict[str, bytes] = {
    **{f"body: {name}": post(body) for name, (body, _, _) in BODIES.items()},
    **{f"url: {name}": get(b"/graphql?" + parameters) for name, (parameters, _, _) in PARAMETERS.items()},
    **{f"head: {name}": request for name, request in TRICKS.items()},
    "large headers": get(b"/", b"X: " + b"a" * 100_000),
    "many headers": get(b"/", *[b"X: a"] * 101),
    "a large URL": get(b"/" + b"a" * 10_000),
    "a large body": post(b"", b"Content-Length: 20000000", framed=False),
    "a slow head": get()[:-2],
    "a slow body": post(b"", b"Content-Length: 2", framed=False),
    "no path": get(b"/" + EMAIL),
    "a file of ours": get(b"/graphiql/assets/..%2f..%2fapp.py"),
    "another method": post(b"{}").replace(b"POST", b"DELETE"),
    "another method elsewhere": post(b"{}").replace(b"POST /graphql", b"POST /health/live"),
    "another host": get().replace(b"127.0.0.1", b"stranger.example"),
    "another origin": post(b'{"query": "{ __typename }"}', b"Origin: https://stranger.example"),
    "a foreign preflight": b"OPTIONS"
    + get(b"/graphql", b"Origin: https://a.example", b"Access-Control-Request-Method: POST")[3:],
    "a GET of a link": get(b"/graphql?query=%7B__typename%7D"),
    "another type": post(b"{}", b"Accept: text/csv"),
    "form data": post(b"a=b").replace(b"application/json", b"application/x-www-form-urlencoded"),
    "compression": post(b"{}", b"Content-Encoding: gzip"),
    "a mutation by GET": get(b"/graphql?query=" + encoded(b"mutation { __typename }"), b"Accept: application/json"),
    "two keys": post(b'{"query": "{ __typename }"}', b"Idempotency-Key: a", b"Idempotency-Key: b"),
    "no document": post(b"{}"),
    "no operation": post(b'{"query": "query A { __typename }", "operationName": "B"}'),
    "no syntax": post(b'{"query": "{"}'),
    "no such field": post(b'{"query": "{ nothing }"}'),
    "no number": post(b'{"query": "query($a: Int!) { contacts(first: $a) { totalCount } }", "variables": {"a": "x"}}'),
    "a subscription": post(b'{"query": "subscription { __typename }"}'),
}


@pytest.fixture(scope="module")
def served(running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("leaks")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running_sandbox.environment().items():
            patch.setenv(name, value)
        settings = read_gateway_settings(
            database_url=f"sqlite:///{folder}/gateway.db",
            header_timeout_seconds=0.3,
            body_timeout_seconds=0.3,
        )
        app = build_app(settings, build_connectors(settings))
    with serving(app, settings) as served:
        yield served


def named(answer: Answer) -> str:
    """All of an answer but what is random or counts time."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
    return "\n".join([*(f"{name}: {value}" for name, value in headers.items()), answer.body.decode()])


@pytest.mark.parametrize("request_", SAYS.values(), ids=SAYS)
def test_a_refusal_tells_nothing(
    served: Served,
    running_sandbox: RunningSandbox,
    request_: bytes,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = b"Authorization: Bearer " + CREDENTIAL + b"\r\nFrom: " + EMAIL + b"\r\n"
    request_ = re.sub(rb"(Host: [^\r]*\r\n)", lambda host: host[1] + secret, request_, count=1)
    with caplog.at_level(logging.WARNING), Wire(served.port) as wire:
        answer = wire.send(request_).answer()

    captured = capsys.readouterr()
    logged = captured.out + captured.err + caplog.text
    providers = running_sandbox.environment()
    for text in (named(answer), logged):
        assert {
            what: re.findall(pattern, text) for what, pattern in FORBIDDEN.items() if re.search(pattern, text)
        } == {}
        assert CREDENTIAL.decode() not in text
        assert [name for name, value in providers.items() if value in text and len(value) > 3] == []
    assert logged == ""
    assert "server" not in answer.headers
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    assert answer.code


PERSONAL: dict[str, bytes] = {
    "a variable": b'{"query": "query($a: Int!) { contacts(first: $a) { nodes { id } } }", "variables": {"a": "%b"}}',
    "a variable that is unknown": b'{"query": "{ __typename }", "variables": {"%b": 1}, "operationName": 1}',
    "a name": b'{"query": "{ __typename }", "operationName": 1, "%b": 2}',
    "an operation": b'{"query": {"a": "%b"}}',
    "JSON that ends": b'{"query": "%b"',
}


@pytest.mark.parametrize("body", PERSONAL.values(), ids=PERSONAL)
def test_what_a_request_holds_is_in_no_log(
    served: Served, body: bytes, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), Wire(served.port) as wire:
        answer = wire.send(post(body % EMAIL)).answer()

    captured = capsys.readouterr()
    assert answer.code
    assert captured.out + captured.err + caplog.text == ""
