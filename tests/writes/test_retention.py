"""Personal data in the record of a write is kept only as long as it is needed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.failures.outcomes import contact_id
from tests.writes.rig import (
    CREATE,
    DAY_MS,
    EMAIL,
    PERSON,
    PROVIDERS,
    RETRY,
    SETTLING_MS,
    Bench,
    HeldAnswers,
    ManualClock,
    Store,
    each,
    fail,
    holders,
    in_background,
    keyed,
    one_contact,
    refuse,
    told,
    until,
    writes_sent,
)

PERSONAL = (EMAIL, "aalto", "Ines", "+358400000001", "400000001", "Mannerheimintie", "VIP")
PRIVATE: dict[str, Any] = {
    "phones": [{"number": "+358 40 000 0001"}],
    "addresses": [{"street": "Mannerheimintie 1", "city": "Helsinki"}],
    "notes": "VIP",
}


def _kept(text: str) -> list[str]:
    return [word for word in PERSONAL if word.casefold() in text.casefold()]


def test_once_everything_is_applied_nothing_personal_is_in_any_row(
    bench: Bench, store: Store, sandbox: Sandbox
) -> None:
    bench.create(key="k-1", **PRIVATE)
    assert _kept(store.everything()) == []
    (operation,) = store.operations()
    assert (operation["intent"], operation["idempotency_key"]) == (None, "k-1")


def test_an_update_leaves_nothing_personal_either(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    bench.update(key="k-1", id=contact_id("GATELY"), emails=[{"address": EMAIL}], name="Ines Aalto")
    assert _kept(store.everything()) == []


@pytest.mark.parametrize("ending", ["replay", "retry", "look"])
def test_it_is_kept_while_anything_is_left_to_do_and_no_longer(
    ending: str, bench: Bench, store: Store, sandbox: Sandbox
) -> None:
    if ending == "look":
        fail(sandbox, "KLEN", "drop_after")
    else:
        refuse(sandbox, "KLEN")
    operation_id = bench.create(key="k-1")["operationId"]
    assert EMAIL in store.operation(operation_id)["intent"]
    finish: dict[str, Callable[[], Any]] = {
        "replay": lambda: bench.create(key="k-1"),
        "retry": lambda: bench.retry(operation_id),
        "look": lambda: bench.reconcile(operation_id),
    }
    assert finish[ending]()["status"] == "SUCCEEDED"
    assert _kept(store.everything()) == []


def test_nothing_personal_is_left_in_the_files_of_sqlite(
    bench: Bench, store: Store, sandbox: Sandbox, request: pytest.FixtureRequest
) -> None:
    if not store.is_sqlite:
        pytest.skip("PostgreSQL keeps files of its own")
    bench.create(key="k-1")
    # The caretaker empties the log, at most every ten seconds.
    bench.round()
    assert _kept(_files(store)) == []


def test_what_a_killed_gateway_erased_is_wiped_by_another_one(
    start: Callable[..., Bench], store: Store, sandbox: Sandbox
) -> None:
    """Between erasing and wiping it was ended; the file stays open elsewhere, so SQLite does not tidy up either."""
    if not store.is_sqlite:
        pytest.skip("PostgreSQL keeps files of its own")
    killed, other = start(), start()
    killed.create(key="k-1")
    other.round()
    assert _kept(_files(store)) == []


def test_wiping_is_tried_again_at_once_when_somebody_was_reading(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    if not store.is_sqlite:
        pytest.skip("PostgreSQL keeps files of its own")
    assert store.path is not None
    with closing(sqlite3.connect(store.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM operations").fetchall()
        bench.create(key="k-1")
        bench.round()
        assert _kept(_files(store)) != [], "the reader still needs it"
        reader.execute("ROLLBACK")
        clock.advance(1000)
        bench.round()
        assert _kept(_files(store)) == []


def _files(store: Store) -> str:
    assert store.path is not None
    paths = [Path(store.path + end) for end in ("", "-wal")]
    return "".join(path.read_bytes().decode("latin-1") for path in paths if path.exists())


def test_what_was_recorded_is_forgotten_after_the_retention_and_not_before(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    done = bench.create(key="k-1")["operationId"]
    refuse(sandbox, "KLEN")
    partly = bench.create(key="k-2", emails=[{"address": "bo@ek.test"}])["operationId"]
    clock.advance(DAY_MS)
    bench.round()
    assert sorted(one["id"] for one in store.operations()) == sorted([done, partly])
    links = store.links()
    clock.advance(1)
    bench.round()
    assert (store.operations(), store.targets()) == ([], [])
    assert _kept(store.everything()) == []
    assert store.links() == links, "what was linked stays linked"


@pytest.mark.parametrize(("given", "kept_ms"), [("90m", 90 * 60_000), ("2d", 2 * DAY_MS)])
def test_the_retention_is_a_setting(
    given: str, kept_ms: int, start: Callable[..., Bench], store: Store, clock: ManualClock
) -> None:
    bench = start(operation_retention=given)
    bench.create()
    clock.advance(kept_ms)
    bench.round()
    assert len(store.operations()) == 1
    clock.advance(1)
    bench.round()
    assert store.operations() == []


def test_each_is_forgotten_in_its_time(bench: Bench, store: Store, clock: ManualClock) -> None:
    bench.create(key="k-1")
    clock.advance(DAY_MS // 2)
    second = bench.create(key="k-2", emails=[{"address": "bo@ek.test"}])["operationId"]
    clock.advance(DAY_MS // 2 + 1)
    bench.round()
    assert [one["id"] for one in store.operations()] == [second]
    assert len(store.targets()) == 3


def test_what_is_under_way_is_not_forgotten(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock, hold: Callable[..., HeldAnswers]
) -> None:
    """Taken up again in the moment in which it grows too old."""
    refuse(sandbox, "KLEN")
    operation_id = bench.create()["operationId"]
    clock.advance(DAY_MS + 1)
    held = hold("KLEN")
    with in_background(lambda: bench.retry(operation_id)) as pending:
        until(held.arrived)
        bench.round()
        assert len(store.targets()) == 3
        held.let_go()
        assert pending.result()["status"] == "SUCCEEDED"
    assert {name: outcome for name, (outcome, _) in store.outcomes().items()} == dict.fromkeys(PROVIDERS, "APPLIED")
    bench.round()
    assert store.operations() == []


def test_a_forgotten_key_is_free_and_a_forgotten_operation_unknown(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    refuse(sandbox, "KLEN")
    operation_id = bench.create(key="k-1")["operationId"]
    clock.advance(DAY_MS + 1)
    bench.round()
    refusal = bench.refused(RETRY, id=operation_id)
    assert (refusal["code"], [one["code"] for one in refusal["fields"]]) == ("INVALID_INPUT", ["UNKNOWN_OPERATION"])
    other = bench.gateway.data(CREATE, input=keyed("k-1", **{**PERSON, "emails": [{"address": "bo@ek.test"}]}))
    assert told(other["createContact"]) == [(name, "APPLIED", "CREATED") for name in PROVIDERS]
    assert other["createContact"]["operationId"] != operation_id
    assert writes_sent(sandbox) == each("create", "create")


def test_what_is_still_unknown_when_it_is_forgotten_is_looked_for_a_last_time(
    bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    """A gateway that was off for days first looks, then forgets."""
    fail(sandbox, "KLEN", "drop_after")
    bench.create()
    clock.advance(DAY_MS + SETTLING_MS)
    bench.round()
    assert store.operations() == []
    assert store.links() == one_contact(holders(sandbox))


def test_locks_that_nobody_gave_back_are_forgotten(bench: Bench, store: Store, clock: ManualClock) -> None:
    insert = "INSERT INTO locks (name, owner, until) VALUES (:name, 'somebody', :until)"
    store.execute(insert, name="old", until=clock() - 3_600_001)
    store.execute(insert, name="recent", until=clock() - 3_600_000)
    bench.round()
    assert [row["name"] for row in store.rows("SELECT name FROM locks")] == ["recent"]
