"""GraphQL over HTTP: what the endpoint takes, and in which form it answers."""

import gc
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from gateway.http.refusal import RequestRefused
from gateway.main import build_app, build_connectors
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from gateway.settings import read_gateway_settings
from tests.conftest import BARE, Gateway

QUERY = "{ __typename }"
JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
UTF_8 = "; charset=utf-8"
DATA = {"data": {"__typename": "Query"}, "extensions": {"cost": {"estimated": 1, "allowed": 10_000}}}
UNLINK = 'mutation { unlinkRecord(input: {recordId: "a"}) { query { __typename } } }'


def post(gateway: Gateway, content: Any, **headers: str) -> httpx.Response:
    named = {"Content-Type": JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return gateway.request("POST", "/graphql", content=content, headers=named)


def get(gateway: Gateway, path: str = "/graphql", accept: str = GRAPHQL_JSON, **arguments: Any) -> httpx.Response:
    return gateway.request("GET", path, headers={"Accept": accept}, **arguments)


def only_error(reply: httpx.Response) -> str:
    """The code of a refused request, after what has to hold for every refusal."""
    answer = reply.json()
    assert "data" not in answer
    (error,) = answer["errors"]
    assert error["message"].strip()
    code: str = error["extensions"]["code"]
    return code


@pytest.fixture(scope="module")
def running_gateway(running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("endpoint")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in running_sandbox.environment().items():
            patch.setenv(name, value)
        settings = read_gateway_settings(database_url=f"sqlite:///{folder}/gateway.db", **BARE)
        gateway = Gateway(build_app(settings, build_connectors(settings)))
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(running_gateway: Gateway) -> Gateway:
    """One for all tests of this file: none of them writes into its database."""
    return running_gateway


@pytest.fixture(autouse=True)
def nobody_is_called(sandbox: Sandbox) -> Any:
    """No test of this file asks for anything that a provider knows."""
    yield
    assert [request for simulator in sandbox.simulators for request in simulator.requests] == []


class TestMediaTypes:
    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            (None, JSON),
            ("*/*", JSON),
            ("", JSON),
            (" ", JSON),
            ("application/*", JSON),
            (f"*/*, {JSON};q=0", GRAPHQL_JSON),
            (JSON, JSON),
            (f"{JSON}; charset=utf-8", JSON),
            (GRAPHQL_JSON, GRAPHQL_JSON),
            (f"{GRAPHQL_JSON}, {JSON};q=0.9", GRAPHQL_JSON),
            (f"{JSON};q=0.9, {GRAPHQL_JSON}", GRAPHQL_JSON),
            ("APPLICATION/GraphQL-Response+JSON", GRAPHQL_JSON),
        ],
    )
    def test_the_answer_has_the_type_that_was_asked_for(
        self, gateway: Gateway, accept: str | None, media_type: str
    ) -> None:
        headers = {} if accept is None else {"Accept": accept}

        reply = gateway.request("POST", "/graphql", json={"query": QUERY}, headers=headers)

        assert (reply.status_code, reply.json()) == (200, DATA)
        assert reply.headers["content-type"] == media_type + UTF_8

    @pytest.mark.parametrize("accept", ["text/plain", "image/png, text/csv", "application/xml"])
    def test_a_type_that_it_does_not_speak_is_not_acceptable(self, gateway: Gateway, accept: str) -> None:
        reply = gateway.request("POST", "/graphql", json={"query": QUERY}, headers={"Accept": accept})

        assert (reply.status_code, only_error(reply)) == (406, "NOT_ACCEPTABLE")
        assert reply.headers["content-type"] == JSON + UTF_8

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
            ({"query": "{ unknown }"}, "GRAPHQL_VALIDATION_FAILED"),
            ({"query": "query($a: Int!) { contacts(first: $a) { nodes { id } } }", "variables": {}}, "BAD_USER_INPUT"),
            (
                {"query": "query($a: Int! = 1) { contacts(first: $a) { nodes { id } } }", "variables": {"a": "x"}},
                "BAD_USER_INPUT",
            ),
            ({"query": QUERY, "operationName": "Missing"}, "OPERATION_RESOLUTION_FAILURE"),
        ],
        ids=["syntax", "validation", "missing variable", "wrong variable", "operation"],
    )
    def test_a_wrong_request_is_400_in_the_new_type_and_200_in_the_old(
        self, gateway: Gateway, body: dict[str, Any], code: str
    ) -> None:
        new = gateway.request("POST", "/graphql", json=body, headers={"Accept": GRAPHQL_JSON})
        old = gateway.request("POST", "/graphql", json=body, headers={"Accept": JSON})

        assert (new.status_code, only_error(new)) == (400, code)
        assert (old.status_code, only_error(old)) == (200, code)

    def test_an_error_of_a_field_is_200_in_both(self, gateway: Gateway) -> None:
        for accept in (JSON, GRAPHQL_JSON):
            reply = gateway.request("POST", "/graphql", json={"query": UNLINK}, headers={"Accept": accept})

            assert reply.status_code == 200
            assert reply.json()["data"] == {"unlinkRecord": None}
            assert [error["path"] for error in reply.json()["errors"]] == [["unlinkRecord"]]

    @pytest.mark.parametrize(
        "content_type",
        [JSON, "Application/JSON", f"{JSON}; charset=utf-8", f'{JSON};charset="UTF-8"', f"{JSON};charset=utf8"],
    )
    def test_json_in_utf_8_is_taken(self, gateway: Gateway, content_type: str) -> None:
        body = '{"query": "{ __typename } # äö"}'.encode()

        assert post(gateway, body, Content_Type=content_type).json() == DATA

    @pytest.mark.parametrize(
        "content_type",
        [
            "",
            "text/plain",
            "application/graphql",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            f"{JSON}; charset=latin-1",
            f"{JSON}; charset=utf-16",
            f"{JSON}x",
            f"text/plain; {JSON}",
        ],
    )
    def test_another_content_type_is_refused(self, gateway: Gateway, content_type: str) -> None:
        reply = post(gateway, json.dumps({"query": QUERY}), Content_Type=content_type)

        assert (reply.status_code, only_error(reply)) == (415, "UNSUPPORTED_MEDIA_TYPE")
        assert reply.headers["accept"] == JSON

    @pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity"])
    def test_a_compressed_body_is_refused(self, gateway: Gateway, encoding: str) -> None:
        reply = post(gateway, json.dumps({"query": QUERY}), Content_Encoding=encoding)

        assert (reply.status_code, only_error(reply)) == (415, "UNSUPPORTED_ENCODING")
        assert reply.headers["accept-encoding"] == "identity"

    @pytest.mark.parametrize("encoding", ["identity", "Identity", " ", ""])
    def test_one_that_says_it_is_not_compressed_is_taken(self, gateway: Gateway, encoding: str) -> None:
        assert post(gateway, json.dumps({"query": QUERY}), Content_Encoding=encoding).json() == DATA


