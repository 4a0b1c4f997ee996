"""The calls of a request: broken off together with it, and left to go on when its answer did not wait for them."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from gateway.clock import Clocks

T = TypeVar("T")

MAX_LINGERING = 1_000


class Lingering:
    """Holds the calls that go on after the answer that they were made for was given; they end with their operation's
    deadline at the latest. One too many is broken off: asking again makes the call anew. Close it in the end."""

    def __init__(self, clocks: Clocks, *, at_most: int = MAX_LINGERING) -> None:
        self.clocks = clocks
        self._at_most = at_most
        self._tasks: set[asyncio.Task[Any]] = set()

    def calls(self) -> "Calls":
        """For one request. Whoever answers it says how that ended."""
        return Calls(self)

    def take_over(self, task: asyncio.Task[Any]) -> None:
        if len(self._tasks) >= self._at_most:
            task.cancel()
            return
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Calls:
    """The calls of one request. In the end they are handed over or broken off."""

    def __init__(self, lingering: Lingering) -> None:
        self.clocks = lingering.clocks
        self._lingering = lingering
        self._tasks: set[asyncio.Task[Any]] = set()
        self._over = False

    def start(self, call: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """It keeps what the running operation may spend, its deadline and its caller."""
        task = asyncio.create_task(call)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        if self._over:
            self._lingering.take_over(task)
        return task

    def hand_over(self) -> None:
        """The answer was given; what it did not wait for goes on."""
        self._over = True
        for task in self._tasks:
            self._lingering.take_over(task)

    async def break_off(self) -> None:
        """Nobody is going to ask again: whatever is under way is cancelled, and has ended; not what was handed over."""
        if self._over:
            return
        self._over = True
        under_way = tuple(self._tasks)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Looked at, because perhaps nobody else will: asyncio complains of what nobody looked at.
            task.exception()
