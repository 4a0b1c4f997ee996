"""Whether workers still go on: each counts in memory that its parent reads, for as long as its event loop turns."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from mmap import mmap

from gateway.worker_places import Place

_BEAT_SECONDS = 0.5
_COUNT_BYTES = 8
# In a row, and spread over the whole time: when the machine has stood still, that is one of them and not all.
_LOOKS = 10


class Pulses:
    """A count for each worker, shared with those that are forked afterwards."""

    def __init__(self, workers: int) -> None:
        self._counts = memoryview(mmap(-1, workers * _COUNT_BYTES)).cast("Q")

    def __getitem__(self, worker: int) -> int:
        return self._counts[worker]

    @contextmanager
    def of(self, worker: int) -> Iterator[None]:
        """Inside, in the worker's running event loop, its count grows twice a second."""
        beating = asyncio.get_running_loop().create_task(self._beat(worker))
        try:
            yield
        finally:
            beating.cancel()

    async def _beat(self, worker: int) -> None:
        while True:
            self._counts[worker] += 1
            await asyncio.sleep(_BEAT_SECONDS)


class Watch:
    """Looks at workers that serve. `due` is the moment of the next look, None where nobody looks: with a time of 0."""

    def __init__(self, pulses: Pulses, *, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        self.due = time.monotonic() if timeout_seconds > 0 else None
        self._pulses = pulses
        # By worker: what was read last, and at how many looks in a row.
        self._last: dict[int, tuple[int, int]] = {}

    def look(self, places: Iterable[Place]) -> list[Place]:
        """Those that have not counted for the whole time."""
        self.due = time.monotonic() + self.timeout_seconds / _LOOKS
        return [place for place in places if self._is_silent(place)]

    def _is_silent(self, place: Place) -> bool:
        if place.process is None or not place.is_ready:
            self._last.pop(place.number, None)
            return False
        count = self._pulses[place.number]
        before, times = self._last.get(place.number, (count, -1))
        times = times + 1 if count == before else 0
        self._last[place.number] = (count, times)
        if times < _LOOKS:
            return False
        del self._last[place.number]
        return True
