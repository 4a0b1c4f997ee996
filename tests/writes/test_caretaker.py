"""What the gateway does on its own: it looks for what is unknown and for what was interrupted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.failures.outcomes import contact_id
from tests.writes.rig import (
    CREATE,
    PERSON,
    PROVIDERS,
    SETTLING_MS,
    Bench,
    ManualClock,
    Store,
    each,
    fail,
    forget_requests,
    holders,
    in_background,
    one_contact,
    records_of,
    sent,
    told,
    until,
    writes_sent,
)

FAR_AHEAD_MS = 3_600_000


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_looks_once_after_the_settling_time(
    provider: str, bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    fail(sandbox, provider, "drop_after")
    first = bench.create(key="k-1")
    forget_requests(sandbox)
    clock.advance(SETTLING_MS)
    bench.round()
    assert sent(sandbox) == {}, "it is not time yet"
    clock.advance(1)
    bench.round()
    assert (list(sent(sandbox)), writes_sent(sandbox)) == ([provider], {})
    there = holders(sandbox)
    assert store.outcomes() == {name: ("APPLIED", ids[0]) for name, ids in there.items()}
    assert store.links() == one_contact(there)
    forget_requests(sandbox)
    clock.advance(FAR_AHEAD_MS)
    bench.round()
    again = bench.create(key="k-1")
    assert (again["operationId"], told(again)) == (
        first["operationId"],
        [(name, "APPLIED", "REPLAYED") for name in PROVIDERS],
    )
    assert (records_of(again), sent(sandbox)) == (there, {})


def test_what_it_does_not_find_was_not_done_and_is_not_created(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    for provider in PROVIDERS:
        fail(sandbox, provider, "drop_before")
    bench.create()
    forget_requests(sandbox)
    clock.advance(SETTLING_MS + 1)
    bench.round()
    assert (set(sent(sandbox)), writes_sent(sandbox)) == (set(PROVIDERS), {})
    assert store.outcomes() == dict.fromkeys(PROVIDERS, ("NOT_APPLIED", None))
    forget_requests(sandbox)
    clock.advance(FAR_AHEAD_MS)
    bench.round()
    assert (sent(sandbox), holders(sandbox)) == ({}, {})


def test_it_looks_for_updates_and_deletions_too(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    fail(sandbox, "KLEN", "drop_after", "update")
    fail(sandbox, "GATELY", "drop_after", "delete")
    update = bench.update(id=contact_id("KLEN"), company="Aalto Oy")["operationId"]
    delete = bench.delete(id=contact_id("GATELY"))["operationId"]
    clock.advance(SETTLING_MS + 1)
    bench.round()
    actions = {row["operation_id"]: (row["outcome"], row["action"]) for row in store.targets()}
    assert actions == {update: ("APPLIED", "UPDATED"), delete: ("APPLIED", "DELETED")}
    assert writes_sent(sandbox) == {"KLEN": ["update"], "GATELY": ["delete"]}


def test_a_provider_that_stays_down_is_asked_less_and_less_and_then_no_more(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    fail(sandbox, "KLEN", "drop_after")
    bench.create(providers=["KLEN"])
    fail(sandbox, "KLEN", "status", "list", None, status=403)
    looks: list[int] = []
    started = clock()
    while len(looks) < 20 and (due := store.operations()[0]["look_at"]) is not None:
        clock.advance(due - clock())
        forget_requests(sandbox)
        bench.round()
        assert len(sent(sandbox)["KLEN"]) == 1
        looks.append(clock() - started)
    pauses = [later - earlier for earlier, later in zip([0, *looks], looks, strict=False)]
    assert pauses == [min(SETTLING_MS << place, FAR_AHEAD_MS) + 1 for place in range(8)]
    assert store.outcomes() == {"KLEN": ("UNKNOWN", None)}


def test_impatient_callers_do_not_use_up_the_gateways_own_look(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    fail(sandbox, "KLEN", "drop_before")
    operation_id = bench.create(providers=["KLEN"])["operationId"]
    for _ in range(8):
        bench.reconcile(operation_id)
    forget_requests(sandbox)
    clock.advance(2 * SETTLING_MS)
    bench.round()
    assert list(sent(sandbox)) == ["KLEN"]
    assert store.outcomes() == {"KLEN": ("NOT_APPLIED", None)}


def test_of_two_gateways_one_looks(
    start: Callable[..., Bench], store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    here, there = start(), start()
    fail(sandbox, "GATELY", "drop_after")
    here.create(providers=["GATELY"])
    forget_requests(sandbox)
    clock.advance(SETTLING_MS + 1)
    with in_background(here.round) as other:
        there.round()
        other.result()
    assert sent(sandbox)["GATELY"] == ["find", "read"]
    assert store.outcomes()["GATELY"][0] == "APPLIED"


def test_a_running_gateway_does_so_by_itself(
    start_gateway: Callable[..., Gateway], database_url: str, store: Store, sandbox: Sandbox, dead_owner: str
) -> None:
    """With its own clock, and no settling time; first what is unknown, then what a killed one left."""
    first = start_gateway(database_url=database_url, settling_seconds=0)
    fail(sandbox, "KLEN", "drop_after")
    first.data(CREATE, input=PERSON)
    until(lambda: store.outcomes()["KLEN"][0] == "APPLIED" and len(store.links()) == 3)
    assert store.links() == one_contact(holders(sandbox))
    fail(sandbox, "KLEN", "drop_after")
    fail(sandbox, "KLEN", "status", "list", None, status=403)
    other = {**PERSON, "emails": [{"address": "bo@ek.test"}]}
    killed = first.data(CREATE, input=other)["createContact"]["operationId"]
    store.as_if_killed(killed, intent=store.operation(killed)["intent"], owner=dead_owner, lease_until=2**50)
    sandbox.klen.faults.clear()
    until(lambda: len(store.links()) == 3 and all(one["finished"] for one in store.operations()))
    assert store.links() == one_contact(holders(sandbox, "bo@ek.test"))
    assert writes_sent(sandbox) == each("create", "create")