class TestMethods:
    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "PROPFIND"])
    def test_others_than_get_and_post_are_not_allowed(self, gateway: Gateway, method: str) -> None:
        reply = gateway.request(method, "/graphql", content=json.dumps({"query": QUERY}))

        assert reply.status_code == 405
        assert reply.headers["allow"] == "GET, POST"

    def test_get_takes_queries(self, gateway: Gateway) -> None:
        parameters = {
            "query": "query A($n: String!) { __type(name: $n) { name } } query B { __typename }",
            "operationName": "A",
            "variables": '{"n": "Contact"}',
        }

        reply = get(gateway, params=parameters)

        assert (reply.status_code, reply.json()["data"]) == (200, {"__type": {"name": "Contact"}})

    @pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
    def test_get_changes_nothing(self, gateway: Gateway, accept: str) -> None:
        reply = get(gateway, accept=accept, params={"query": UNLINK})

        assert (reply.status_code, only_error(reply)) == (405, "METHOD_NOT_ALLOWED")
        assert reply.headers["allow"] == "POST"

    def test_get_does_not_run_a_mutation_that_is_named_beside_a_query(self, gateway: Gateway) -> None:
        document = f"query Safe {{ __typename }} {UNLINK.replace('mutation', 'mutation Unsafe')}"

        safe = get(gateway, params={"query": document, "operationName": "Safe"})
        unsafe = get(gateway, params={"query": document, "operationName": "Unsafe"})

        assert safe.json() == DATA
        assert unsafe.status_code == 405

    @pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON, "*/*"])
    def test_a_subscription_has_no_single_answer(self, gateway: Gateway, accept: str) -> None:
        """It was sent by POST, so that `Allow: POST` would help nobody."""
        reply = post(gateway, json.dumps({"query": "subscription { contacts { totalCount } }"}), Accept=accept)

        assert (reply.status_code, only_error(reply)) == (406, "NOT_ACCEPTABLE")

    @pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
    def test_nor_has_it_one_by_get(self, gateway: Gateway, accept: str) -> None:
        query = {"query": "subscription { providerStatusChanged { state } }"}
        reply = gateway.request("GET", "/graphql", params=query, headers={"Accept": accept})

        assert (reply.status_code, only_error(reply)) == (406, "NOT_ACCEPTABLE")
        assert "text/event-stream" in reply.json()["errors"][0]["message"]

    def test_several_operations_need_a_name(self, gateway: Gateway) -> None:
        """GraphQL, section 6.1: without a name the document has to hold exactly one operation."""
        for other in (f"query B {QUERY}", UNLINK.replace("mutation", "mutation B")):
            reply = post(gateway, json.dumps({"query": f"query A {QUERY} {other}"}))

            assert only_error(reply) == "OPERATION_RESOLUTION_FAILURE"

    @pytest.mark.parametrize("name", [None, "Missing"])
    def test_a_document_without_the_operation_says_so_in_words(self, gateway: Gateway, name: str | None) -> None:
        document = "fragment A on Query { __typename }" if name is None else QUERY

        reply = post(gateway, json.dumps({"query": document, "operationName": name}))

        assert only_error(reply) == "OPERATION_RESOLUTION_FAILURE"
        assert "None" not in reply.text

    @pytest.mark.parametrize("name", ["query", "operationName", "variables", "extensions"])
    def test_a_parameter_may_stand_once(self, gateway: Gateway, name: str) -> None:
        text = {"query": QUERY, "operationName": "", "variables": "{}", "extensions": "{}"}

        reply = get(gateway, params=[*text.items(), (name, text[name])])

        assert (reply.status_code, only_error(reply)) == (400, "BAD_REQUEST")
        assert name in reply.json()["errors"][0]["message"]

    @pytest.mark.parametrize(
        "parameters",
        [
            {},
            {"query": ""},
            {"query": "  "},
            {"operationName": "A"},
            {"query": QUERY, "variables": "[]"},
            {"query": QUERY, "variables": "5"},
            {"query": QUERY, "variables": "{"},
            {"query": QUERY, "variables": "\ufffd"},
            {"query": QUERY, "extensions": "[]"},
            {"query": QUERY, "extensions": "5"},
            {"query": QUERY, "extensions": "{"},
        ],
        ids=lambda value: str(value)[:50],
    )
    def test_a_url_without_a_request_is_a_bad_one(self, gateway: Gateway, parameters: dict[str, str]) -> None:
        reply = get(gateway, params=parameters)

        assert (reply.status_code, only_error(reply)) == (400, "BAD_REQUEST")

    def test_an_empty_parameter_counts_as_left_out(self, gateway: Gateway) -> None:
        """GraphQL over HTTP (draft), section GET."""
        empty = {"documentId": "", "operationName": "", "variables": "", "extensions": ""}

        assert get(gateway, params={"query": QUERY, **empty}).json() == DATA

    def test_bytes_that_are_no_text_are_no_query(self, gateway: Gateway) -> None:
        reply = get(gateway, "/graphql?query=%7B%FF%ED%A0%80%7D")

        assert reply.status_code in (200, 400)
        assert only_error(reply) == "GRAPHQL_PARSE_FAILED"


