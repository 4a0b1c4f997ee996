"""Writers of one SQLite file share the way to the disk, and nothing else."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from gateway.store.database import Database, open_database
from gateway.store.statements import Statement
from gateway.store.tables import LOCKS
from tests.store.somebody_writing import somebody_writing

Run = Callable[[Coroutine[Any, Any, Any]], Any]
Work = Callable[[Connection], Any]


def named(name: str) -> Work:
    return lambda connection: connection.execute(insert(LOCKS).values(name=name, owner="o", until=0)).rowcount


def names(file: Path) -> set[str]:
    """As another process sees them."""
    with closing(sqlite3.connect(file)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM locks")}


def commits(database: Database) -> list[int]:
    seen: list[int] = []
    event.listen(database._engine._engine, "commit", lambda _: seen.append(1))
    return seen


async def together(database: Database, works: list[Work]) -> list[Any]:
    """They come while somebody else is being written, and so all at once."""
    async with somebody_writing(database):
        waiting = [asyncio.create_task(database.write(work)) for work in works]
        await asyncio.sleep(0)
    return await asyncio.gather(*waiting, return_exceptions=True)


def test_those_who_wait_are_written_by_one_commit(of_a_file: Database, run: Run, file: Path) -> None:
    seen = commits(of_a_file)

    assert run(together(of_a_file, [named(str(number)) for number in range(50)])) == [1] * 50

    assert (len(seen), len(names(file))) == (2, 50)


def test_those_who_come_in_one_round_of_the_event_loop_are_written_by_one_commit(
    of_a_file: Database, run: Run, file: Path
) -> None:
    seen = commits(of_a_file)

    async def leave_others_the_time_to_write() -> None:
        time.sleep(0.05)  # noqa: ASYNC251

    async def write() -> None:
        # The thread that writes has ended what it did before.
        await of_a_file.wipe()
        first, *others = (of_a_file.write(named(str(number))) for number in range(50))
        await asyncio.gather(first, leave_others_the_time_to_write(), *others)

    run(write())

    assert (len(seen), len(names(file))) == (1, 50)


def test_more_than_fit_into_one_are_written_by_several(of_a_file: Database, run: Run, file: Path) -> None:
    seen = commits(of_a_file)

    run(together(of_a_file, [named(str(number)) for number in range(250)]))

    assert (len(seen), len(names(file))) == (4, 250)


def test_one_that_fails_takes_back_its_own_alone(of_a_file: Database, run: Run, file: Path) -> None:
    def fails(connection: Connection) -> None:
        named("lost")(connection)
        raise KeyError

    def meets_its_name(connection: Connection) -> None:
        named("lost too")(connection)
        named("a")(connection)

    outcomes = run(together(of_a_file, [named("a"), fails, named("b"), meets_its_name, named("c")]))

    assert [type(outcome) for outcome in outcomes] == [int, KeyError, int, IntegrityError, int]
    assert names(file) == {"a", "b", "c"}


def test_where_it_cannot_begin_nobody_waits_for_it_twice(of_a_file: Database, run: Run, file: Path) -> None:
    """A file that another process keeps locked is waited for for seconds."""
    begun: list[int] = []

    @event.listens_for(of_a_file._engine._engine, "begin")
    def refuse_the_second(_: Connection) -> None:
        begun.append(1)
        if len(begun) == 2:
            raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))

    outcomes = run(together(of_a_file, [named("a"), named("b")]))

    assert [type(outcome) for outcome in outcomes] == [OperationalError] * 2
    assert (len(begun), names(file)) == (2, set())


def test_those_who_fail_alone_are_no_reason_to_run_anything_again(of_a_file: Database, run: Run) -> None:
    runs: list[int] = []

    def fails(_: Connection) -> None:
        runs.append(1)
        raise KeyError

    with pytest.raises(KeyError):
        run(of_a_file.write(fails))
    assert len(runs) == 1


def test_what_goes_to_the_driver_itself_fails_as_ever(database: Database, run: Run) -> None:
    statement = Statement(insert(LOCKS), ("name", "owner", "until"))
    row = {"name": "a", "owner": "o", "until": 0}

    run(database.write(lambda connection: statement.run(connection, row)))
    for again in (statement.run, lambda connection, row: statement.run_each(connection, [{**row, "name": "b"}, row])):
        with pytest.raises(IntegrityError):
            run(database.write(lambda connection, again=again: again(connection, row)))
    query = select(LOCKS.c.name)
    assert run(database.read(lambda connection: connection.execute(query).scalars().all())) == ["a"]


def test_each_sees_what_those_before_it_did(of_a_file: Database, run: Run) -> None:
    def seen(connection: Connection) -> list[str]:
        return list(connection.execute(select(LOCKS.c.name)).scalars())

    assert run(together(of_a_file, [named("a"), seen, named("b"), seen])) == [1, ["a"], 1, ["a", "b"]]


def test_nobody_is_told_that_it_is_written_where_it_is_not(of_a_file: Database, run: Run, file: Path) -> None:
    commits: list[int] = []

    @event.listens_for(of_a_file._engine._engine, "commit")
    def refuse_the_second(_: Connection) -> None:
        commits.append(1)
        if len(commits) == 2:
            raise OperationalError("COMMIT", {}, Exception("database or disk is full"))

    outcomes = run(together(of_a_file, [named("a"), named("b")]))

    assert [type(outcome) for outcome in outcomes] == [OperationalError] * 2
    assert names(file) == set()
    assert run(of_a_file.write(named("c"))) == 1
    assert names(file) == {"c"}


def test_where_the_database_has_taken_everything_back_it_is_lost_for_all(
    of_a_file: Database, run: Run, file: Path
) -> None:
    """SQLite does so by itself when the disk is full: https://sqlite.org/lang_transaction.html."""

    def disk_is_full(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    outcomes = run(together(of_a_file, [named("a"), disk_is_full, named("b")]))

    assert [type(outcome) for outcome in outcomes] == [OperationalError] * 3
    assert names(file) == set()
    assert run(of_a_file.write(named("c"))) == 1


def test_what_was_cancelled_before_its_turn_is_not_written(of_a_file: Database, run: Run, file: Path) -> None:
    async def cancel_one() -> list[Any]:
        async with somebody_writing(of_a_file):
            waiting = [asyncio.create_task(of_a_file.write(named(name))) for name in "ab"]
            await asyncio.sleep(0)
            waiting[0].cancel()
            await asyncio.sleep(0)
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(outcome) for outcome in run(cancel_one())] == [asyncio.CancelledError, int]
    assert names(file) == {"b"}


