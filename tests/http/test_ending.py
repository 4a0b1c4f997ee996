"""The end of the server: what has time, what has none any more, and what does not give up."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from gateway.http.ending import Ending


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


async def forever(cancelled: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        cancelled.append("given up")
        raise


def test_what_ends_by_itself_is_not_touched() -> None:
    async def test() -> None:
        ending = Ending(60)
        ending.set()
        assert await ending.bound(asyncio.sleep(0)) is True

    run(test())


def test_what_fails_says_so() -> None:
    async def fail() -> None:
        raise KeyError

    async def test() -> None:
        with pytest.raises(KeyError):
            await Ending(60).bound(fail())

    run(test())


@pytest.mark.parametrize("by", ["limit", "hurry"])
def test_what_has_no_time_left_is_cancelled(by: str) -> None:
    async def test() -> None:
        ending, cancelled = Ending(0.01 if by == "limit" else 60), list[str]()
        ending.set()
        if by == "hurry":
            ending.hurry()
        assert await ending.bound(forever(cancelled)) is False
        assert cancelled == ["given up"]

    run(test())


def test_the_limit_begins_with_the_end_and_not_before() -> None:
    async def test() -> None:
        ending = Ending(0)
        await asyncio.sleep(0.01)
        assert not ending.over.is_set()
        ending.set()
        await ending.over.wait()

    run(test())


def test_one_limit_counts_for_everything_that_ends() -> None:
    """What comes second has what the first has left, rather than as much again."""

    async def test() -> None:
        ending, cancelled = Ending(0.01), list[str]()
        ending.set()
        assert await ending.bound(forever(cancelled)) is False
        ending.set()
        assert await ending.bound(forever(cancelled)) is False
        assert len(cancelled) == 2

    run(test())


def test_what_does_not_give_up_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.http.ending._LAST_SECONDS", 0.01)
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    async def test() -> None:
        ending = Ending(0)
        ending.set()
        assert await ending.bound(stubborn()) is False
        released.set()

    run(test())
