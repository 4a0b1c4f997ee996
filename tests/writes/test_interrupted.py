"""A gateway was killed while it wrote: what it left is taken up, and the truth is found by looking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.writes.rig import (
    CREATE,
    PERSON,
    PROVIDERS,
    Bench,
    HeldAnswers,
    ManualClock,
    Store,
    each,
    fail,
    forget_requests,
    holders,
    in_background,
    keyed,
    one_contact,
    refuse,
    sent,
    told,
    until,
    writes_sent,
)

FAR_AHEAD_MS = 3_600_000
Killed = Callable[..., dict[str, Any]]


@pytest.fixture
def killed(bench: Bench, store: Store, clock: ManualClock, dead_owner: str, hold: Callable[..., HeldAnswers]) -> Killed:
    """Creates the person everywhere, with the key k-1; what is remembered is what a kill -9 leaves while the
    answers are out. Answers the payload that nobody received."""

    def create(owner: str = dead_owner, lease_ms: int = FAR_AHEAD_MS) -> dict[str, Any]:
        held = hold("KLEN")
        with in_background(lambda: bench.create(key="k-1")) as pending:
            until(held.arrived)
            (operation,) = store.operations()
            held.let_go()
            payload = pending.result()
        lease_until = clock() + lease_ms
        store.as_if_killed(payload["operationId"], intent=operation["intent"], owner=owner, lease_until=lease_until)
        return payload

    return create


def test_what_a_killed_gateway_left_is_taken_up_at_once(
    bench: Bench, store: Store, sandbox: Sandbox, killed: Killed
) -> None:
    first = killed()
    forget_requests(sandbox)
    bench.round()
    there = holders(sandbox)
    assert (set(sent(sandbox)), writes_sent(sandbox)) == (set(PROVIDERS), {})
    assert store.outcomes() == {name: ("APPLIED", ids[0]) for name, ids in there.items()}
    assert store.links() == one_contact(there)
    (operation,) = store.operations()
    assert (operation["finished"], operation["owner"], operation["intent"]) == (True, None, None)
    again = bench.create(key="k-1")
    assert told(again) == [(name, "APPLIED", "REPLAYED") for name in PROVIDERS]
    assert again["contact"] == first["contact"]


def test_what_a_killed_gateway_never_sent_is_not_created_by_looking(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock, dead_owner: str
) -> None:
    fail(sandbox, "KLEN", "drop_before")
    lost = bench.create(key="k-1", providers=["KLEN"])["operationId"]
    intent = store.operation(lost)["intent"]
    store.as_if_killed(lost, intent=intent, owner=dead_owner, lease_until=clock() + FAR_AHEAD_MS)
    bench.round()
    assert store.outcomes() == {"KLEN": ("UNKNOWN", None)}
    while store.outcomes() == {"KLEN": ("UNKNOWN", None)}:
        (operation,) = store.operations()
        assert operation["finished"]
        clock.advance(operation["look_at"] - clock())
        bench.round()
    assert store.outcomes() == {"KLEN": ("NOT_APPLIED", None)}
    assert writes_sent(sandbox) == {"KLEN": ["create"]}
    assert told(bench.create(key="k-1", providers=["KLEN"])) == [("KLEN", "APPLIED", "CREATED")]
    assert writes_sent(sandbox) == {"KLEN": ["create", "create"]}


def test_with_its_key_an_interrupted_write_is_completed_at_once(
    bench: Bench, store: Store, sandbox: Sandbox, killed: Killed
) -> None:
    first = killed()
    forget_requests(sandbox)
    again = bench.create(key="k-1")
    assert told(again) == [(name, "APPLIED", "CREATED") for name in PROVIDERS]
    assert (again["operationId"], again["contact"]) == (first["operationId"], first["contact"])
    assert writes_sent(sandbox) == {}
    assert store.links() == one_contact(holders(sandbox))


def test_what_another_machine_works_on_is_left_alone_until_its_lease_is_over(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock, killed: Killed
) -> None:
    killed(owner="elsewhere/pid:[1]/7/9/x", lease_ms=1000)
    forget_requests(sandbox)
    clock.advance(999)
    bench.round()
    assert bench.refused(CREATE, input=keyed("k-1", **PERSON))["code"] == "IDEMPOTENCY_IN_PROGRESS"
    assert sent(sandbox) == {}
    clock.advance(1)
    bench.round()
    assert writes_sent(sandbox) == {}
    assert store.links() == one_contact(holders(sandbox))
    assert bench.create(key="k-1")["status"] == "SUCCEEDED"


def test_what_is_under_way_is_not_touched(
    start: Callable[..., Bench], store: Store, sandbox: Sandbox, hold: Callable[..., HeldAnswers]
) -> None:
    here, there = start(), start()
    held = hold("KLEN")
    with in_background(here.create) as pending:
        until(lambda: held.arrived() and sum(one["outcome"] == "APPLIED" for one in store.targets()) == 2)
        before = store.operations()
        here.round()
        there.round()
        assert store.operations() == before
        held.let_go()
        assert pending.result()["status"] == "SUCCEEDED"
    assert sent(sandbox) == each("create")


def test_a_repetition_that_was_interrupted_is_taken_up_too(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock, dead_owner: str, hold: Callable[..., HeldAnswers]
) -> None:
    """The rows stand as they are while the answer to the second attempt is out; then their process is gone."""
    refuse(sandbox, "KLEN")
    operation_id = bench.create()["operationId"]
    held = hold("KLEN")
    with in_background(lambda: bench.retry(operation_id)) as pending:
        until(held.arrived)
        operation, targets, links = store.operation(operation_id), store.targets(), store.links()
        held.let_go()
        pending.result()
    _put_back(store, {**operation, "owner": dead_owner}, targets, links)
    clock.advance(FAR_AHEAD_MS)
    bench.round()
    assert store.outcomes()["KLEN"] == ("APPLIED", holders(sandbox)["KLEN"][0])
    assert store.links() == one_contact(holders(sandbox))


def _put_back(
    store: Store, operation: dict[str, Any], targets: list[dict[str, Any]], links: dict[tuple[str, str], Any]
) -> None:
    columns = ("owner", "lease_until", "finished", "look_at", "looks", "intent")
    store.execute(
        f"UPDATE operations SET {', '.join(f'{name} = :{name}' for name in columns)} WHERE id = :id",
        **{name: operation[name] for name in (*columns, "id")},
    )
    known = ("outcome", "action", "remote_id", "failure", "unknown_since")
    for target in targets:
        store.execute(
            f"UPDATE operation_targets SET {', '.join(f'{name} = :{name}' for name in known)}"
            " WHERE position = :position",
            **{name: target[name] for name in (*known, "position")},
        )
    for provider, remote_id in store.links().keys() - links.keys():
        store.execute("DELETE FROM links WHERE provider = :p AND remote_id = :r", p=provider.lower(), r=remote_id)