def test_what_is_being_written_when_it_is_closed_is_written(run: Run, file: Path) -> None:
    async def close_at_once() -> None:
        database = await open_database(f"sqlite:///{file}")
        async with somebody_writing(database):
            writing = asyncio.create_task(database.write(named("a")))
            await asyncio.sleep(0)
            closing_it = asyncio.create_task(database.aclose())
            await asyncio.sleep(0.05)
        await asyncio.wait_for(asyncio.gather(writing, closing_it), timeout=5)

    run(close_at_once())

    assert names(file) == {"a"}


def test_what_was_asked_for_when_it_is_closed_is_written(run: Run, file: Path) -> None:
    async def close_in_the_same_round() -> list[Any]:
        database = await open_database(f"sqlite:///{file}")
        writing = [asyncio.create_task(database.write(named(name))) for name in "ab"]
        await asyncio.gather(*(asyncio.create_task(one) for one in (database.aclose(), asyncio.sleep(0))))
        return await asyncio.wait_for(asyncio.gather(*writing), timeout=5)

    assert run(close_in_the_same_round()) == [1, 1]
    assert names(file) == {"a", "b"}


def test_whoever_writes_while_it_is_closed_learns_what_became_of_it(run: Run, file: Path) -> None:
    """Either it is written or it is refused, whoever is faster, and nobody waits for ever."""

    async def write_meanwhile() -> list[Any]:
        database = await open_database(f"sqlite:///{file}")
        async with somebody_writing(database):
            closing_it = asyncio.create_task(database.aclose())
            await asyncio.sleep(0.05)
            writing = [asyncio.create_task(database.write(named(name))) for name in "abc"]
            await asyncio.sleep(0.05)
        await closing_it
        return await asyncio.wait_for(asyncio.gather(*writing, return_exceptions=True), timeout=5)

    outcomes = dict(zip("abc", run(write_meanwhile()), strict=True))

    assert {type(outcome) for outcome in outcomes.values()} <= {int, RuntimeError}
    assert names(file) == {name for name, outcome in outcomes.items() if outcome == 1}


def test_whoever_writes_after_it_was_closed_is_told_each_time(run: Run, file: Path) -> None:
    async def write_late() -> list[Any]:
        database = await open_database(f"sqlite:///{file}")
        await database.aclose()
        writing = [asyncio.wait_for(database.write(named(name)), timeout=5) for name in "ab"]
        return await asyncio.gather(*writing, return_exceptions=True)

    assert [type(outcome) for outcome in run(write_late())] == [RuntimeError] * 2


def test_a_failure_leaves_nothing_for_the_collector(of_a_file: Database, run: Run) -> None:
    async def fail() -> None:
        def work(connection: Connection) -> None:
            raise KeyError

        with pytest.raises(KeyError):
            await of_a_file.write(work)

    run(fail())
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        run(fail())
        gc.collect()
        left = [one for one in gc.garbage if isinstance(one, KeyError)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == []


def test_a_database_in_memory_is_the_same_for_all(run: Run) -> None:
    async def work() -> list[str]:
        database = await open_database("sqlite://")
        try:
            await asyncio.gather(*(database.write(named(name)) for name in "abc"))
            query = select(LOCKS.c.name).order_by(LOCKS.c.name)
            return await database.read(lambda connection: list(connection.execute(query).scalars()))
        finally:
            await database.aclose()

    assert run(work()) == ["a", "b", "c"]
