"""Time that passes only when a test says so."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from itertools import count

from gateway.clock import Clocks
from tests.later import by_sleeping

BEGINNING = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)


class VirtualTime:
    """`advance` lets time pass and wakes whoever slept until then, in order; with `by_itself` each sleep passes at once
    and takes its time with it. `slept` are all sleeps that were begun."""

    def __init__(self, *, by_itself: bool = False, jitter: float = 1.0) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []
        self.jitter = jitter
        self._by_itself = by_itself
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self._somebody_sleeps = asyncio.Event()
        self._order = count()

    def __call__(self) -> float:
        return self.now

    @property
    def clocks(self) -> Clocks:
        return Clocks(
            monotonic=self,
            wall=self.wall,
            sleep=self.sleep,
            call_later=by_sleeping(self.sleep),
            jitter=lambda: self.jitter,
        )

    def wall(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.now - 1_000)

    @property
    def sleepers(self) -> int:
        return len(self._sleeping)

    async def until_somebody_sleeps(self) -> None:
        await self._somebody_sleeps.wait()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self._by_itself:
            self.now += seconds
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self.now + seconds, next(self._order), woken)
        self._sleeping.append(entry)
        self._somebody_sleeps.set()
        try:
            await woken
        finally:
            self._sleeping.remove(entry)
            if not self._sleeping:
                self._somebody_sleeps.clear()

    async def advance(self, seconds: float) -> None:
        await settled()
        end = self.now + seconds
        while self._sleeping and min(self._sleeping)[0] <= end:
            at, _, first = min(self._sleeping)
            self.now = max(self.now, at)
            if not first.done():
                first.set_result(None)
            await settled()
        self.now = end
        await settled()


async def settled() -> None:
    """Everybody who can go on has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)
