"""Time under the control of a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2031, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass
class FakeTime:
    """A clock that stands still, and a sleep that only writes down how long it was."""

    now: datetime = START
    naps: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
