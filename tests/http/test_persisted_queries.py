"""Automatic persisted queries: Apollo's exact answers, and what is kept for how long."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.http.persisted_queries import PersistedQueries
from tests.conftest import Gateway

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
KIND = "query Kind { __typename }"
DATA = {"data": {"__typename": "Query"}}
UNLINK = 'mutation { unlinkRecord(input: {recordId: "a"}) { query { __typename } } }'
NOT_FOUND = {
    "errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}],
}
NOT_SUPPORTED = {
    "errors": [{"message": "PersistedQueryNotSupported", "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}}],
}


@pytest.fixture(autouse=True)
def costs_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole answers are compared here."""
    monkeypatch.setenv("GATEWAY_TELL_COST", "off")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def extension(text_hash: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": text_hash}}


def by_hash(gateway: Gateway, text: str, accept: str = JSON) -> httpx.Response:
    return gateway.request("POST", "/graphql", json={"extensions": extension(sha256(text))}, headers={"Accept": accept})


def by_get(gateway: Gateway, text: str, accept: str = JSON, **more: str) -> httpx.Response:
    parameters = {"extensions": json.dumps(extension(sha256(text))), **more}
    return gateway.request("GET", "/graphql", params=parameters, headers={"Accept": accept})


def register(gateway: Gateway, text: str, **more: Any) -> httpx.Response:
    return gateway.request("POST", "/graphql", json={"query": text, "extensions": extension(sha256(text)), **more})


@pytest.fixture
def gateway(start_gateway: Callable[..., Gateway]) -> Gateway:
    return start_gateway(automatic_persisted_queries="on")


@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL_JSON, 404)])
@pytest.mark.parametrize("send", [by_hash, by_get])
def test_a_hash_that_is_not_known_is_said_in_apollos_words(
    gateway: Gateway, send: Callable[..., httpx.Response], accept: str, status: int
) -> None:
    reply = send(gateway, KIND, accept)

    assert (reply.status_code, reply.json()) == (status, NOT_FOUND)
    assert reply.headers["cache-control"] == "private, no-cache, must-revalidate"


def test_a_text_that_came_with_its_hash_is_found_by_it(gateway: Gateway) -> None:
    assert register(gateway, KIND).json() == DATA

    assert by_hash(gateway, KIND).json() == DATA
    assert by_get(gateway, KIND).json() == DATA
    assert register(gateway, KIND).json() == DATA


def test_one_can_be_made_known_by_get(gateway: Gateway) -> None:
    assert by_get(gateway, KIND, query=KIND).json() == DATA

    assert by_hash(gateway, KIND).json() == DATA


@pytest.mark.parametrize("wrong", [sha256("other"), sha256(KIND).upper(), "kind", f"sha256:{sha256('other')}"])
def test_a_text_under_a_hash_that_is_not_its_own_is_refused_and_not_kept(gateway: Gateway, wrong: str) -> None:
    body = {"query": KIND, "extensions": extension(wrong)}
    reply = gateway.request("POST", "/graphql", json=body, headers={"Accept": GRAPHQL_JSON})

    (error,) = reply.json()["errors"]
    assert (reply.status_code, error["extensions"]["code"]) == (400, "DOCUMENT_ID_MISMATCH")
    assert by_hash(gateway, KIND).json() == NOT_FOUND


@pytest.mark.parametrize("text", ["{", "{ nothing }", "query Q($a: Int!) { contacts(first: $a) { nodes { id } } }"])
def test_a_text_that_does_not_run_is_not_kept(gateway: Gateway, text: str) -> None:
    assert "data" not in register(gateway, text).json()

    assert by_hash(gateway, text).json() == NOT_FOUND


def test_a_mutation_that_came_by_get_is_not_kept(gateway: Gateway) -> None:
    assert by_get(gateway, UNLINK, query=UNLINK).status_code == 405

    assert by_hash(gateway, UNLINK).json() == NOT_FOUND


def test_a_text_that_came_without_its_hash_is_not_kept(gateway: Gateway) -> None:
    assert gateway.request("POST", "/graphql", json={"query": KIND}).json() == DATA

    assert by_hash(gateway, KIND).json() == NOT_FOUND


class TestOff:
    @pytest.fixture
    def gateway(self, start_gateway: Callable[..., Gateway]) -> Gateway:
        return start_gateway()

    @pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL_JSON, 400)])
    @pytest.mark.parametrize("send", [by_hash, by_get])
    def test_that_is_said_in_apollos_words(
        self, gateway: Gateway, send: Callable[..., httpx.Response], accept: str, status: int
    ) -> None:
        reply = send(gateway, KIND, accept)

        assert (reply.status_code, reply.json()) == (status, NOT_SUPPORTED)

    def test_a_text_with_its_hash_runs_and_is_not_kept(self, gateway: Gateway) -> None:
        assert register(gateway, KIND).json() == DATA

        assert by_hash(gateway, KIND).json() == NOT_SUPPORTED


class TestRoom:
    def test_what_was_asked_for_the_longest_ago_goes_first(self) -> None:
        kept = PersistedQueries(max_documents=2)
        kept.keep("a")
        kept.keep("b")
        assert kept.find(sha256("a")) == "a"

        kept.keep("c")

        assert [kept.find(sha256(text)) for text in "abc"] == ["a", None, "c"]

    def test_it_is_counted_in_bytes_too(self) -> None:
        kept = PersistedQueries(max_bytes=8)
        for text in ("aaaa", "aaaa", "éé", "bbbb"):
            kept.keep(text)

        assert [kept.find(sha256(text)) for text in ("aaaa", "éé", "bbbb")] == [None, "éé", "bbbb"]

    def test_a_text_that_is_larger_than_all_of_it_drives_nothing_out(self) -> None:
        kept = PersistedQueries(max_bytes=8)
        kept.keep("aaaa")

        kept.keep("b" * 9)

        assert [kept.find(sha256(text)) for text in ("aaaa", "b" * 9)] == ["aaaa", None]


class TestBesideAManifest:
    def test_both_are_found_and_what_no_manifest_lists_is_logged(
        self, start_gateway: Callable[..., Gateway], tmp_path: Any
    ) -> None:
        listed = tmp_path / "documents.json"
        listed.write_text(json.dumps({"1": "{ listed: __typename }"}))
        gateway = start_gateway(
            trusted_documents="log", trusted_documents_files=(listed,), automatic_persisted_queries="on"
        )

        assert by_hash(gateway, "{ listed: __typename }").json() == {"data": {"listed": "Query"}}
        assert by_hash(gateway, KIND).json() == NOT_FOUND
        assert register(gateway, KIND).json() == DATA
        assert by_hash(gateway, KIND).json() == DATA