BAD_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \n",
    "half a document": b'{"query": "{ __typename }"',
    "two documents": b'{"query": "{a}"}{"query": "{b}"}',
    "a text": b'"{ __typename }"',
    "a number": b"5",
    "null": b"null",
    "no query": b"{}",
    "an empty query": b'{"query": ""}',
    "a blank query": b'{"query": " "}',
    "a null query": b'{"query": null}',
    "a number for the query": b'{"query": 5}',
    "an object for the query": b'{"query": {"a": 1}}',
    "a list for the variables": b'{"query": "{ __typename }", "variables": []}',
    "a text for the variables": b'{"query": "{ __typename }", "variables": "{}"}',
    "a list for the extensions": b'{"query": "{ __typename }", "extensions": []}',
    "a number for the operation": b'{"query": "{ __typename }", "operationName": 5}',
    "not a number": b'{"query": "{ __typename }", "variables": {"a": NaN}}',
    "infinity": b'{"query": "{ __typename }", "variables": {"a": Infinity}}',
    "a number without end": b'{"query": "{ __typename }", "variables": {"a": 1e999}}',
    "a trailing comma": b'{"query": "{ __typename }",}',
    "a comment": b'{"query": "{ __typename }" /* hello */}',
    "single quotes": b"{'query': '{ __typename }'}",
    "a byte order mark": b'\xef\xbb\xbf{"query": "{ __typename }"}',
    "utf-16": '{"query": "{ __typename }"}'.encode("utf-16"),
    "latin-1": '{"query": "{ __typename } # é"}'.encode("latin-1"),
    "half a sign": b'{"query": "{ __typename } # \xe4\xb8"}',
    "an encoded surrogate": b'{"query": "{ __typename } # \xed\xa0\x80"}',
    "an escaped lone surrogate": b'{"query": "{ __typename } # \\ud800"}',
    "a raw control character": b'{"query": "{ __typename }\x01"}',
    "a member twice": b'{"query": "{ __typename }", "query": "{ __typename }"}',
    "a variable twice": b'{"query": "{ __typename }", "variables": {"a": 1, "a": 2}}',
    "an endless integer": b'{"query": "{ __typename }", "variables": {"a": ' + b"9" * 5_000 + b"}}",
    "a lone surrogate as a name": b'{"query": "{ __typename }", "operationName": "\\udc00"}',
    "html": b"<!doctype html><html></html>",
    "a form": b"query={__typename}",
    "zeros": b"\0" * 1_000,
}


