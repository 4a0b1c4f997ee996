"""Whose record is it? A lost creation takes what it made, and never what another one made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.failures.outcomes import assert_fit_for_people
from tests.writes.rig import (
    LENIENT,
    PERSON,
    PROVIDERS,
    RECONCILE,
    SETTLING_MS,
    Bench,
    HeldAnswers,
    ManualClock,
    Store,
    fail,
    forget_requests,
    holders,
    ids_told,
    in_background,
    keyed,
    one_contact,
    records_of,
    sent,
    simulator_of,
    told,
    until,
    writes_sent,
)

providers = pytest.mark.parametrize("provider", PROVIDERS)
lenient = pytest.mark.parametrize("provider", LENIENT)


@lenient
def test_what_another_operation_created_is_not_taken(
    provider: str, bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    other = bench.create(providers=[provider])
    fail(sandbox, provider, "drop_before")
    lost = bench.create(providers=[provider])
    clock.advance(SETTLING_MS)
    late = bench.reconcile(lost["operationId"])
    assert (late["status"], told(late)) == ("FAILED", [(provider, "NOT_APPLIED", "PROVIDER_TIMEOUT")])
    assert holders(sandbox) == ids_told(other)


@lenient
def test_two_writes_of_one_contact_that_were_both_lost_find_one_record_each(
    provider: str, bench: Bench, store: Store, sandbox: Sandbox
) -> None:
    fail(sandbox, provider, "drop_after", count=2)
    lost = [bench.create(providers=[provider])["operationId"] for _ in range(2)]
    found = [ids_told(bench.reconcile(one))[provider] for one in reversed(lost)]
    assert sorted(found[0] + found[1]) == sorted(holders(sandbox)[provider])
    assert len(holders(sandbox)[provider]) == 2


@lenient
def test_lost_writes_that_are_looked_for_at_once_find_one_record_each(
    provider: str, bench: Bench, store: Store, sandbox: Sandbox
) -> None:
    fail(sandbox, provider, "drop_after", count=4)
    lost = [bench.create(providers=[provider])["operationId"] for _ in range(4)]

    async def at_once() -> None:
        bodies = [{"query": RECONCILE, "variables": {"id": one}} for one in lost]
        await asyncio.gather(*(bench.gateway._client.post("/graphql", json=body) for body in bodies))

    bench.run(at_once())
    assert sorted(row["remote_id"] for row in store.targets()) == sorted(holders(sandbox)[provider])
    assert len(holders(sandbox)[provider]) == 4


@lenient
def test_of_two_lost_writes_only_one_takes_the_only_record(
    provider: str, bench: Bench, sandbox: Sandbox, clock: ManualClock
) -> None:
    fail(sandbox, provider, "drop_before")
    fail(sandbox, provider, "drop_after")
    lost = [bench.create(providers=[provider])["operationId"] for _ in range(2)]
    clock.advance(SETTLING_MS)
    assert [bench.reconcile(one)["status"] for one in lost] == ["SUCCEEDED", "FAILED"]
    assert len(holders(sandbox)[provider]) == 1


def test_two_lost_writes_at_a_provider_that_takes_no_second_one(
    bench: Bench, sandbox: Sandbox, clock: ManualClock
) -> None:
    fail(sandbox, "GATELY", "drop_after", count=2)
    lost = [bench.create(providers=["GATELY"])["operationId"] for _ in range(2)]
    clock.advance(SETTLING_MS)
    assert [bench.reconcile(one)["status"] for one in lost] == ["SUCCEEDED", "FAILED"]
    assert len(holders(sandbox)["GATELY"]) == 1


def test_what_did_not_stick_is_told_of_a_creation_that_was_found(bench: Bench, sandbox: Sandbox) -> None:
    """The record is read whole to recognise it, so what is missing in it is known; a replay tells it too."""
    document = """mutation ($input: CreateContactInput!) {
      createContact(input: $input) { results { outcome warnings { code field } } } }"""
    asked_for = keyed("k-1", **PERSON, tags=["fair"], company="Aalto Oy", providers=["KLEN"])
    fail(sandbox, "KLEN", "drop_after")
    bench.gateway.data(document, input=asked_for)
    (made,) = holders(sandbox)["KLEN"]
    sandbox.klen.contacts[int(made)].tags = []
    told_of_tags = [{"outcome": "APPLIED", "warnings": [{"code": "NOT_STORED", "field": ["input", "tags"]}]}]
    for _ in range(2):
        assert bench.gateway.data(document, input=asked_for)["createContact"]["results"] == told_of_tags


@lenient
def test_a_record_may_belong_to_a_write_that_is_under_way(
    provider: str, bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock, hold: Callable[..., HeldAnswers]
) -> None:
    fail(sandbox, provider, "drop_before")
    lost = bench.create(providers=[provider])["operationId"]
    clock.advance(SETTLING_MS)
    held = hold(provider)
    with in_background(lambda: bench.create(providers=[provider])) as pending:
        until(held.arrived)
        meanwhile = bench.reconcile(lost)
        held.let_go()
        other = pending.result()
    assert (meanwhile["status"], told(meanwhile)) == ("UNKNOWN", [(provider, "UNKNOWN", "PROVIDER_TIMEOUT")])
    clock.advance(SETTLING_MS)
    assert bench.reconcile(lost)["status"] == "FAILED"
    assert ids_told(other) == holders(sandbox)


@providers
def test_a_provider_that_cannot_be_asked_leaves_it_unknown(
    provider: str, bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    fail(sandbox, provider, "drop_after")
    first = bench.create(providers=[provider])
    fail(sandbox, provider, "status", "list", None, status=500)
    clock.advance(2 * SETTLING_MS)
    down = bench.reconcile(first["operationId"])
    assert (down["status"], told(down)) == ("UNKNOWN", [(provider, "UNKNOWN", "PROVIDER_TIMEOUT")])
    assert_fit_for_people(down["results"][0]["error"]["message"])
    simulator_of(sandbox, provider).faults.clear()
    up = bench.reconcile(first["operationId"])
    assert (told(up), ids_told(up)) == ([(provider, "APPLIED", "CREATED")], holders(sandbox))
    assert writes_sent(sandbox) == {provider: ["create"]}


def test_what_is_known_is_told_without_asking_anybody(bench: Bench, sandbox: Sandbox) -> None:
    first = bench.create()
    forget_requests(sandbox)
    again = bench.reconcile(first["operationId"])
    assert again == {**first, "results": [{**one, "action": "REPLAYED"} for one in first["results"]]}
    assert sent(sandbox) == {}


def test_another_gateway_can_look(start: Callable[..., Bench], store: Store, sandbox: Sandbox) -> None:
    fail(sandbox, "KLEN", "drop_after")
    here, there = start(), start()
    found = there.reconcile(here.create()["operationId"])
    assert (found["status"], records_of(found)) == ("SUCCEEDED", holders(sandbox))
    assert store.links() == one_contact(holders(sandbox))


@providers
def test_an_older_contact_with_the_address_is_not_taken(
    provider: str, bench: Bench, sandbox: Sandbox, clock: ManualClock
) -> None:
    """Two days older, so that the gateway has forgotten who made it."""
    bench.create(providers=[provider])
    (older,) = holders(sandbox)[provider]
    clock.advance(48 * 3_600_000)
    bench.round()
    fail(sandbox, provider, "drop_before")
    lost = bench.create(providers=[provider])
    clock.advance(SETTLING_MS)
    late = bench.reconcile(lost["operationId"])
    assert late["status"] == "FAILED", late
    assert holders(sandbox) == {provider: [older]}
