"""Many clients with one key at once: one of them runs, whoever it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from gateway.sandbox.sandbox import Sandbox
from tests.writes.rig import (
    CREATE,
    PERSON,
    PROVIDERS,
    Bench,
    HeldAnswers,
    Store,
    each,
    holders,
    in_background,
    keyed,
    one_contact,
    refuse,
    told,
    until,
    writes_sent,
)

CLIENTS = 50
ROUNDS = 20
IN_PROGRESS = {"code": "IDEMPOTENCY_IN_PROGRESS", "retryable": True, "retryAfterMs": 1000}


def _kind(answer: dict[str, Any]) -> str:
    """Whose answer it is: that of the one who ran, of one who came later, or of one who came meanwhile."""
    if "errors" in answer:
        (error,) = answer["errors"]
        assert (answer["data"], error["extensions"]) == ({"createContact": None}, IN_PROGRESS)
        return "in progress"
    results = told(answer["data"]["createContact"])
    actions = {action for _, _, action in results}
    assert [(name, outcome) for name, outcome, _ in results] == [(name, "APPLIED") for name in PROVIDERS]
    assert len(actions) == 1
    return actions.pop()


def _at_once(bench: Bench, body: dict[str, Any]) -> list[dict[str, Any]]:
    async def all_of_them() -> list[dict[str, Any]]:
        calls = [bench.gateway._client.post("/graphql", json=body) for _ in range(CLIENTS)]
        return [reply.json() for reply in await asyncio.gather(*calls)]

    return bench.run(all_of_them())


def test_of_fifty_clients_with_one_key_one_runs(
    bench: Bench, store: Store, sandbox: Sandbox, hold: Callable[..., HeldAnswers]
) -> None:
    """While one provider keeps its answer back, so that everybody else comes meanwhile."""
    body = {"query": CREATE, "variables": {"input": keyed("k-1", **PERSON)}}
    held = hold("KLEN")
    with in_background(lambda: bench.create(key="k-1")) as first:
        until(held.arrived)
        assert [_kind(answer) for answer in _at_once(bench, body)] == ["in progress"] * CLIENTS
        held.let_go()
        payload = first.result()
    answers = _at_once(bench, body)
    assert [_kind(answer) for answer in answers] == ["REPLAYED"] * CLIENTS
    assert {answer["data"]["createContact"]["contact"]["id"] for answer in answers} == {payload["contact"]["id"]}
    assert writes_sent(sandbox) == each("create")


def test_of_fifty_clients_who_come_at_the_same_time_one_runs(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    body = {"query": CREATE, "variables": {"input": keyed("k-1", **PERSON)}}
    answers = _at_once(bench, body)
    kinds = [_kind(answer) for answer in answers]
    assert kinds.count("CREATED") == 1
    assert kinds.count("CREATED") + kinds.count("REPLAYED") + kinds.count("in progress") == CLIENTS
    told_ids = {one["data"]["createContact"]["operationId"] for one in answers if "errors" not in one}
    assert told_ids == {one["id"] for one in store.operations()}
    assert writes_sent(sandbox) == each("create")
    assert {name: len(ids) for name, ids in holders(sandbox).items()} == dict.fromkeys(PROVIDERS, 1)
    assert store.links() == one_contact(holders(sandbox))


def _race(benches: list[Bench], key: str, email: str) -> list[dict[str, Any]]:
    ready = Barrier(len(benches))
    fields = keyed(key, **{**PERSON, "emails": [{"address": email}]})

    def one(bench: Bench) -> dict[str, Any]:
        ready.wait(timeout=10)
        return bench.gateway.send(CREATE, input=fields)

    with ThreadPoolExecutor(max_workers=len(benches)) as pool:
        return list(pool.map(one, benches))


def test_of_two_gateways_with_one_key_exactly_one_runs(
    start: Callable[..., Bench], store: Store, sandbox: Sandbox
) -> None:
    benches = [start(), start()]
    for turn in range(ROUNDS):
        email = f"turn{turn}@aalto.test"
        kinds = sorted(_kind(answer) for answer in _race(benches, f"k-{turn}", email))
        assert kinds in (["CREATED", "in progress"], ["CREATED", "REPLAYED"])
        assert {name: len(ids) for name, ids in holders(sandbox, email).items()} == dict.fromkeys(PROVIDERS, 1)
    assert writes_sent(sandbox) == each(*["create"] * ROUNDS)
    assert [one["finished"] for one in store.operations()] == [True] * ROUNDS


def test_of_two_gateways_that_complete_one_write_exactly_one_does(
    start: Callable[..., Bench], store: Store, sandbox: Sandbox
) -> None:
    benches = [start(), start()]
    for turn in range(ROUNDS // 2):
        email = f"turn{turn}@aalto.test"
        refuse(sandbox, "KLEN")
        benches[0].create(key=f"k-{turn}", emails=[{"address": email}])
        _race(benches, f"k-{turn}", email)
        there = holders(sandbox, email)
        assert {name: len(ids) for name, ids in there.items()} == dict.fromkeys(PROVIDERS, 1)
        links = store.links()
        assert {key: links[key] for key in one_contact(there)} == one_contact(there)
    assert writes_sent(sandbox)["KLEN"] == ["create", "create"] * (ROUNDS // 2)
