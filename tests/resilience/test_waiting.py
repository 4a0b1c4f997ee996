"""Waiting for an event, but not for ever, and leaving nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.clock import Clocks
from gateway.resilience.waiting import ends_within
from tests.resilience.virtual_time import settled


class Timers:
    """Those that were set, in seconds, and whether they still tick."""

    def __init__(self) -> None:
        self.set: list[tuple[float, Callable[[], None]]] = []
        self.cancelled = 0

    @property
    def clocks(self) -> Clocks:
        return Clocks(call_later=self._call_later)

    def _call_later(self, seconds: float, call: Callable[[], None]) -> Timers:
        self.set.append((seconds, call))
        return self

    def cancel(self) -> None:
        self.cancelled += 1


def test_what_ends_in_time_takes_its_timer_along() -> None:
    async def test() -> None:
        timers, event = Timers(), asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(ends_within(event, 5, timers.clocks))
        await settled()
        event.set_result(None)
        assert await waiting is True
        assert ([seconds for seconds, _ in timers.set], timers.cancelled) == ([5], 1)

    asyncio.run(test())


def test_what_is_late_is_left_as_it_was() -> None:
    async def test() -> None:
        timers, event = Timers(), asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(ends_within(event, 5, timers.clocks))
        await settled()
        timers.set[0][1]()
        assert await waiting is False
        # Nothing of whoever waited hangs on it.
        assert not event.done()
        assert not event._callbacks

    asyncio.run(test())


def test_whoever_is_cancelled_leaves_nothing_either() -> None:
    async def test() -> None:
        timers, event = Timers(), asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(ends_within(event, 5, timers.clocks))
        await settled()
        waiting.cancel()
        await asyncio.wait({waiting})
        assert (waiting.cancelled(), event.done(), timers.cancelled) == (True, False, 1)
        assert not event._callbacks

    asyncio.run(test())


def test_what_has_ended_needs_no_timer() -> None:
    async def test() -> None:
        timers, event = Timers(), asyncio.get_running_loop().create_future()
        event.set_result(None)
        assert await ends_within(event, 0, timers.clocks) is True
        assert timers.set == []

    asyncio.run(test())


def test_without_a_time_nothing_but_the_end_ends_it() -> None:
    async def test() -> None:
        timers, event = Timers(), asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(ends_within(event, None, timers.clocks))
        await settled()
        assert (waiting.done(), timers.set) == (False, [])
        event.set_exception(ValueError())
        assert await waiting is True
        event.exception()

    asyncio.run(test())
