"""One writer at a time per name, over everybody on one database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest

from gateway.contacts.locks import LockNotTaken, Locks
from gateway.resilience.operation import operation
from gateway.store.database import open_database
from gateway.store.locks import LockStore
from gateway.store.owner import new_owner
from tests.writes.rig import LONGEST_WAIT_SECONDS, ManualClock, Store

LEASE_MS = 45_000
Two: TypeAlias = Callable[[Callable[[Locks, Locks], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def two(database_url: str, clock: ManualClock) -> Two:
    """Runs something with the locks of two gateways."""

    @asynccontextmanager
    async def of_one(owner: str) -> AsyncIterator[Locks]:
        database = await open_database(database_url)
        try:
            yield Locks(LockStore(database), owner=owner, lease_seconds=LEASE_MS / 1000, clock=clock)
        finally:
            await database.aclose()

    async def run(what: Callable[[Locks, Locks], Coroutine[Any, Any, None]]) -> None:
        async with of_one(new_owner()) as here, of_one(new_owner()) as there, asyncio.timeout(LONGEST_WAIT_SECONDS):
            await what(here, there)

    return lambda what: asyncio.run(run(what))


async def _is_refused(locks: Locks, name: str) -> bool:
    """A lock that is free is taken within the shortest wait."""
    with operation(deadline_seconds=0):
        try:
            async with locks.holding(name):
                return False
        except LockNotTaken:
            return True


def test_what_one_holds_the_other_does_not_get(two: Two, store: Store) -> None:
    async def what(here: Locks, there: Locks) -> None:
        async with here.holding("record:a"):
            assert await _is_refused(there, "record:a")
            assert await _is_refused(here, "record:a")
            assert not await _is_refused(there, "record:b")
        assert not await _is_refused(there, "record:a")

    two(what)
    assert store.rows("SELECT * FROM locks") == []


def test_whoever_waits_gets_it_next(two: Two) -> None:
    order: list[str] = []

    async def what(here: Locks, there: Locks) -> None:
        async def wait(locks: Locks, word: str) -> None:
            async with locks.holding("record:a"):
                order.append(word)

        async with here.holding("record:a"):
            waiting = [asyncio.create_task(wait(there, "there")), asyncio.create_task(wait(here, "here"))]
            await asyncio.sleep(0)
            order.append("first")
        await asyncio.gather(*waiting)

    two(what)
    assert (order[0], sorted(order[1:])) == ("first", ["here", "there"])


def test_nobody_meets_half_way(two: Two) -> None:
    """Read, think, write: ten times by each of two, and nothing is lost."""
    value = 0

    async def what(here: Locks, there: Locks) -> None:
        async def add(locks: Locks) -> None:
            nonlocal value
            async with locks.holding("record:a"):
                read = value
                await asyncio.sleep(0)
                value = read + 1

        await asyncio.gather(*(add(locks) for locks in (here, there) for _ in range(10)))

    two(what)
    assert value == 20


def test_a_lease_that_is_over_is_taken_over_and_a_live_one_is_not(two: Two, store: Store, clock: ManualClock) -> None:
    async def what(here: Locks, there: Locks) -> None:
        async with here.holding("record:a"):
            clock.advance(LEASE_MS - 1)
            assert await _is_refused(there, "record:a")
            clock.advance(1)
            async with there.holding("record:a"):
                held = store.rows("SELECT * FROM locks")
                assert [(row["name"], row["until"]) for row in held] == [("record:a", clock() + LEASE_MS)]
        # The first one came back late: it gives back nothing that is not its own any more.

    two(what)
    assert store.rows("SELECT * FROM locks") == []


def test_a_late_owner_does_not_give_back_the_lock_of_its_successor(two: Two, store: Store, clock: ManualClock) -> None:
    async def what(here: Locks, there: Locks) -> None:
        late = here.holding("record:a")
        await late.__aenter__()
        clock.advance(LEASE_MS)
        async with there.holding("record:a"):
            await late.__aexit__(None, None, None)
            assert await _is_refused(here, "record:a")

    two(what)
    assert store.rows("SELECT * FROM locks") == []


def test_the_lock_of_a_killed_gateway_is_free_at_once(
    two: Two, store: Store, clock: ManualClock, dead_owner: str
) -> None:
    async def what(here: Locks, there: Locks) -> None:
        insert = "INSERT INTO locks (name, owner, until) VALUES (:name, :owner, :until)"
        store.execute(insert, name="record:a", owner=dead_owner, until=clock() + LEASE_MS)
        store.execute(insert, name="record:b", owner="elsewhere/pid:[1]/7/9/x", until=clock() + LEASE_MS)
        assert not await _is_refused(here, "record:a")
        assert await _is_refused(here, "record:b")

    two(what)


def test_a_lock_is_given_back_after_an_exception(two: Two, store: Store) -> None:
    async def what(here: Locks, there: Locks) -> None:
        with pytest.raises(ValueError, match="broken"):
            async with here.holding("record:a"):
                raise ValueError("broken")
        assert not await _is_refused(there, "record:a")

    two(what)


def test_a_database_that_fails_gives_no_lock(two: Two, store: Store) -> None:
    async def what(here: Locks, there: Locks) -> None:
        with store.without("locks"):
            assert await _is_refused(here, "record:a")
        assert not await _is_refused(here, "record:a")

    two(what)


def test_those_who_want_several_never_wait_for_each_other(two: Two) -> None:
    async def what(here: Locks, there: Locks) -> None:
        async def take(locks: Locks, *names: str) -> None:
            async with locks.holding_all(names):
                await asyncio.sleep(0)

        await asyncio.gather(*(take(here, "a", "b", "a") for _ in range(3)), *(take(there, "b", "a") for _ in range(3)))

    two(what)
