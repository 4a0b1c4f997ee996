"""Normalised caches through a write that is PARTIAL at first; the selections use fragments on all interfaces."""

import json
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.clients.conftest import NODE, Start, ended

ADDRESS = "flaky.gately@fault.test"


def walk(start: Start, client: str) -> dict[str, Any]:
    """What tests/clients/caches.mjs saw."""
    status, printed = ended(start(NODE, "caches.mjs", client, ADDRESS))
    assert status == 0, printed
    seen: dict[str, Any] = json.loads(printed[-1])
    return seen


def bare(value: Any) -> Any:
    """Without the names of types, which Apollo leaves in."""
    if isinstance(value, dict):
        return {name: bare(inner) for name, inner in value.items() if name != "__typename"}
    return [bare(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("client", ["apollo", "graphcache"])
def test_a_cache_keeps_each_answer_whole(start: Start, sandbox: Sandbox, client: str) -> None:
    seen = bare(walk(start, client))

    first, second = seen["first"], seen["second"]
    assert (first["status"], second["status"]) == ("PARTIAL", "SUCCEEDED")
    assert first["results"] == [
        {"provider": "GATELY", "outcome": "NOT_APPLIED", "error": {"code": "PROVIDER_UNAVAILABLE"}},
        {"provider": "KLEN", "outcome": "APPLIED"},
        {"provider": "COMETLY", "outcome": "APPLIED"},
    ]
    assert second["results"] == [
        {"provider": provider, "outcome": "APPLIED"} for provider in ("GATELY", "KLEN", "COMETLY")
    ]
    assert cached(first["contact"]) == seen["kept"]
    assert [record["provider"] for record in seen["kept"]["records"]] == ["KLEN", "COMETLY"]
    assert seen["complaints"] == []


@pytest.mark.parametrize("client", ["apollo", "graphcache"])
def test_a_contact_that_was_named_anew_is_found_by_its_old_id(start: Start, sandbox: Sandbox, client: str) -> None:
    seen = bare(walk(start, client))

    assert seen["second"]["contact"]["id"] != seen["first"]["contact"]["id"]
    assert seen["byOldId"] == cached(seen["second"]["contact"])


def test_apollo_loses_fragments_on_interfaces_without_possible_types(start: Start, sandbox: Sandbox) -> None:
    first = walk(start, "apollo without possibleTypes")["first"]

    assert "id" not in first["contact"]
    assert [set(result) for result in first["results"]] == [
        {"__typename", "error"},
        {"__typename"},
        {"__typename"},
    ]


def cached(contact: dict[str, Any]) -> dict[str, Any]:
    """A contact of an answer, as far as it is read from the cache."""
    records = [{name: record[name] for name in ("id", "provider", "name")} for record in contact["records"]]
    return {"id": contact["id"], "name": contact["name"], "emails": contact["emails"], "records": records}
