"""Time that passes when a test says so, for everything that waits in one event loop."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from itertools import count

from gateway.clock import Clocks

BEGIN = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)


class FakeTime:
    def __init__(self) -> None:
        self.now = 1_000.0
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self._somebody_sleeps = asyncio.Event()
        self._order = count()
        self.clocks = Clocks(monotonic=lambda: self.now, wall=self.wall, sleep=self.sleep)

    def wall(self) -> datetime:
        return BEGIN + timedelta(seconds=self.now - 1_000.0)

    async def sleep(self, seconds: float) -> None:
        ends: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self.now + seconds, next(self._order), ends)
        self._sleeping.append(entry)
        self._somebody_sleeps.set()
        try:
            await ends
        finally:
            self._sleeping.remove(entry)
            if not self._sleeping:
                self._somebody_sleeps.clear()

    @property
    def sleepers(self) -> int:
        """How many timers run."""
        return len(self._sleeping)

    async def until_somebody_sleeps(self) -> None:
        await self._somebody_sleeps.wait()

    async def pass_by(self, seconds: float) -> None:
        """Wakes whoever sleeps, each at its time."""
        await settle()
        end = self.now + seconds
        while self._sleeping and min(self._sleeping)[0] <= end:
            at, _, first = min(self._sleeping)
            self.now = max(self.now, at)
            if not first.done():
                first.set_result(None)
            await settle()
        self.now = end
        await settle()


async def settle() -> None:
    """Lets everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)
