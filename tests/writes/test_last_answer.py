"""The last answer, the links and the end of a write are written together; where one cannot be, the others still are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from gateway.sandbox.sandbox import Sandbox
from gateway.store.links import LinkStore
from gateway.store.operations import OperationStore
from gateway.store.postgresql_pool import _SERIAL_LOCK
from tests.writes.rig import (
    CREATE,
    PERSON,
    PROVIDERS,
    Bench,
    HeldAnswers,
    Store,
    holders,
    in_background,
    one_contact,
    refuse,
    until,
)

APPLIED = dict.fromkeys(PROVIDERS, "APPLIED")
Hold = Callable[..., HeldAnswers]


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The positions whose answers were noted by themselves."""
    positions: list[int] = []
    note = OperationStore.note

    async def counted(self: OperationStore, operation_id: str, position: int, *rest: Any, **named: Any) -> None:
        positions.append(position)
        await note(self, operation_id, position, *rest, **named)

    monkeypatch.setattr(OperationStore, "note", counted)
    return positions


def known(store: Store) -> dict[str, str]:
    return {name: outcome for name, (outcome, _) in store.outcomes().items()}


def ended(store: Store) -> bool:
    (operation,) = store.operations()
    return bool(operation["finished"]) and operation["owner"] is None


def waiting_for_links(store: Store) -> int:
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    rows = store.rows(
        f"SELECT count(*) AS waiting FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND {here}"
    )
    return int(rows[0]["waiting"])


def test_it_takes_no_transaction_of_its_own_where_nobody_could_get_between(
    bench: Bench, store: Store, sandbox: Sandbox, hold: Hold, noted: list[int]
) -> None:
    """Writers of PostgreSQL do not come one after the other: there links may have to wait, and an answer may not."""
    held = hold("KLEN")
    with in_background(bench.create) as pending:
        until(lambda: known(store) == {**APPLIED, "KLEN": "UNKNOWN"})
        held.let_go()
        assert pending.result()["status"] == "SUCCEEDED"
    assert sorted(noted) == ([0, 2] if store.is_sqlite else [0, 1, 2])
    assert (known(store), ended(store)) == (APPLIED, True)
    assert store.links() == one_contact(holders(sandbox))


def test_where_links_have_to_wait_for_each_other_it_is_noted_at_once(bench: Bench, store: Store) -> None:
    if store.is_sqlite:
        pytest.skip("writers come one after the other anyway")
    with store._engine.connect() as somebody:
        somebody.exec_driver_sql(f"SELECT pg_advisory_lock({_SERIAL_LOCK})")
        with in_background(bench.create) as pending:
            until(lambda: known(store) == APPLIED and waiting_for_links(store) == 1)
            assert not ended(store)
            somebody.exec_driver_sql(f"SELECT pg_advisory_unlock({_SERIAL_LOCK})")
            assert pending.result()["status"] == "SUCCEEDED"
    assert ended(store)


def test_links_that_cannot_be_written_do_not_take_it_along(
    bench: Bench, store: Store, sandbox: Sandbox, hold: Hold
) -> None:
    held = hold("KLEN")
    with in_background(lambda: bench.gateway.send(CREATE, input=PERSON)) as pending:
        until(held.arrived)
        with store.without("links"):
            held.let_go()
            answer = pending.result()
    assert [error["path"] for error in answer["errors"]] == [["createContact", "contact"]]
    assert [one["outcome"] for one in answer["data"]["createContact"]["results"]] == ["APPLIED"] * 3
    assert {name: [key] for name, (_, key) in store.outcomes().items()} == holders(sandbox)
    assert (known(store), ended(store), store.links()) == (APPLIED, False, {})
    bench.round()
    assert (ended(store), store.links()) == (True, one_contact(holders(sandbox)))


def test_an_end_that_cannot_be_written_does_not_take_it_or_the_links_along(
    bench: Bench, store: Store, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> int:
        raise OperationalError("UPDATE", {}, Exception("disk I/O error"))

    with monkeypatch.context() as broken:
        broken.setattr("gateway.store.operation_end.END.run", fails)
        payload = bench.create()
    assert (payload["status"], payload["contact"] is not None) == ("SUCCEEDED", True)
    assert (known(store), ended(store)) == (APPLIED, False)
    assert store.links() == one_contact(holders(sandbox))
    bench.round()
    assert ended(store)


def test_a_note_that_failed_is_made_up_for_by_the_end(
    bench: Bench, store: Store, sandbox: Sandbox, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[int] = []

    async def fails(_: OperationStore, __: str, position: int, *rest: Any, **named: Any) -> None:
        failed.append(position)
        raise OperationalError("UPDATE", {}, Exception("disk I/O error"))

    held = hold("KLEN")
    with monkeypatch.context() as broken:
        broken.setattr(OperationStore, "note", fails)
        with in_background(bench.create) as pending:
            until(lambda: sorted(failed) == [0, 2])
            assert known(store) == dict.fromkeys(PROVIDERS, "UNKNOWN")
            if not store.is_sqlite:
                broken.undo()
            held.let_go()
            pending.result()
    assert (known(store), ended(store)) == (APPLIED, True)
    assert {name: [key] for name, (_, key) in store.outcomes().items()} == holders(sandbox)


def test_what_was_done_counts_though_somebody_else_has_taken_the_write_over(
    bench: Bench, store: Store, sandbox: Sandbox, hold: Hold
) -> None:
    """Else they would have to find out, and a repetition might create it again."""
    held = hold("KLEN")
    with in_background(bench.create) as pending:
        until(lambda: known(store) == {**APPLIED, "KLEN": "UNKNOWN"})
        store.execute("UPDATE operations SET owner = 'somebody else'")
        held.let_go()
        pending.result()
    assert known(store) == APPLIED
    assert {name: [key] for name, (_, key) in store.outcomes().items()} == holders(sandbox)
    (operation,) = store.operations()
    assert (operation["owner"], operation["finished"]) == ("somebody else", False)


def test_a_refusal_that_comes_last_is_in_the_record_too(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    for provider in PROVIDERS:
        refuse(sandbox, provider)
    bench.refused(CREATE, input=PERSON)
    assert (known(store), ended(store)) == (dict.fromkeys(PROVIDERS, "NOT_APPLIED"), True)


def test_the_contact_that_was_linked_is_not_looked_up_again(
    bench: Bench, store: Store, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[Any] = []
    families = LinkStore.families

    async def counted(self: LinkStore, keys: Any) -> Any:
        looked_up.append(1)
        return await families(self, keys)

    monkeypatch.setattr(LinkStore, "families", counted)
    payload = bench.create()
    assert looked_up == []
    assert {one["provider"]: [one["remoteId"]] for one in payload["contact"]["records"]} == holders(sandbox)
    bench.create(providers=["KLEN"], emails=[{"address": "other@aalto.test"}])
    assert looked_up == [1]
