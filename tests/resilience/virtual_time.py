"""Time that passes only when a test says so."""

from __future__ import annotations

import asyncio
import heapq
from datetime import datetime, timedelta, timezone
from itertools import count

from gateway.clock import Clocks

BEGINNING = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)


class VirtualTime:
    """`advance` lets time pass and wakes whoever slept until then, in order; with `by_itself` each sleep passes at once
    and takes its time with it. `slept` are all sleeps that were begun."""

    def __init__(self, *, by_itself: bool = False, jitter: float = 1.0) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []
        self.jitter = jitter
        self._by_itself = by_itself
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def __call__(self) -> float:
        return self.now

    @property
    def clocks(self) -> Clocks:
        return Clocks(monotonic=self, wall=self._wall, sleep=self.sleep, jitter=lambda: self.jitter)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self._by_itself:
            self.now += seconds
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        end = self.now + seconds
        await settled()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.now, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await settled()
        self.now = end
        await settled()

    def _wall(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.now - 1_000)


async def settled() -> None:
    """Everybody who can go on has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)
