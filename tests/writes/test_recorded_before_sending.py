"""Operations are recorded: before the first byte goes to a provider, and each result as it comes in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from gateway.store.operations import OperationStore
from tests.failures.outcomes import LINK, REMOTE_IDS, contact_id, record_id
from tests.writes.rig import (
    CREATE,
    DELETE,
    EMAIL,
    PERSON,
    PROVIDERS,
    SETTLING_MS,
    UPDATE,
    Bench,
    HeldAnswers,
    ManualClock,
    Store,
    each,
    holders,
    ids_told,
    in_background,
    keyed,
    refuse,
    sent,
    simulator_of,
    told,
    until,
    writes_sent,
)

UNAVAILABLE = {"code": "STORE_UNAVAILABLE", "retryable": True, "retryAfterMs": 1000}


@pytest.fixture
def seen(sandbox: Sandbox, store: Store, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the store held whenever a provider was written to: provider, operations, targets."""
    found: list[Any] = []
    for name in PROVIDERS:
        simulator = simulator_of(sandbox, name)

        def answer(received: Any, name: str = name, original: Any = simulator.answer) -> Any:
            if received.method != "GET":
                found.append((name, store.operations(), store.targets()))
            return original(received)

        monkeypatch.setattr(simulator, "answer", answer)
    return found


def test_a_creation_is_recorded_before_any_provider_hears_of_it(
    bench: Bench, store: Store, clock: ManualClock, seen: list[Any]
) -> None:
    payload = bench.create(key="k-1")
    assert sorted(name for name, _, _ in seen) == sorted(PROVIDERS)
    for _, operations, targets in seen:
        (operation,) = operations
        owner, lease, intent, fingerprint = (
            operation.pop(name) for name in ("owner", "lease_until", "intent", "fingerprint")
        )
        assert operation == {
            "id": payload["operationId"],
            "caller": "anybody",
            "kind": "create",
            "idempotency_key": "k-1",
            "created_at": clock(),
            "finished": False,
            "look_at": None,
            "looks": 0,
        }
        assert owner
        assert lease >= clock() + 30_000, "longer than the deadline of a mutation"
        assert EMAIL in intent
        assert len(bytes.fromhex(fingerprint)) == 32
        assert [(one["position"], one["provider"], bool(one["creates"])) for one in targets] == [
            (0, "gately", True),
            (1, "klen", True),
            (2, "cometly", True),
        ]
        assert {one["sent_at"] for one in targets} == {clock()}
        assert {one["unknown_since"] for one in targets} == {None}
    # Whoever was asked first found nobody's answer.
    assert {(one["outcome"], one["action"], one["remote_id"], one["failure"]) for one in seen[0][2]} == {
        ("UNKNOWN", None, None, None)
    }
    (after,) = store.operations()
    assert (after["finished"], after["owner"], after["lease_until"], after["look_at"]) == (True, None, None, None)
    assert {name: [key] for name, (_, key) in store.outcomes().items()} == ids_told(payload)
    assert {(one["outcome"], one["action"], one["failure"]) for one in store.targets()} == {
        ("APPLIED", "CREATED", None)
    }


@pytest.mark.parametrize(
    ("document", "kind", "change"),
    [(UPDATE, "update", {"company": "Aalto Oy"}), (DELETE, "delete", {})],
    ids=["update", "delete"],
)
def test_a_change_is_recorded_with_the_record_that_it_is_aimed_at(
    document: str, kind: str, change: dict[str, Any], bench: Bench, store: Store, seen: list[Any]
) -> None:
    bench.gateway.data(document, input={**change, "id": contact_id("GATELY")})
    ((name, (operation,), (target,)),) = seen
    assert (name, operation["kind"], operation["idempotency_key"]) == ("GATELY", kind, None)
    assert (operation["finished"], operation["owner"] is None) == (False, False)
    assert (target["provider"], target["remote_id"]) == ("gately", REMOTE_IDS["GATELY"])
    assert (bool(target["creates"]), target["outcome"], target["action"]) == (False, "UNKNOWN", None)
    assert store.outcomes() == {"GATELY": ("APPLIED", REMOTE_IDS["GATELY"])}


def test_each_result_is_written_as_it_comes_in(
    bench: Bench, store: Store, sandbox: Sandbox, hold: Callable[..., HeldAnswers]
) -> None:
    held = hold("KLEN")
    with in_background(bench.create) as pending:
        until(lambda: sum(one["outcome"] == "APPLIED" for one in store.targets()) == 2)
        there = {name: ids[0] for name, ids in holders(sandbox).items()}
        assert store.outcomes() == {
            "GATELY": ("APPLIED", there["GATELY"]),
            "KLEN": ("UNKNOWN", None),
            "COMETLY": ("APPLIED", there["COMETLY"]),
        }
        assert [(one["finished"], one["owner"] is None) for one in store.operations()] == [(False, False)]
        held.let_go()
        payload = pending.result()
    assert payload["status"] == "SUCCEEDED"
    assert store.outcomes() == {name: ("APPLIED", there[name]) for name in PROVIDERS}


