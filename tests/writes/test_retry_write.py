"""retryWrite: sends again what was surely not done, and only that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.sandbox.sandbox import Sandbox
from tests.failures.outcomes import REMOTE_IDS, contact_id, linked
from tests.writes.rig import (
    CREATE,
    PERSON,
    PROVIDERS,
    RECONCILE,
    RETRY,
    SETTLING_MS,
    Bench,
    HeldAnswers,
    ManualClock,
    Store,
    each,
    fail,
    forget_requests,
    holders,
    ids_told,
    in_background,
    one_contact,
    records_of,
    refuse,
    sent,
    simulator_of,
    told,
    until,
    writes_sent,
)

IN_PROGRESS = {"code": "IDEMPOTENCY_IN_PROGRESS", "retryable": True, "retryAfterMs": 1000}


def test_only_what_was_surely_not_done_is_sent_again(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    refuse(sandbox, "KLEN")
    fail(sandbox, "COMETLY", "drop_after")
    first = bench.create()
    assert told(first) == [
        ("GATELY", "APPLIED", "CREATED"),
        ("KLEN", "NOT_APPLIED", "RATE_LIMITED"),
        ("COMETLY", "UNKNOWN", "PROVIDER_TIMEOUT"),
    ]
    forget_requests(sandbox)
    clock.advance(2 * SETTLING_MS)
    second = bench.retry(first["operationId"])
    assert (second["status"], second["operationId"]) == ("PARTIAL", first["operationId"])
    assert told(second) == [
        ("GATELY", "APPLIED", "REPLAYED"),
        ("KLEN", "APPLIED", "CREATED"),
        ("COMETLY", "UNKNOWN", "PROVIDER_TIMEOUT"),
    ]
    assert sent(sandbox) == {"KLEN": ["create"]}, "what is unknown is neither sent nor looked for"
    there = holders(sandbox)
    known = {name: there[name] for name in ("GATELY", "KLEN")}
    assert records_of(second) == known
    assert store.links() == one_contact(known)
    assert second["contact"]["id"] == first["contact"]["id"]
    third = bench.reconcile(first["operationId"])
    assert (third["status"], records_of(third), third["contact"]["id"]) == ("SUCCEEDED", there, first["contact"]["id"])


def test_with_nothing_left_to_do_it_only_tells(bench: Bench, sandbox: Sandbox) -> None:
    first = bench.create()
    forget_requests(sandbox)
    again = bench.retry(first["operationId"])
    assert again == {**first, "results": [{**one, "action": "REPLAYED"} for one in first["results"]]}
    assert sent(sandbox) == {}


def test_a_write_that_failed_everywhere_is_sent_again_by_the_id_in_its_error(
    bench: Bench, store: Store, sandbox: Sandbox
) -> None:
    for provider in PROVIDERS:
        refuse(sandbox, provider)
    operation_id = bench.refused(CREATE, input=PERSON)["operationId"]
    again = bench.retry(operation_id)
    assert (again["operationId"], told(again)) == (operation_id, [(name, "APPLIED", "CREATED") for name in PROVIDERS])
    assert ids_told(again) == records_of(again) == holders(sandbox)
    assert store.links() == one_contact(holders(sandbox))


def test_one_that_fails_again_is_the_same_error_again(bench: Bench, sandbox: Sandbox) -> None:
    refuse(sandbox, "KLEN", count=2)
    first = bench.refused(CREATE, input={**PERSON, "providers": ["KLEN"]})
    assert bench.refused(RETRY, id=first["operationId"]) == first
    assert bench.retry(first["operationId"])["status"] == "SUCCEEDED"
    assert writes_sent(sandbox) == {"KLEN": ["create"] * 3}


def test_what_was_looked_for_in_vain_can_be_sent_again(bench: Bench, sandbox: Sandbox, clock: ManualClock) -> None:
    fail(sandbox, "KLEN", "drop_before")
    operation_id = bench.create()["operationId"]
    clock.advance(SETTLING_MS)
    bench.reconcile(operation_id)
    again = bench.retry(operation_id)
    assert (again["status"], records_of(again)) == ("SUCCEEDED", holders(sandbox))
    assert {name: len(ids) for name, ids in holders(sandbox).items()} == dict.fromkeys(PROVIDERS, 1)


def test_an_answer_that_is_lost_the_second_time_is_unknown_anew(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    refuse(sandbox, "KLEN")
    operation_id = bench.create()["operationId"]
    fail(sandbox, "KLEN", "drop_after")
    # Within what the clocks of gateway and provider may differ: the connectors keep their own.
    clock.advance(4_000)
    lost = bench.retry(operation_id)
    assert told(lost)[1] == ("KLEN", "UNKNOWN", "PROVIDER_TIMEOUT")
    found = bench.reconcile(operation_id)
    assert (found["status"], records_of(found)) == ("SUCCEEDED", holders(sandbox))
    assert writes_sent(sandbox)["KLEN"] == ["create", "create"]


def test_while_it_is_under_way_nobody_else_may(
    bench: Bench, sandbox: Sandbox, hold: Callable[..., HeldAnswers]
) -> None:
    refuse(sandbox, "KLEN")
    operation_id = bench.create()["operationId"]
    held = hold("KLEN")
    with in_background(lambda: bench.retry(operation_id)) as pending:
        until(held.arrived)
        assert bench.refused(RETRY, id=operation_id) == IN_PROGRESS
        assert bench.refused(RECONCILE, id=operation_id) == IN_PROGRESS
        held.let_go()
        assert pending.result()["status"] == "SUCCEEDED"
    assert writes_sent(sandbox)["KLEN"] == ["create", "create"]


def test_the_first_attempt_cannot_be_overtaken_either(
    bench: Bench, store: Store, sandbox: Sandbox, hold: Callable[..., HeldAnswers]
) -> None:
    held = hold("KLEN")
    with in_background(bench.create) as pending:
        until(held.arrived)
        (operation,) = store.operations()
        assert bench.refused(RETRY, id=operation["id"]) == IN_PROGRESS
        held.let_go()
        assert pending.result()["status"] == "SUCCEEDED"
    assert writes_sent(sandbox) == each("create")


def test_null_empty_and_left_out_are_sent_again_as_they_were(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    """What is sent the second time comes from the store."""
    everywhere = linked(bench.gateway)
    for provider in ("GATELY", "KLEN"):
        refuse(sandbox, provider, "update")
    change: dict[str, Any] = {
        "company": None,
        "notes": "Ä \u2028 😀",
        "tags": {"set": []},
        "phones": [{"number": "+358 40 000 0001", "type": "MOBILE"}],
        "customFields": {"merge": {"tier": "gold", "none": None, "deep": {"list": [1, 2.5, True]}}},
    }
    first = bench.gateway.send(
        "mutation ($input: UpdateContactInput!) { updateContact(input: $input) { operationId status } }",
        input={"id": everywhere, **change},
    )["data"]["updateContact"]
    second = bench.retry(first["operationId"])
    bodies = {
        name: [one.body for one in simulator_of(sandbox, name).requests if one.operation == "update"]
        for name in ("GATELY", "KLEN")
    }
    assert [len(sent_bodies) for sent_bodies in bodies.values()] == [2, 2]
    assert {name: sent_bodies[1] for name, sent_bodies in bodies.items()} == {
        name: sent_bodies[0] for name, sent_bodies in bodies.items()
    }
    assert told(second)[:2] == [("GATELY", "APPLIED", "UPDATED"), ("KLEN", "APPLIED", "UPDATED")]
    assert sandbox.gately.contacts[REMOTE_IDS["GATELY"]].company is None


def test_a_deletion_is_sent_again(bench: Bench, sandbox: Sandbox) -> None:
    refuse(sandbox, "GATELY", "delete")
    document = "mutation ($id: ID!) { deleteContact(input: {id: $id}) { operationId } }"
    operation_id = bench.refused(document, id=contact_id("GATELY"))["operationId"]
    again = bench.retry(operation_id)
    assert (told(again), again["contact"]) == ([("GATELY", "APPLIED", "DELETED")], None)
    assert writes_sent(sandbox) == {"GATELY": ["delete", "delete"]}
    assert REMOTE_IDS["GATELY"] not in sandbox.gately.contacts


def test_another_gateway_can_do_it(start: Callable[..., Bench], store: Store, sandbox: Sandbox) -> None:
    here, there = start(), start()
    refuse(sandbox, "KLEN")
    again = there.retry(here.create()["operationId"])
    assert (again["status"], records_of(again)) == ("SUCCEEDED", holders(sandbox))
    assert store.links() == one_contact(holders(sandbox))


def test_a_provider_that_is_not_configured_any_more_is_not_reached(
    start: Callable[..., Bench], sandbox: Sandbox
) -> None:
    refuse(sandbox, "KLEN")
    operation_id = start().create()["operationId"]
    forget_requests(sandbox)
    without = start(environment={"KLEN_API_KEY": None})
    payload = without.retry(operation_id)
    assert told(payload) == [
        ("GATELY", "APPLIED", "REPLAYED"),
        ("KLEN", "NOT_APPLIED", "UNSUPPORTED_OPERATION"),
        ("COMETLY", "APPLIED", "REPLAYED"),
    ]
    assert sent(sandbox) == {}
