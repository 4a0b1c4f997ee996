"""Which documents may run: `documentId` and Apollo's hash, texts, and the manifests that they are looked up in."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from gateway.http import trusted_documents
from gateway.http.manifest import CheckedDocument, Manifest, WrongManifest, read_manifest
from gateway.http.trusted_documents import known_documents
from gateway.main import execution_rules
from gateway.sandbox.sandbox import Sandbox
from gateway.settings import GatewaySettings, read_gateway_settings
from resolvers.document_check import document_check
from resolvers.schema import build_schema
from tests.conftest import Gateway

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
KIND = "query Kind { __typename }"
OTHER = "query Other { kind: __typename }"
UNLISTED = "query Unlisted { mine: __typename }"
UNLINK = 'mutation Unlink { unlinkRecord(input: {recordId: "a"}) { query { __typename } } }'
NOT_KEPT = "private, no-cache, must-revalidate"
DATA = {"data": {"__typename": "Query"}}

Start = Callable[..., Gateway]


@pytest.fixture(autouse=True)
def costs_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole answers are compared here."""
    monkeypatch.setenv("GATEWAY_TELL_COST", "off")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def apollo(text_hash: str, version: Any = 1) -> dict[str, Any]:
    return {"persistedQuery": {"version": version, "sha256Hash": text_hash}}