def test_what_needs_no_call_is_an_answer_from_the_start(
    bench: Bench, store: Store, seen: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded with the operation itself: here no answer is noted later, as if the process had been killed."""

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(OperationStore, "note", nothing)
    bench.gateway.data(LINK, ids=[record_id(name) for name in PROVIDERS])
    bench.delete(id=contact_id("GATELY"))
    ((name, _, targets),) = seen
    assert (name, {one["provider"]: one["outcome"] for one in targets}) == (
        "GATELY",
        {"gately": "UNKNOWN", "klen": "NOT_APPLIED", "cometly": "NOT_APPLIED"},
    )


@pytest.mark.parametrize(
    "wrong",
    [{"emails": [{"address": "no address"}]}, {"name": " "}, {"providers": []}],
    ids=["a malformed address", "a blank name", "no provider"],
)
def test_nothing_is_stored_when_validation_refuses(
    wrong: dict[str, Any], bench: Bench, store: Store, sandbox: Sandbox
) -> None:
    refusal = bench.refused(CREATE, input=keyed("k-1", **{**PERSON, **wrong}))
    assert refusal["code"] == "INVALID_INPUT"
    assert (store.operations(), store.targets(), sent(sandbox)) == ([], [], {})
    assert bench.create(key="k-1")["status"] == "SUCCEEDED", "the key was never used"


def test_a_write_that_everybody_refuses_names_its_operation(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    for provider in PROVIDERS:
        refuse(sandbox, provider)
    refusal = bench.refused(CREATE, input=PERSON)
    (operation,) = store.operations()
    assert (refusal["operationId"], refusal["code"]) == (operation["id"], "RATE_LIMITED")
    assert (operation["finished"], operation["owner"], operation["look_at"]) == (True, None, None)
    assert store.outcomes() == dict.fromkeys(PROVIDERS, ("NOT_APPLIED", None))


@pytest.mark.parametrize("table", ["operations", "operation_targets"])
@pytest.mark.parametrize("key", ["k-1", None])
def test_a_database_that_cannot_record_sends_nothing(
    key: str | None, table: str, bench: Bench, store: Store, sandbox: Sandbox
) -> None:
    with store.without(table):
        assert bench.refused(CREATE, input=keyed(key, **PERSON)) == UNAVAILABLE
    assert (store.operations(), store.targets(), sent(sandbox)) == ([], [], {})
    assert bench.create(key=key)["status"] == "SUCCEEDED"


def test_a_database_that_missed_the_answer_learns_it_by_looking(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note of the answer failed, what came after it did not: an outage of a moment."""
    original, broken = sandbox.klen.answer, store.without("operation_targets")

    def answer(received: Any) -> Any:
        if received.method == "POST":
            broken.__enter__()
        return original(received)

    monkeypatch.setattr(sandbox.klen, "answer", answer)
    payload = bench.create(key="k-1", providers=["KLEN"])
    broken.__exit__(None, None, None)
    assert (payload["status"], told(payload)) == ("SUCCEEDED", [("KLEN", "APPLIED", "CREATED")])
    assert store.outcomes() == {"KLEN": ("UNKNOWN", None)}
    clock.advance(2 * SETTLING_MS)
    bench.round()
    again = bench.create(key="k-1", providers=["KLEN"])
    assert (again["status"], again["contact"]) == ("SUCCEEDED", payload["contact"])
    assert holders(sandbox) == ids_told(payload)


def test_the_id_of_an_operation_belongs_to_it_alone(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    ids = [bench.create(emails=[{"address": f"{word}@aalto.test"}])["operationId"] for word in ("a", "b")]
    assert len(set(ids)) == 2
    assert sorted(one["id"] for one in store.operations()) == sorted(ids)
    assert writes_sent(sandbox) == each("create", "create")


def test_without_a_key_the_same_input_is_another_write(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    first, second = bench.create(providers=["KLEN"]), bench.create(providers=["KLEN"])
    assert told(first) == told(second) == [("KLEN", "APPLIED", "CREATED")]
    assert holders(sandbox) == {"KLEN": [*ids_told(first)["KLEN"], *ids_told(second)["KLEN"]]}
    assert len(store.operations()) == 2
    assert store.links() == {}
    assert first["contact"]["id"] != second["contact"]["id"]