class TestBodies:
    @pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
    def test_a_body_that_is_no_request_is_a_bad_one(self, gateway: Gateway, body: bytes) -> None:
        reply = post(gateway, body)

        assert (reply.status_code, only_error(reply)) == (400, "BAD_REQUEST")
        assert reply.headers["content-type"] == JSON + UTF_8

    @pytest.mark.parametrize("body", [b"[]", b'[{"query": "{ __typename }"}]', b"[[[1]]]"])
    def test_a_batch_is_not_taken(self, gateway: Gateway, body: bytes) -> None:
        reply = post(gateway, body)

        assert (reply.status_code, only_error(reply)) == (400, "BATCHING_NOT_SUPPORTED")

    @pytest.mark.parametrize(("open_", "close"), [(b"[", b"]"), (b'{"a":', b"}")])
    @pytest.mark.parametrize("levels", [31, 150, 30_000])
    def test_json_may_nest_32_levels(self, gateway: Gateway, levels: int, open_: bytes, close: bytes) -> None:
        def nested(levels: int) -> bytes:
            return b'{"query": "{ __typename }", "extensions": {"a": ' + open_ * levels + b"1" + close * levels + b"}}"

        assert post(gateway, nested(30)).json()["data"] == DATA["data"]
        reply = post(gateway, nested(levels))

        assert (reply.status_code, only_error(reply)) == (400, "LIMIT_EXCEEDED")
        extensions = reply.json()["errors"][0]["extensions"]
        assert (extensions["limit"], extensions["allowed"]) == ("maxJsonDepth", 32)
        assert extensions["measured"] in (33, levels + 2)

    @pytest.mark.parametrize(
        "body",
        [
            {"query": QUERY, "variables": None, "operationName": None, "extensions": None},
            {"query": QUERY, "operationName": ""},
            {"query": QUERY, "variables": {"unused": [1]}, "extensions": {"persisted": {}}},
            {"query": QUERY, "id": 5, "another": None},
            {"query": f"query A {QUERY}", "operationName": "A"},
        ],
        ids=["nulls", "empty name", "unused variables", "unknown members", "named"],
    )
    def test_what_may_be_there_or_not_is_taken_either_way(self, gateway: Gateway, body: dict[str, Any]) -> None:
        assert post(gateway, json.dumps(body)).json() == DATA

    def test_256_kib_are_the_limit(self, gateway: Gateway) -> None:
        def body(size: int) -> bytes:
            text = b'{"query": "{ __typename }", "extensions": {"a": "'
            return text + b"x" * (size - len(text) - 3) + b'"}}'

        assert post(gateway, body(256 * 1024)).json() == DATA
        too_large = post(gateway, body(256 * 1024 + 1))

        assert (too_large.status_code, only_error(too_large)) == (413, "LIMIT_EXCEEDED")
        assert too_large.json()["errors"][0]["extensions"]["measured"] == 256 * 1024 + 1
        assert too_large.headers["connection"] == "close"

    def test_the_limit_holds_for_a_body_that_comes_in_pieces(self, gateway: Gateway) -> None:
        sent = 0

        async def pieces() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(1_000):
                sent += 64 * 1024
                yield b" " * 64 * 1024

        reply = post(gateway, pieces())

        assert "content-length" not in reply.request.headers
        assert (reply.status_code, only_error(reply)) == (413, "LIMIT_EXCEEDED")
        assert sent <= 6 * 64 * 1024

    def test_a_request_in_pieces_is_put_together(self, gateway: Gateway) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for sign in '{"query": "{ __typename } # ä"}'.encode():
                yield bytes([sign])

        assert post(gateway, pieces()).json() == DATA

    def test_the_limit_holds_on_a_socket_too(self, gateway_url: str) -> None:
        def pieces() -> Any:
            for _ in range(8):
                yield b" " * 64 * 1024

        with httpx.Client(trust_env=False, verify=False) as client:
            reply = client.post(gateway_url, content=pieces(), headers={"Content-Type": JSON})
            next_one = client.post(gateway_url, json={"query": QUERY})

        assert (reply.status_code, only_error(reply)) == (413, "LIMIT_EXCEEDED")
        assert next_one.json() == DATA


