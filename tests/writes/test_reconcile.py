"""reconcileWrite: what became of a write is found out by looking, and nothing is ever sent."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.failures.outcomes import REMOTE_IDS, assert_fit_for_people, contact_id
from tests.writes.rig import (
    PROVIDERS,
    RECONCILE,
    RETRY,
    SETTLING_MS,
    Bench,
    ManualClock,
    Store,
    each,
    fail,
    forget_requests,
    holders,
    ids_told,
    one_contact,
    records_of,
    result_at,
    sent,
    told,
    writes_sent,
)

providers = pytest.mark.parametrize("provider", PROVIDERS)

APPLIED: dict[str, dict[str, Any]] = {
    "drop_after": {"kind": "drop_after"},
    "500 applied": {"kind": "status", "status": 500, "applied": True},
    "html": {"kind": "html"},
    "cut_json": {"kind": "cut_json"},
    "no_id": {"kind": "no_id"},
}
NOT_APPLIED: dict[str, dict[str, Any]] = {
    "drop_before": {"kind": "drop_before"},
    "500": {"kind": "status", "status": 500},
}
CODES = {"drop_before": "PROVIDER_TIMEOUT", "500": "PROVIDER_ERROR"}
CONTACT = "query ($id: ID!) { contact(id: $id) { id } }"


def _address(name: str) -> str:
    return name.replace(" ", "-").replace("_", "-") + "@aalto.test"


def _create(bench: Bench, name: str) -> dict[str, Any]:
    return bench.create(emails=[{"address": _address(name)}])


@providers
def test_what_was_applied_is_found_and_linked(provider: str, bench: Bench, store: Store, sandbox: Sandbox) -> None:
    for name, fault in APPLIED.items():
        fail(sandbox, provider, **fault)
        first = _create(bench, name)
        assert (name, first["status"], result_at(first, provider)["outcome"]) == (name, "PARTIAL", "UNKNOWN")
        forget_requests(sandbox)
        found = bench.reconcile(first["operationId"])
        assert (found["status"], found["operationId"]) == ("SUCCEEDED", first["operationId"])
        assert told(found) == [(one, "APPLIED", "CREATED" if one == provider else "REPLAYED") for one in PROVIDERS]
        assert (set(sent(sandbox)), writes_sent(sandbox)) == ({provider}, {})
        there = holders(sandbox, _address(name))
        assert {one: len(ids) for one, ids in there.items()} == dict.fromkeys(PROVIDERS, 1)
        assert ids_told(found) == records_of(found) == there
        assert {one: [key] for one, (_, key) in store.outcomes(first["operationId"]).items()} == there
        links = store.links()
        assert {key: links[key] for key in one_contact(there)} == one_contact(there)
        # The id that was told before leads to the same contact, also where the anchor was found last.
        assert bench.gateway.data(CONTACT, id=first["contact"]["id"])["contact"] == {"id": found["contact"]["id"]}
        if provider != "GATELY":
            assert found["contact"]["id"] == first["contact"]["id"]
    assert len(store.links()) == 3 * len(APPLIED)


@providers
def test_what_was_not_applied_is_unknown_until_the_provider_has_had_its_time(
    provider: str, bench: Bench, sandbox: Sandbox, clock: ManualClock
) -> None:
    lost = {}
    for name, fault in NOT_APPLIED.items():
        fail(sandbox, provider, **fault)
        lost[name] = _create(bench, name)["operationId"]
    forget_requests(sandbox)
    clock.advance(SETTLING_MS - 1)
    for name, operation_id in lost.items():
        early = bench.reconcile(operation_id)
        error = result_at(early, provider)["error"]
        assert_fit_for_people(error.pop("message"))
        assert (early["status"], result_at(early, provider)["outcome"]) == ("PARTIAL", "UNKNOWN")
        assert error == {"code": CODES[name], "retryable": False, "retryAfterMs": 1}
    assert writes_sent(sandbox) == {}


@providers
def test_what_is_not_there_after_the_settling_time_was_not_done(
    provider: str, bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    lost = {}
    for name, fault in NOT_APPLIED.items():
        fail(sandbox, provider, **fault)
        lost[name] = _create(bench, name)
    forget_requests(sandbox)
    clock.advance(SETTLING_MS)
    for name, first in lost.items():
        late = bench.reconcile(first["operationId"])
        result = result_at(late, provider)
        assert_fit_for_people(result["error"].pop("message"))
        assert (late["status"], result["outcome"]) == ("PARTIAL", "NOT_APPLIED")
        assert result["error"] == {"code": CODES[name], "retryable": True, "retryAfterMs": None}
        assert late["contact"] == first["contact"]
        assert store.outcomes(first["operationId"])[provider] == ("NOT_APPLIED", None)
    assert writes_sent(sandbox) == {}


def test_that_nobody_did_it_is_an_answer_and_no_error(bench: Bench, sandbox: Sandbox, clock: ManualClock) -> None:
    for provider in PROVIDERS:
        fail(sandbox, provider, "drop_before")
    first = bench.create()
    assert (first["status"], first["contact"]) == ("UNKNOWN", None)
    clock.advance(SETTLING_MS)
    late = bench.reconcile(first["operationId"])
    assert (late["status"], late["contact"]) == ("FAILED", None)
    assert told(late) == [(name, "NOT_APPLIED", "PROVIDER_TIMEOUT") for name in PROVIDERS]
    assert writes_sent(sandbox) == each("create")
    forget_requests(sandbox)
    assert bench.reconcile(first["operationId"]) == late, "nothing is unknown any more, so nobody is asked"
    assert sent(sandbox) == {}


def test_looking_early_does_not_make_the_settling_time_longer(
    bench: Bench, sandbox: Sandbox, clock: ManualClock
) -> None:
    fail(sandbox, "KLEN", "drop_before")
    first = bench.create()
    clock.advance(SETTLING_MS // 2)
    early = result_at(bench.reconcile(first["operationId"]), "KLEN")
    assert (early["outcome"], early["error"]["retryAfterMs"]) == ("UNKNOWN", SETTLING_MS // 2)
    clock.advance(early["error"]["retryAfterMs"])
    assert result_at(bench.reconcile(first["operationId"]), "KLEN")["outcome"] == "NOT_APPLIED"


CHANGES: dict[str, dict[str, Any]] = {
    "GATELY": {"company": "Aalto Oy"},
    "KLEN": {"company": "Aalto Oy"},
    "COMETLY": {"emails": [{"address": "ines@aalto.test"}]},
}


@providers
@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_a_lost_update_is_looked_for(
    kind: Any, provider: str, bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    fail(sandbox, provider, kind, "update")
    first = bench.update(id=contact_id(provider), **CHANGES[provider])
    assert (first["status"], [one["outcome"] for one in first["results"]]) == ("UNKNOWN", ["UNKNOWN"])
    forget_requests(sandbox)
    early = bench.reconcile(first["operationId"])
    clock.advance(2 * SETTLING_MS)
    late = bench.reconcile(first["operationId"])
    if kind == "drop_after":
        assert told(early) == [(provider, "APPLIED", "UPDATED")]
        assert told(late) == [(provider, "APPLIED", "REPLAYED")]
    else:
        assert told(early) == [(provider, "UNKNOWN", "PROVIDER_TIMEOUT")]
        assert told(late) == [(provider, "NOT_APPLIED", "PROVIDER_TIMEOUT")]
    assert (early["contact"]["id"], late["contact"]["id"]) == (contact_id(provider), contact_id(provider))
    assert set(sent(sandbox)[provider]) == {"read"}
    assert store.outcomes()[provider][1] == REMOTE_IDS[provider]


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_a_lost_deletion_is_looked_for(
    kind: Any, bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    fail(sandbox, "GATELY", kind, "delete")
    first = bench.delete(id=contact_id("GATELY"))
    forget_requests(sandbox)
    clock.advance(SETTLING_MS)
    late = bench.reconcile(first["operationId"])
    if kind == "drop_after":
        assert (told(late), late["contact"]) == ([("GATELY", "APPLIED", "DELETED")], None)
    else:
        assert told(late) == [("GATELY", "NOT_APPLIED", "PROVIDER_TIMEOUT")]
        assert late["contact"]["id"] == contact_id("GATELY")
    assert sent(sandbox) == {"GATELY": ["read"]}
    assert (REMOTE_IDS["GATELY"] in sandbox.gately.contacts) == (kind == "drop_before")


@pytest.mark.parametrize("document", [RECONCILE, RETRY], ids=["reconcileWrite", "retryWrite"])
def test_an_unknown_operation_is_a_wrong_input(document: str, bench: Bench, sandbox: Sandbox) -> None:
    for word in ("", " ", "k-1", "00000000-0000-4000-8000-000000000000", contact_id("GATELY"), "x" * 5000, "\0"):
        refusal = bench.refused(document, id=word)
        (field,) = refusal.pop("fields")
        assert_fit_for_people(field.pop("message"))
        assert refusal == {"code": "INVALID_INPUT"}
        assert field == {"path": ["input", "operationId"], "code": "UNKNOWN_OPERATION", "provider": None}
    assert sent(sandbox) == {}
