"""Random bytes and mutated requests on a real socket: whole answers or a closed connection.

Never a 5xx, never a hang: each example waits for the server to close.
"""

import string
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.main import build_app
from gateway.settings import read_gateway_settings
from tests.http.sockets import Answer, Wire, chunked, get, post
from tests.live import Served, serving

DOCUMENT = b"query A($a: Int! = 2) { contacts(first: $a) { nodes { id } } }"
QUERY = b'{"query": "%b", "variables": {"a": 1}, "operationName": "A", "extensions": {}}' % DOCUMENT
WAITS_SECONDS = 0.1

bounded = settings(
    max_examples=100,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("fuzz")
    chosen = read_gateway_settings(
        database_url=f"sqlite:///{folder}/gateway.db",
        header_timeout_seconds=WAITS_SECONDS,
        body_timeout_seconds=WAITS_SECONDS,
        keep_alive_seconds=WAITS_SECONDS,
    )
    with serving(build_app(chosen, {}), chosen) as served:
        yield served


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left(served: Served) -> Iterator[None]:
    yield
    with Wire(served.port) as wire:
        assert wire.send(post(QUERY)).answer().status == 200


REQUESTS = st.sampled_from(
    [
        post(QUERY),
        post(QUERY, b"Accept: application/graphql-response+json"),
        post(b"", b"Transfer-Encoding: chunked", framed=False) + b"".join(chunked([QUERY[:9], QUERY[9:]])),
        get(b"/graphql?query=%7B__typename%7D&variables=%7B%7D", b"Accept: application/json"),
        get(b"/graphql", b"Origin: http://127.0.0.1", b"Access-Control-Request-Method: POST"),
        get(b"/graphiql/assets/index.js", b"Range: bytes=0-1", b"If-None-Match: x"),
        get(b"/health/ready"),
        get() + post(QUERY),
    ]
)
PIECES = [b"\r\n", b"\n", b"\r", b"\x00", b"\xff", b":", b" ", b"\t", b"0", b"-1", b"%00", b"%ff", b"\r\n\r\n", b"["]
LINES = [b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Host: x", b"Expect: 100-continue", b"Connection: close"]
UPGRADE = b"Connection: upgrade\r\nUpgrade: h2c"
WORDS = [b"OPTIONS ", b"HTTP/1.0", b"chunked"]
INTERESTING = st.sampled_from([*PIECES, *WORDS, *(line + b"\r\n" for line in [*LINES, UPGRADE])])


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A request in which some bytes are others, gone, there twice, or cut off."""
    request = bytearray(draw(REQUESTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(request)))
        length = draw(st.integers(0, 12))
        kind = draw(st.sampled_from(["replace", "insert", "delete", "repeat", "cut"]))
        if kind == "cut":
            del request[start:]
        elif kind == "repeat":
            request[start:start] = request[start : start + length]
        elif kind == "insert":
            request[start:start] = draw(INTERESTING | st.binary(max_size=8))
        else:
            request[start : start + length] = b"" if kind == "delete" else draw(st.binary(max_size=length))
    return bytes(request)


def answers(served: Served, sent: bytes) -> list[Answer]:
    """Everything that comes back until the server closes; each is read by the rules, so that a broken one fails."""
    got = []
    with Wire(served.port) as wire:
        wire.send(sent)
        while not wire.ended():
            got.append(wire.answer())
    return got


def assert_decent(answer: Answer) -> None:
    assert answer.status < 500, answer
    if answer.status >= 200:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"]
    if answer.status >= 400 and answer.body:
        assert answer.code != "INTERNAL_ERROR"


@bounded
@given(st.binary(max_size=2_000))
def test_random_bytes_get_a_refusal_or_silence(served: Served, sent: bytes) -> None:
    for answer in answers(served, sent):
        assert_decent(answer)


@bounded
@given(mutated())
def test_a_request_that_was_tampered_with_gets_whole_answers(served: Served, sent: bytes) -> None:
    for answer in answers(served, sent):
        assert_decent(answer)


NAMES = "Accept Content-Type Origin Authorization Idempotency-Key Sec-Fetch-Site Content-Encoding Connection Upgrade"
MORE_NAMES = "Expect Range Cookie X-Request-Id Accept-Encoding TE Host"
VALUES = ["*/*", "application/json;q=2", ";;;", "text/html;level=1;q=0.5,,,", 'a/b;charset="', "keep-alive"]
HEADER = st.tuples(
    st.sampled_from(f"{NAMES} {MORE_NAMES}".split()),
    st.text(string.printable.strip() + " éÿ", max_size=60) | st.sampled_from(VALUES),
)


@bounded
@given(st.lists(HEADER, max_size=6), st.sampled_from([b"POST", b"GET", b"OPTIONS", b"PUT"]))
def test_headers_of_any_content_are_understood_or_refused(
    served: Served, headers: list[tuple[str, str]], method: bytes
) -> None:
    lines = [f"{name}: {value}".encode("latin-1") for name, value in headers]
    request = post(QUERY, b"Connection: close", *lines).replace(b"POST", method, 1)

    got = answers(served, request)

    assert [answer for answer in got if answer.status >= 200]
    for answer in got:
        assert_decent(answer)


NUMBERS = ["1", "-0", "1e400", "1E-400", "9" * 400, "9" * 5_000, "NaN", "-Infinity", "01", "1."]
OTHERS = [
    "null",
    "true",
    '""',
    '"\\ud800"',
    '"\\u0000"',
    "'a'",
    "{}",
    "[]",
    "//",
    '"\x01"',
    '"\\ud83d\\ude00"',
    '"\ud800"',
]
JSON_TEXT = st.recursive(
    st.sampled_from([*NUMBERS, *OTHERS]),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]")
        | st.lists(
            st.tuples(st.sampled_from(["query", "variables", "operationName", "extensions", "a", "\\ud800"]), inner),
            max_size=5,
        ).map(lambda members: "{" + ",".join(f'"{name}":{value}' for name, value in members) + "}")
    ),
    max_leaves=12,
)


@bounded
@given(JSON_TEXT, st.sampled_from(["whole", "variables", "extensions", "url"]))
def test_json_of_any_form_is_read_or_refused(served: Served, text: str, place: str) -> None:
    value = text.encode("utf-8", "surrogatepass")
    if place == "url":
        escaped = b"".join(b"%%%02X" % byte for byte in value)
        request = get(
            b"/graphql?query=%7B__typename%7D&variables=" + escaped, b"Accept: application/json", b"Connection: close"
        )
    else:
        body = value if place == "whole" else b'{"query": "{ __typename }", "%b": %b}' % (place.encode(), value)
        request = post(body, b"Connection: close")

    got = answers(served, request)

    assert len(got) == 1
    for answer in got:
        assert_decent(answer)