class TestHeaders:
    @pytest.mark.parametrize(
        "request_",
        [
            {"method": "POST", "json": {"query": QUERY}},
            {"method": "POST", "json": {"query": "{"}},
            {"method": "POST", "json": []},
            {"method": "POST", "content": "x"},
            {"method": "DELETE"},
            {"method": "GET", "params": {"query": QUERY}},
            {"method": "GET", "params": {"query": QUERY}, "headers": {"Accept": "text/csv"}},
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_every_answer_is_named_and_not_to_be_guessed_at(self, gateway: Gateway, request_: dict[str, Any]) -> None:
        replies = [gateway.request(url="/graphql", **request_) for _ in range(2)]

        names = {reply.headers["x-request-id"] for reply in replies}
        assert len(names) == 2
        assert all(re.fullmatch(r"[0-9a-f]{32}", name) for name in names)
        for reply in replies:
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert reply.headers["vary"] == "Accept, Origin"
            assert int(reply.headers["content-length"]) == len(reply.content)

    def test_an_unexpected_error_is_named_by_its_request(
        self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("ada.winter@northwind.example")

        monkeypatch.setattr("resolvers.providers._info", broken)

        reply = post(gateway, json.dumps({"query": "{ providers { provider } }"}))

        (error,) = reply.json()["errors"]
        assert error["extensions"] == {"code": "INTERNAL_ERROR", "requestId": reply.headers["x-request-id"]}
        assert "northwind" not in reply.text
        assert "RuntimeError" not in reply.text
        logged = capsys.readouterr()
        assert reply.headers["x-request-id"] in logged.out + logged.err
        assert "northwind" not in logged.out + logged.err

    def test_one_outside_of_graphql_is_a_500_without_a_word_about_it(
        self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("ada.winter@northwind.example")

        monkeypatch.setattr("gateway.http.endpoint.read_parameters", broken)

        reply = post(gateway, json.dumps({"query": QUERY}))

        assert (reply.status_code, only_error(reply)) == (500, "INTERNAL_ERROR")
        assert "northwind" not in reply.text


class TestMemory:
    @pytest.mark.parametrize(
        ("method", "headers", "document"),
        [
            ("GET", {"Accept": JSON}, "mutation { __typename }"),
            ("POST", {"Accept": JSON}, "subscription { providerStatusChanged { state } }"),
            ("DELETE", {"Accept": JSON}, "{ __typename }"),
        ],
        ids=["mutation by GET", "subscription as JSON", "method"],
    )
    def test_nothing_of_a_refused_request_is_kept(
        self, gateway: Gateway, method: str, headers: dict[str, str], document: str
    ) -> None:
        """An exception that is raised again and again holds on to the frames of every time before."""
        sent: dict[str, Any] = {"json": {"query": document}} if method == "POST" else {"params": {"query": document}}
        for _ in range(3):
            assert gateway.request(method, "/graphql", headers=headers, **sent).status_code in (405, 406)
        gc.collect()

        kept = [one for one in gc.get_objects() if isinstance(one, RequestRefused) and one.__traceback__]
        assert kept == []


class TestBrowser:
    @pytest.mark.parametrize("path", ["/graphql", "/graphql?query={__typename}"])
    def test_a_browser_gets_a_page(self, gateway: Gateway, path: str) -> None:
        reply = gateway.request("GET", path, headers={"Accept": BROWSER})

        assert reply.headers["content-type"].startswith("text/html")
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["vary"] == "Accept, Origin"

    def test_so_does_one_that_writes_in_capitals(self, gateway: Gateway) -> None:
        reply = gateway.request("GET", "/graphql", headers={"Accept": BROWSER.upper()})

        assert reply.headers["content-type"].startswith("text/html")

    def test_a_program_that_names_json_gets_json(self, gateway: Gateway) -> None:
        accept = {"Accept": f"text/html, {JSON}"}

        assert gateway.request("GET", "/graphql", params={"query": QUERY}, headers=accept).json() == DATA

    def test_the_root_leads_to_the_endpoint(self, gateway: Gateway) -> None:
        reply = gateway.request("GET", "/")

        assert reply.is_redirect
        assert reply.headers["location"] == "/graphql"

    @pytest.mark.parametrize("path", ["/graphql/", "/admin", "/health", "/.env", "/graphql/../.env"])
    def test_nothing_else_is_there(self, gateway: Gateway, path: str) -> None:
        assert gateway.request("GET", path).status_code in (307, 404)
