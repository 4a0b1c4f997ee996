"""Attacks by hand on a real socket: each gets the answer that it deserves, and the server goes on."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

import pytest

from gateway.http.refusal import RequestRefused
from gateway.http.request_head import MAX_HEADERS, MAX_URL_BYTES, check_size
from gateway.main import build_app
from gateway.settings import read_gateway_settings
from tests.conftest import BARE
from tests.http.sockets import Answer, Wire, chunked, get, post, until
from tests.live import Served, serving

QUERY = b'{"query": "{ __typename }"}'
DATA = {"__typename": "Query"}
DIGITS = b"9" * 5_000
DEEP = b"[" * 10_000 + b"]" * 10_000
BIG = 20_000_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("raw")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.chdir(folder)
        settings = read_gateway_settings(database_url=f"sqlite:///{folder}/gateway.db", **BARE)
        yield stack.enter_context(serving(build_app(settings, {}), settings))


@pytest.fixture(autouse=True)
def the_server_goes_on(served: Served) -> Iterator[None]:
    yield
    with Wire(served.port) as wire:
        assert wire.send(post(QUERY)).answer().data == DATA
    until(lambda: not served.server.server_state.tasks)


def ask(served: Served, *pieces: bytes, closes: bool = False) -> Answer:
    with Wire(served.port) as wire:
        answer = wire.send(*pieces).answer()
        assert (answer.headers.get("connection") == "close") == closes
        if closes:
            assert wire.closed()
        else:
            assert wire.send(post(QUERY)).answer().data == DATA
    return answer


def encoded(text: bytes) -> bytes:
    return b"".join(b"%%%02X" % byte for byte in text)


BODIES: dict[str, tuple[bytes, int, str]] = {
    "bytes that are not UTF-8": (b'{"query": "{ \xff\xfe }"}', 400, "BAD_REQUEST"),
    "half of UTF-8": (b'{"query": "\xe2\x82"}', 400, "BAD_REQUEST"),
    "UTF-16": (json.dumps({"query": "{ __typename }"}).encode("utf-16"), 400, "BAD_REQUEST"),
    "a byte order mark": (b"\xef\xbb\xbf" + QUERY, 400, "BAD_REQUEST"),
    "a surrogate in bytes": (b'{"query": "\xed\xa0\x80"}', 400, "BAD_REQUEST"),
    "NUL bytes": (b"\x00" * 100, 400, "BAD_REQUEST"),
    "a NUL in a text": (b'{"query": "{ __typename\x00 }"}', 400, "BAD_REQUEST"),
    "null": (b"null", 400, "BAD_REQUEST"),
    "a number": (b"123", 400, "BAD_REQUEST"),
    "a text": (b'"str"', 400, "BAD_REQUEST"),
    "true": (b"true", 400, "BAD_REQUEST"),
    "nothing": (b"", 400, "BAD_REQUEST"),
    "a batch": (b"[%b, %b]" % (QUERY, QUERY), 400, "BATCHING_NOT_SUPPORTED"),
    "JSON 10,000 deep": (DEEP, 400, "LIMIT_EXCEEDED"),
    "variables 10,000 deep": (b'{"query": "{ a }", "variables": {"a": %b}}' % DEEP, 400, "LIMIT_EXCEEDED"),
    "extensions 10,000 deep": (b'{"query": "{ a }", "extensions": {"a": %b}}' % DEEP, 400, "LIMIT_EXCEEDED"),
    "objects 10,000 deep": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400, "LIMIT_EXCEEDED"),
    "deep and without an end": (b"[" * 100_000, 400, "LIMIT_EXCEEDED"),
    "an operation that is half a sign": (b'{"query": "{ a }", "operationName": "\\ud800"}', 400, "BAD_REQUEST"),
    "a query that is half a sign": (b'{"query": "\\udfff"}', 400, "BAD_REQUEST"),
    "NaN": (b'{"query": "{ a }", "variables": {"a": NaN}}', 400, "BAD_REQUEST"),
    "Infinity": (b'{"query": "{ a }", "variables": {"a": Infinity}}', 400, "BAD_REQUEST"),
    "infinity by its size": (b'{"query": "{ a }", "variables": {"a": 1e999}}', 400, "BAD_REQUEST"),
    "a member twice": (b'{"query": "{ a }", "query": "{ b }"}', 400, "BAD_REQUEST"),
    "gzip that is none": (b"\x1f\x8b\x08\x00" + b"\x00" * 20, 400, "BAD_REQUEST"),
}


@pytest.mark.parametrize(("body", "status", "code"), BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_request_is_refused(served: Served, body: bytes, status: int, code: str) -> None:
    answer = ask(served, post(body))

    assert (answer.status, answer.code) == (status, code)


NUMBERS = {
    "in the variables": b'{"query": "query($a: Int) { contacts(first: $a) { nodes { id } } }", "variables": {"a": %b}}',
    "in the document": b'{"query": "{ contacts(first: %b) { nodes { id } } }"}',
    "that nobody uses": b'{"query": "{ unknown }", "variables": {"a": %b}}',
    "in the extensions": b'{"query": "{ unknown }", "extensions": {"a": %b}}',
    "for the query": b'{"query": %b}',
}


@pytest.mark.parametrize("template", NUMBERS.values(), ids=NUMBERS)
def test_an_integer_of_5000_digits_is_wrong_like_any_other(served: Served, template: bytes) -> None:
    answer = ask(served, post(template % DIGITS, b"Accept: application/graphql-response+json"))

    assert answer.status == 400
    assert answer.code in ("BAD_REQUEST", "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED", "LIMIT_EXCEEDED")


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"deflate", b"zstd", b"identity, gzip"])
def test_a_compressed_body_is_refused_unseen(served: Served, encoding: bytes) -> None:
    answer = ask(served, post(b"\x1f\x8b", b"Content-Encoding: " + encoding))

    assert (answer.status, answer.code) == (415, "UNSUPPORTED_ENCODING")


PARAMETERS: dict[str, tuple[bytes, int, str]] = {
    "variables 2,000 deep": (b"query={a}&variables=" + b"[" * 2_000, 400, "LIMIT_EXCEEDED"),
    "extensions 2,000 deep": (b"query={a}&extensions=" + b"[" * 2_000, 400, "LIMIT_EXCEEDED"),
    "variables 10,000 deep": (b"query={a}&variables=" + b"[" * 10_000, 414, "LIMIT_EXCEEDED"),
    "extensions 10,000 deep": (b"query={a}&extensions=" + b"[" * 10_000, 414, "LIMIT_EXCEEDED"),
    "variables that are no JSON": (b"query={a}&variables={", 400, "BAD_REQUEST"),
    "bytes that are no UTF-8": (b"query={a}&variables=" + encoded(b'{"a": "\xff'), 400, "BAD_REQUEST"),
    "a surrogate": (b"query={a}&operationName=" + encoded(b"\xed\xa0\x80"), 400, "OPERATION_RESOLUTION_FAILURE"),
    "a NUL": (b"query=%00", 400, "GRAPHQL_PARSE_FAILED"),
    "nothing but signs": (b"&&&=&=&&", 400, "BAD_REQUEST"),
}


@pytest.mark.parametrize(("parameters", "status", "code"), PARAMETERS.values(), ids=PARAMETERS)
def test_so_are_parameters_of_the_url(served: Served, parameters: bytes, status: int, code: str) -> None:
    parameters = parameters.replace(b"{a}", encoded(b"{ __typename }"))
    request = get(b"/graphql?" + parameters, b"Accept: application/graphql-response+json")

    answer = ask(served, request, closes=status == 414)

    assert (answer.status, answer.code) == (status, code)


def big_body() -> Iterable[bytes]:
    return [b" " * 65_536] * (BIG // 65_536)


class TestSize:
    def test_20_mb_are_refused_by_what_was_announced(self, served: Served) -> None:
        head = post(b"", b"Content-Length: %d" % BIG, framed=False)

        answer = ask(served, head, *big_body(), closes=True)

        assert (answer.status, answer.code) == (413, "LIMIT_EXCEEDED")

    def test_20_mb_in_chunks_are_refused_by_what_came(self, served: Served) -> None:
        head = post(b"", b"Transfer-Encoding: chunked", framed=False)

        answer = ask(served, head, *chunked(big_body()), closes=True)

        assert (answer.status, answer.code) == (413, "LIMIT_EXCEEDED")
        assert answer.json["errors"][0]["extensions"]["measured"] < 2_000_000

    def test_chunks_with_endless_extensions_are_no_way_around(self, served: Served) -> None:
        head = post(b"", b"Transfer-Encoding: chunked", framed=False)

        answer = ask(served, head, b"1;a=", *[b"b" * 65_536] * 20, closes=True)

        assert (answer.status, answer.code) == (400, "BAD_REQUEST")

    @pytest.mark.parametrize(
        ("request_", "status", "limit"),
        [
            (get(b"/", b"X: " + b"a" * 100_000), 431, "maxHeaderBytes"),
            (get(b"/", *[b"X-%d: " % n + b"a" * 1_000 for n in range(99)]), 431, "maxHeaderBytes"),
            (get(b"/", b"X" * 100_000 + b": a"), 431, "maxHeaderBytes"),
            (get(b"/", *[b"X: a"] * 101), 431, "maxHeaders"),
            (get(b"/" + b"a" * 100_000), 414, "maxUrlBytes"),
            (get(b"/graphql?query=" + b"a" * 8_192), 414, "maxUrlBytes"),
        ],
        ids=["one value", "many values", "a name", "many headers", "a path", "a query"],
    )
    def test_so_are_large_heads(self, served: Served, request_: bytes, status: int, limit: str) -> None:
        answer = ask(served, request_, closes=True)

        assert (answer.status, answer.code) == (status, "LIMIT_EXCEEDED")
        extensions = answer.json["errors"][0]["extensions"]
        assert extensions["limit"] == limit
        assert extensions["measured"] > extensions["allowed"]

    def test_a_limit_itself_is_within_it(self) -> None:
        check_size(b"a" * MAX_URL_BYTES, MAX_HEADERS, 500, 500)
        for beyond in ((MAX_URL_BYTES + 1, MAX_HEADERS, 500), (1, MAX_HEADERS + 1, 500), (1, MAX_HEADERS, 501)):
            with pytest.raises(RequestRefused):
                check_size(b"a" * beyond[0], *beyond[1:], 500)

    def test_what_is_just_within_the_limits_is_answered(self, served: Served) -> None:
        url = b"/graphql?query=" + encoded(b"{__typename}") + b"&x="
        url += b"a" * (8_192 - len(url))
        headers = [b"X-%d: " % number + b"a" * 70 for number in range(97)]

        answer = ask(served, get(url, b"Accept: application/json", b"X: b", *headers))

        assert answer.data == DATA


HOST = b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHUNKED = HOST + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
TRICKS: dict[str, bytes] = {
    "a length and chunks": HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "a length twice": HOST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
    "a list of lengths": HOST + b"Content-Length: 5, 5\r\n\r\nabcde",
    "a length with a sign": HOST + b"Content-Length: +5\r\n\r\nabcde",
    "a length below zero": HOST + b"Content-Length: -5\r\n\r\nabcde",
    "a length in hex": HOST + b"Content-Length: 0x5\r\n\r\nabcde",
    "a length without end": HOST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "a length that is empty": HOST + b"Content-Length:\r\n\r\n",
    "an unknown coding": HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "identity": HOST + b"Transfer-Encoding: identity\r\n\r\n",
    "gzip before chunked": HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked before identity": HOST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": HOST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a vertical tab": HOST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded line": HOST + b"X: a\r\n b\r\n\r\n",
    "a folded coding": HOST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a folded first header": b"GET / HTTP/1.1\r\n Host: 127.0.0.1\r\n\r\n",
    "a NUL in a value": HOST + b"X: a\x00b\r\n\r\n",
    "a NUL in a name": HOST + b"X\x00: a\r\n\r\n",
    "a control character": HOST + b"X: a\x01b\r\n\r\n",
    "a bare CR": HOST + b"X: a\rY: b\r\n\r\n",
    "a bare LF": HOST + b"X: a\nY: b\r\n\r\n",
    "lines that end in LF": b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n",
    "a name with a space": HOST + b"X Y: a\r\n\r\n",
    "a name that is empty": HOST + b": a\r\n\r\n",
    "a name beyond ASCII": HOST + b"X\xff: a\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "an empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "a host with a space in HTTP/1.0": b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: 127.0.0.1/x\r\n\r\n",
    "a host with a port of six digits": b"GET / HTTP/1.1\r\nHost: 127.0.0.1:800000\r\n\r\n",
    "a host with a user": b"GET / HTTP/1.1\r\nHost: a@127.0.0.1\r\n\r\n",
    "a URL of another host": b"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "two content types": HOST + b"Content-Type: text/plain\r\nContent-Type: application/json\r\n\r\n",
    "two origins": HOST + b"Origin: http://127.0.0.1\r\nOrigin: http://evil.example\r\n\r\n",
    "two authorizations": HOST + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    "a fragment": b"GET /graphql#x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a tunnel": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a path beyond ASCII": b"GET /\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a NUL in the path": b"GET /\x00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a URL without a path": b"GET graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: 127.0.0.1\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: 127.0.0.1\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method in small letters": b"get / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a method that is none": b"BREW / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "NUL bytes": b"\x00" * 64,
    "a chunk's size in letters": CHUNKED + b"zz\r\n",
    "what is no chunk behind a whole request": CHUNKED + b"%x\r\n%b\r\nzz\r\n" % (len(QUERY), QUERY),
    "a chunk's size with 0x": CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
    "a chunk's size with a sign": CHUNKED + b"-1\r\na\r\n0\r\n\r\n",
    "a chunk's size without end": CHUNKED + b"f" * 17 + b"\r\n",
    "a chunk that ends in LF": CHUNKED + b"1\na\n0\n\n",
    "a chunk longer than it says": CHUNKED + b"1\r\nabc\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"1b\r\n" + QUERY + b"\r\n0\r\nHost: evil.example\r\nAuthorization: Bearer x\r\n\r\n",
}


@pytest.mark.parametrize("request_", TRICKS.values(), ids=TRICKS)
def test_what_two_servers_could_read_differently_is_refused(served: Served, request_: bytes) -> None:
    """And nothing behind it is read: that would be the request which a proxy in front has not seen."""
    answer = ask(served, request_ + get(b"/smuggled"), closes=True)

    assert (answer.status, answer.code) == (400, "BAD_REQUEST")


SMALL_PIECES = ["a length and chunks", "a folded line", "a NUL in a value", "two hosts", "a chunk's size in letters"]


@pytest.mark.parametrize("name", SMALL_PIECES)
def test_so_it_is_byte_by_byte(served: Served, name: str) -> None:
    answer = ask(served, *(bytes([byte]) for byte in TRICKS[name]), closes=True)

    assert (answer.status, answer.code) == (400, "BAD_REQUEST")


def test_a_whole_request_may_come_byte_by_byte(served: Served) -> None:
    assert ask(served, *(bytes([byte]) for byte in post(QUERY))).data == DATA


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/graphiql/assets/%00", 404),
        (b"/graphiql/assets/%FF", 404),
        (b"/graphiql/assets/../../app.py", 404),
        (b"/graphiql/assets/%2e%2e/%2e%2e/%2e%2e/app.py", 404),
        (b"/graphiql/assets//etc/passwd", 404),
        (b"/graphiql/assets/" + b"a" * 5_000, 404),
        (b"//evil.example/", 404),
        (b"/graphql/", 404),
        (b"/%67raphql/x", 404),
        (b"*", 404),
    ],
)
def test_paths_lead_nowhere_else(served: Served, target: bytes, status: int) -> None:
    answer = ask(served, get(target))

    assert (answer.status, answer.code) == (status, "PATH_NOT_FOUND")


def test_the_url_may_be_absolute(served: Served) -> None:
    """RFC 9112, section 3.2.2: a server has to take it, as proxies send it."""
    assert ask(served, get(b"http://127.0.0.1/health/live")).status == 200
    assert (
        ask(served, get(b"HTTP://LocalHost/health/live").replace(b"Host: 127.0.0.1", b"Host: LOCALHOST")).status == 200
    )


def test_a_coding_is_called_in_any_case(served: Served) -> None:
    framed = post(b"", b"Transfer-Encoding: Chunked", framed=False)
    assert ask(served, framed, *chunked([QUERY])).data == DATA