def write(folder: Path, content: Any, name: str = "documents.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def operation(text: str, **members: Any) -> dict[str, Any]:
    kind, name, *_ = text.split()
    return {"id": sha256(text), "name": name, "type": kind, "body": text, **members}


def apollo_manifest(*operations: Any, **members: Any) -> dict[str, Any]:
    return {"format": "apollo-persisted-query-manifest", "version": 1, "operations": list(operations), **members}


def post(gateway: Gateway, accept: str = GRAPHQL_JSON, **body: Any) -> httpx.Response:
    return gateway.request("POST", "/graphql", json=body, headers={"Accept": accept})


def get(gateway: Gateway, **parameters: Any) -> httpx.Response:
    written = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    return gateway.request("GET", "/graphql", params=written, headers={"Accept": GRAPHQL_JSON})


def refusal(reply: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of the only error, of an answer without data."""
    (error,) = reply.json()["errors"]
    assert set(reply.json()) == {"errors"}
    assert set(error) == {"message", "extensions"}
    return reply.status_code, error["extensions"]["code"], error["message"]


NOT_TRUSTED = (403, "DOCUMENT_NOT_TRUSTED", "This document is not one of those that the gateway takes.")
NOT_LISTED = (404, "DOCUMENT_NOT_TRUSTED", "No document is known by this id, and only known documents are taken.")
MISMATCH = (400, "DOCUMENT_ID_MISMATCH", "The id does not stand for the document that was sent with it.")
NOT_SUPPORTED = (
    400,
    "PERSISTED_QUERY_NOT_SUPPORTED",
    "This gateway knows no document by an id: send its text as `query`.",
)
NOT_FOUND = (404, "PERSISTED_QUERY_NOT_FOUND", "No document is known by this id: send its text as `query`.")


@pytest.fixture
def listed(tmp_path: Path) -> tuple[Path, ...]:
    """Ids of three kinds for one document, and two other documents."""
    ids = {"kind-1": KIND, hashlib.md5(KIND.encode()).hexdigest(): KIND, f"sha256:{sha256(OTHER)}": OTHER}
    return write(tmp_path, ids), write(tmp_path, apollo_manifest(operation(UNLINK)), "apollo.json")


class TestRequire:
    @pytest.fixture
    def gateway(self, start_gateway: Start, listed: tuple[Path, ...]) -> Gateway:
        return start_gateway(trusted_documents="require", trusted_documents_files=listed)

    @pytest.mark.parametrize(
        "document_id", ["kind-1", hashlib.md5(KIND.encode()).hexdigest(), sha256(KIND), f"sha256:{sha256(KIND)}"]
    )
    def test_an_id_and_the_hash_of_the_text_find_the_document(self, gateway: Gateway, document_id: str) -> None:
        replies = [
            post(gateway, documentId=document_id),
            get(gateway, documentId=document_id),
            post(gateway, extensions=apollo(document_id)),
            get(gateway, extensions=apollo(document_id)),
            post(gateway, documentId=document_id, query=KIND, extensions=apollo(sha256(KIND))),
            post(gateway, documentId=document_id, query=" "),
        ]

        assert [(reply.status_code, reply.json()) for reply in replies] == [(200, DATA)] * 6

    def test_operation_name_and_variables_belong_to_the_document_that_was_found(
        self, start_gateway: Start, tmp_path: Path
    ) -> None:
        text = "query A { a: __typename } query B($b: Boolean!) { b: __typename @include(if: $b) }"
        files = (write(tmp_path, {"both": text}),)
        gateway = start_gateway(trusted_documents="require", trusted_documents_files=files)

        reply = post(gateway, documentId="both", operationName="B", variables={"b": True})

        assert reply.json() == {"data": {"b": "Query"}}

    def test_a_text_runs_when_it_is_in_a_manifest_to_the_letter(self, gateway: Gateway) -> None:
        assert post(gateway, query=KIND).json() == DATA
        assert refusal(post(gateway, query=f"{KIND} ")) == NOT_TRUSTED

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"query": UNLISTED}, NOT_TRUSTED),
            ({"query": "{"}, NOT_TRUSTED),
            ({"query": UNLISTED, "documentId": f"sha256:{sha256(UNLISTED)}"}, NOT_TRUSTED),
            ({"query": UNLISTED, "extensions": apollo(sha256(UNLISTED))}, NOT_TRUSTED),
            ({"query": UNLISTED, "documentId": "kind-1"}, NOT_TRUSTED),
            ({"documentId": sha256(UNLISTED)}, NOT_LISTED),
            ({"documentId": "kind-2"}, NOT_LISTED),
            ({"documentId": ""}, NOT_LISTED),
            ({"documentId": f"SHA256:{sha256(KIND)}"}, NOT_LISTED),
            ({"documentId": sha256(KIND).upper()}, NOT_LISTED),
            ({"documentId": "sha256:kind-1"}, NOT_LISTED),
            ({"extensions": apollo(sha256(UNLISTED))}, NOT_LISTED),
            ({"query": KIND, "documentId": sha256(OTHER)}, MISMATCH),
            ({"query": KIND, "documentId": "kind-2"}, MISMATCH),
            ({"query": KIND, "extensions": apollo(sha256(OTHER))}, MISMATCH),
            ({"documentId": "kind-1", "extensions": apollo(sha256(OTHER))}, MISMATCH),
        ],
        ids=lambda value: json.dumps(value)[:70],
    )
    def test_everything_else_is_refused_before_it_is_parsed(
        self, gateway: Gateway, sandbox: Sandbox, body: dict[str, Any], expected: tuple[int, str, str]
    ) -> None:
        # An empty parameter of a URL counts as one that was left out.
        replies = [post(gateway, **body)] + ([] if "" in body.values() else [get(gateway, **body)])

        assert {refusal(reply) for reply in replies} == {expected}
        assert {refusal(post(gateway, JSON, **body))} == {expected}
        assert [request for simulator in sandbox.simulators for request in simulator.requests] == []

    def test_a_refusal_is_not_kept_by_a_cache(self, gateway: Gateway) -> None:
        assert get(gateway, documentId="kind-2").headers["cache-control"] == NOT_KEPT

    def test_a_mutation_of_the_manifest_does_not_come_by_get(self, gateway: Gateway) -> None:
        expected = (405, "METHOD_NOT_ALLOWED", "GET is for queries; send mutations by POST.")

        assert refusal(get(gateway, documentId=sha256(UNLINK))) == expected

    def test_nothing_sent_is_told_what_to_send(self, gateway: Gateway) -> None:
        assert refusal(post(gateway)) == (400, "BAD_REQUEST", "Send the GraphQL document as `query`.")

    @pytest.mark.parametrize(
        "extension",
        [
            [],
            "a",
            {},
            {"version": 1},
            {"version": 2, "sha256Hash": sha256(KIND)},
            {"version": "1", "sha256Hash": sha256(KIND)},
            {"version": 1, "sha256Hash": None},
        ],
    )
    def test_an_extension_of_another_shape_is_refused(self, gateway: Gateway, extension: Any) -> None:
        status, code, message = refusal(post(gateway, query=KIND, extensions={"persistedQuery": extension}))

        assert (status, code) == (400, "BAD_REQUEST")
        assert message.startswith("`extensions.persistedQuery` is not {version: 1, sha256Hash: …}: ")

    def test_an_extension_that_is_null_is_none(self, gateway: Gateway) -> None:
        assert post(gateway, query=KIND, extensions={"persistedQuery": None}).json() == DATA


class TestLog:
    @pytest.fixture
    def gateway(self, start_gateway: Start, listed: tuple[Path, ...]) -> Gateway:
        return start_gateway(trusted_documents="log", trusted_documents_files=listed)

    def test_a_document_of_the_manifest_runs_and_is_not_logged(self, gateway: Gateway) -> None:
        with capture_logs() as logged:
            replies = [post(gateway, documentId="kind-1"), post(gateway, query=KIND), get(gateway, query=KIND)]

        assert [reply.json() for reply in replies] == [DATA] * 3
        assert logged == []

    def test_any_other_runs_and_is_logged_once_by_hash_and_name_alone(self, gateway: Gateway) -> None:
        text = "query Mine($on: Boolean!) { mine: __typename @include(if: $on) }"
        with capture_logs() as logged:
            replies = [
                post(gateway, query=text, variables={"on": on}, operationName="Mine") for on in (True, True, False)
            ]
            unnamed = post(gateway, query="{ mine: __typename }")

        assert [reply.json()["data"] for reply in replies] == [{"mine": "Query"}, {"mine": "Query"}, {}]
        assert unnamed.json() == {"data": {"mine": "Query"}}
        event = {"event": "document_not_in_manifest", "log_level": "warning"}
        assert logged == [
            {**event, "sha256": sha256(text), "operation": "Mine"},
            {**event, "sha256": sha256("{ mine: __typename }"), "operation": None},
        ]

    def test_what_does_not_run_is_not_logged(self, gateway: Gateway) -> None:
        with capture_logs() as logged:
            codes = [refusal_code(post(gateway, query=text)) for text in ("{", "{ nothing }")]

        assert codes == ["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"]
        assert logged == []

    def test_the_list_in_the_log_ends(self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trusted_documents, "MAX_LOGGED", 2)
        with capture_logs() as logged:
            for number in range(4):
                post(gateway, query=f"{{ a{number}: __typename }}")

        assert [line["event"] for line in logged] == [
            "document_not_in_manifest",
            "document_not_in_manifest",
            "further_documents_not_in_manifest_are_not_named",
        ]

    @pytest.mark.parametrize("document_id", ["their-own-id", f"sha256:{sha256(UNLISTED)}", sha256(UNLISTED)])
    def test_an_id_that_is_not_known_asks_for_the_text_which_then_runs(
        self, gateway: Gateway, document_id: str
    ) -> None:
        assert refusal(post(gateway, documentId=document_id)) == NOT_FOUND
        assert refusal(get(gateway, documentId=document_id)) == NOT_FOUND
        assert refusal(post(gateway, JSON, documentId=document_id)) == (200, *NOT_FOUND[1:])
        assert post(gateway, documentId=document_id, query=UNLISTED).json() == {"data": {"mine": "Query"}}

    @pytest.mark.parametrize("document_id", ["kind-1", f"sha256:{sha256(KIND)}", "sha256:x", "0" * 64])
    def test_an_id_and_a_text_have_to_agree(self, gateway: Gateway, document_id: str) -> None:
        assert refusal(post(gateway, query=UNLISTED, documentId=document_id)) == MISMATCH
        assert refusal(post(gateway, query=UNLISTED, extensions=apollo(document_id))) == MISMATCH

    def test_apollos_clients_read_that_a_hash_is_not_known(self, gateway: Gateway) -> None:
        expected = ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")

        assert refusal(post(gateway, extensions=apollo(sha256(UNLISTED)))) == (404, *expected)
        assert refusal(post(gateway, JSON, extensions=apollo(sha256(UNLISTED)))) == (200, *expected)


class TestOff:
    @pytest.mark.parametrize("body", [{"documentId": sha256(KIND)}, {"documentId": sha256(KIND), "query": KIND}])
    def test_a_document_id_is_refused(self, gateway: Gateway, body: dict[str, str]) -> None:
        assert refusal(post(gateway, **body)) == NOT_SUPPORTED
        assert refusal(get(gateway, **body)) == NOT_SUPPORTED

    def test_files_are_not_read(self, start_gateway: Start, tmp_path: Path) -> None:
        gateway = start_gateway(trusted_documents_files=(tmp_path / "missing.json",))

        assert post(gateway, query=KIND).json() == DATA


class TestManifests:
    @pytest.mark.parametrize(
        "content",
        [
            apollo_manifest(operation(KIND)),
            apollo_manifest(operation(KIND, clientName=None)),
            apollo_manifest(operation(KIND, id="1", clientName="web")),
            {"1": KIND},
        ],
    )
    def test_both_formats_are_told_apart(self, tmp_path: Path, content: dict[str, Any]) -> None:
        manifest = read_manifest([write(tmp_path, content)])

        assert [listed.text for listed in manifest.documents] == [KIND]
        assert manifest.find(sha256(KIND)) == KIND

    def test_two_files_may_say_the_same(self, tmp_path: Path) -> None:
        paths = [write(tmp_path, {"1": KIND, "2": KIND}), write(tmp_path, {"1": KIND, "3": OTHER}, "more.json")]

        assert [read_manifest(paths).find(name) for name in ("1", "2", "3", "4")] == [KIND, KIND, OTHER, None]

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ("", ": is not JSON in UTF-8: EOF while parsing a value at line 1 column 0."),
            ('{"a": "{ b }", "a": "{ c }"}', ': is not JSON in UTF-8: Detected duplicate key "a" at line 1 column 20.'),
            ([KIND], ": is neither Apollo's manifest nor a map from ids to documents."),
            ({}, ": holds no document."),
            (apollo_manifest(), ": holds no document."),
            ({"1": {"text": KIND}}, ', "1": is not the text of a document.'),
            ({"1": " "}, ', "1": is blank.'),
            ({"": KIND}, ', "": is blank.'),
            ({"format": "relay"}, ": Invalid enum value 'relay' - at $.format."),
            (apollo_manifest(version=2), ": Invalid enum value 2 - at $.version."),
            ({"operations": []}, ": Object missing required field format."),
            (apollo_manifest(more=1), ": Object contains unknown field more."),
            (
                apollo_manifest(operation(KIND), {**operation(OTHER), "body": 1}),
                ", operations[1]: Expected str, got int - at $.body.",
            ),
            (
                apollo_manifest({**operation(KIND), "type": "fragment"}),
                ", operations[0]: Invalid enum value 'fragment' - at $.type.",
            ),
            (
                apollo_manifest({**operation(KIND), "hash": "1"}),
                ", operations[0]: Object contains unknown field hash.",
            ),
            (
                {f"sha256:{sha256(OTHER)}": KIND},
                f', "sha256:{sha256(OTHER)}": the id is not the SHA-256 of the document.',
            ),
            ({"sha256:1": KIND}, ', "sha256:1": the id is not the SHA-256 of the document.'),
        ],
        ids=lambda value: str(value)[:50],
    )
    def test_a_wrong_file_is_named_with_the_place(self, tmp_path: Path, content: Any, problem: str) -> None:
        path = write(tmp_path, content)

        with pytest.raises(WrongManifest) as wrong:
            read_manifest([path])

        assert wrong.value.problems == (f"{path}{problem}",)
        assert str(wrong.value) == f"{path}{problem}"

    def test_a_file_that_is_missing_or_no_text_is_named_too(self, tmp_path: Path) -> None:
        (tmp_path / "latin.json").write_bytes(b'{"1": "\xe9"}')
        paths = [tmp_path / "missing.json", tmp_path, tmp_path / "latin.json"]

        with pytest.raises(WrongManifest) as wrong:
            read_manifest(paths)

        assert wrong.value.problems == (
            f"{paths[0]}: cannot be read (No such file or directory).",
            f"{paths[1]}: cannot be read (Is a directory).",
            f"{paths[2]}: is not JSON in UTF-8: invalid unicode code point at line 1 column 8.",
        )
        assert str(wrong.value) == (f"{wrong.value.problems[0]} (2 more; `gateway documents --check` lists them all.)")

    @pytest.mark.parametrize("first", ["1", sha256(OTHER)], ids=["the same id", "the hash of the other"])
    def test_one_id_for_two_documents_is_refused(self, tmp_path: Path, first: str) -> None:
        second = "1" if first == "1" else "2"
        paths = [write(tmp_path, {first: KIND}), write(tmp_path, {second: OTHER}, "more.json")]
        named, other = f'{paths[0]}, "{first}"', f'{paths[1]}, "{second}"'
        where, elsewhere = (other, named) if first == "1" else (named, other)

        with pytest.raises(WrongManifest) as wrong:
            read_manifest(paths)

        assert wrong.value.problems == (f"{where}: the id stands for another document in {elsewhere}.",)

    def test_an_empty_manifest_knows_nothing(self) -> None:
        manifest = Manifest(())

        assert (manifest.find(""), manifest.find(sha256("")), manifest.holds("")) == (None, None, False)


WRONG = {
    "field": ("query Q { zzz }", " (query Q)", "Cannot query field 'zzz' on type 'Query'. (line 1, column 11)"),
    "syntax": ("query Q {", "", "Syntax Error: Expected Name, found <EOF>. (line 1, column 10)"),
    "depth": (
        f"query Q {{ node(id: 1) {{ ... on Contact {{ {'records { contact { ' * 7}id{' }' * 17}",
        " (query Q)",
        "The operation nests 16 fields deep; at most 12 are allowed. (line 1, column 1)",
    ),
    "tokens": (
        f"query Q {{ {'__typename ' * 5_000} }}",
        "",
        "The document has more than 5000 tokens.",
    ),
    "fragments": (
        (
            f"query Q {{ ...F0 }} {' '.join(f'fragment F{n} on Query {{ ...F{n + 1} }}' for n in range(600))}"
            " fragment F600 on Query { __typename }"
        ),
        " (query Q)",
        "The document defines 601 fragments; at most 100 are allowed.",
    ),
    "no operation": ("fragment F on Contact { id }", "", "The document has no operation."),
}


class TestCheckAtTheStart:
    def settings(self, files: tuple[Path, ...], trust: Any = "require") -> GatewaySettings:
        return read_gateway_settings(trusted_documents=trust, trusted_documents_files=files)

    @pytest.mark.parametrize("case", WRONG)
    def test_a_document_that_would_be_refused_ends_the_start(self, tmp_path: Path, case: str) -> None:
        text, named, problem = WRONG[case]
        path = write(tmp_path, {"good": KIND, "bad": text})
        settings = self.settings((path,))

        with pytest.raises(WrongManifest) as wrong:
            known_documents(settings, document_check(build_schema(), execution_rules(settings)))

        assert wrong.value.problems == (f'{path}, "bad"{named}: {problem}',)

    def test_while_it_is_tried_out_that_is_a_warning(self, tmp_path: Path) -> None:
        path = write(tmp_path, {"good": KIND, "bad": WRONG["no operation"][0]})
        settings = self.settings((path,), "log")

        with capture_logs() as logged:
            known = known_documents(settings, document_check(build_schema(), execution_rules(settings)))

        problem = f'{path}, "bad": The document has no operation.'
        assert logged == [{"event": "document_would_be_refused", "problem": problem, "log_level": "warning"}]
        assert callable(known)

    @pytest.mark.parametrize("trust", ["log", "require"])
    def test_a_wrong_file_ends_the_start_in_either_case(self, tmp_path: Path, trust: str) -> None:
        settings = self.settings((tmp_path / "missing.json",), trust)

        with pytest.raises(WrongManifest, match=r"missing\.json: cannot be read"):
            known_documents(settings, lambda _: CheckedDocument())

    def test_what_apollos_manifest_says_of_a_document_has_to_be_true(self, tmp_path: Path) -> None:
        content = apollo_manifest(operation(KIND), operation(OTHER, type="mutation"))
        path = write(tmp_path, content)
        settings = self.settings((path,))

        with pytest.raises(WrongManifest) as wrong:
            known_documents(settings, document_check(build_schema(), execution_rules(settings)))

        place = f'{path}, operations[1] "{sha256(OTHER)}" (query Other)'
        assert wrong.value.problems == (f"{place}: The document has no mutation Other.",)


def refusal_code(reply: httpx.Response) -> str:
    (error,) = reply.json()["errors"]
    code: str = error["extensions"]["code"]
    return code
