"""A write that is under way, and one whose last step, the link, did not come off."""

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
    Store,
    each,
    forget_requests,
    holders,
    in_background,
    keyed,
    one_contact,
    records_of,
    refuse,
    sent,
    told,
    until,
    writes_sent,
)

IN_PROGRESS = {"code": "IDEMPOTENCY_IN_PROGRESS", "retryable": True, "retryAfterMs": 1000}
MISMATCH = {"code": "IDEMPOTENCY_KEY_MISMATCH", "retryable": False}


def test_while_it_is_under_way_the_key_answers_when_to_ask_again(
    bench: Bench, sandbox: Sandbox, hold: Callable[..., HeldAnswers]
) -> None:
    held = hold("KLEN")
    with in_background(lambda: bench.create(key="k-1")) as pending:
        until(held.arrived)
        assert bench.refused(CREATE, input=keyed("k-1", **PERSON)) == IN_PROGRESS
        assert bench.refused(CREATE, input=keyed("k-1", **PERSON, company="Aalto Oy")) == MISMATCH
        held.let_go()
        first = pending.result()
    assert told(first) == [(name, "APPLIED", "CREATED") for name in PROVIDERS]
    assert writes_sent(sandbox) == each("create")
    assert told(bench.create(key="k-1")) == [(name, "APPLIED", "REPLAYED") for name in PROVIDERS]


def test_another_gateway_says_so_too(
    start: Callable[..., Bench], sandbox: Sandbox, hold: Callable[..., HeldAnswers]
) -> None:
    here, there = start(), start()
    held = hold("KLEN")
    with in_background(lambda: here.create(key="k-1")) as pending:
        until(held.arrived)
        assert there.refused(CREATE, input=keyed("k-1", **PERSON)) == IN_PROGRESS
        held.let_go()
        first = pending.result()
    second = there.create(key="k-1")
    assert (told(second), second["contact"]) == (
        [(name, "APPLIED", "REPLAYED") for name in PROVIDERS],
        first["contact"],
    )
    assert writes_sent(sandbox) == each("create")


def test_while_the_rest_runs_again_the_key_is_in_progress_too(
    bench: Bench, sandbox: Sandbox, hold: Callable[..., HeldAnswers]
) -> None:
    refuse(sandbox, "KLEN")
    bench.create(key="k-1")
    held = hold("KLEN")
    with in_background(lambda: bench.create(key="k-1")) as pending:
        until(held.arrived)
        assert bench.refused(CREATE, input=keyed("k-1", **PERSON)) == IN_PROGRESS
        held.let_go()
        assert pending.result()["status"] == "SUCCEEDED"
    assert {name: len(ids) for name, ids in holders(sandbox).items()} == dict.fromkeys(PROVIDERS, 1)


def test_a_record_that_could_not_be_linked_is_linked_the_next_time(
    bench: Bench, store: Store, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database takes no link for a moment, or the process is killed between the answer and the link."""
    refuse(sandbox, "KLEN")
    bench.create(key="k-1")
    original, broken = sandbox.klen.answer, store.without("links")

    def answer(received: Any) -> Any:
        broken.__enter__()
        return original(received)

    monkeypatch.setattr(sandbox.klen, "answer", answer)
    partly = bench.gateway.send(CREATE, input=keyed("k-1", **PERSON))
    monkeypatch.undo()
    broken.__exit__(None, None, None)
    assert told(partly["data"]["createContact"])[1] == ("KLEN", "APPLIED", "CREATED")
    bench.round()
    last = bench.create(key="k-1")
    assert told(last) == [(name, "APPLIED", "REPLAYED") for name in PROVIDERS]
    assert store.links() == one_contact(holders(sandbox))
    assert records_of(last) == holders(sandbox)


def test_a_creation_that_could_not_be_linked_is_linked_by_the_gateway(
    bench: Bench, store: Store, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, broken = sandbox.klen.answer, store.without("links")

    def answer(received: Any) -> Any:
        broken.__enter__()
        return original(received)

    monkeypatch.setattr(sandbox.klen, "answer", answer)
    partly = bench.gateway.send(CREATE, input=keyed("k-1", **PERSON))
    monkeypatch.setattr(sandbox.klen, "answer", original)
    broken.__exit__(None, None, None)
    assert told(partly["data"]["createContact"]) == [(name, "APPLIED", "CREATED") for name in PROVIDERS]
    (error,) = partly["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["createContact", "contact"], "STORE_UNAVAILABLE")
    forget_requests(sandbox)
    bench.round()
    assert store.links() == one_contact(holders(sandbox))
    assert [one["finished"] for one in store.operations()] == [True]
    assert records_of(bench.create(key="k-1")) == holders(sandbox)
    assert sent(sandbox) == {}
