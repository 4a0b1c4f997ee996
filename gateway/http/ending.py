"""The end of the server: when it began, and when what still runs is broken off."""

import asyncio
from collections.abc import Coroutine
from typing import Any

# For what is broken off to put down what it holds: an answer, the record of a write.
_LAST_SECONDS = 2.0


class Ending(asyncio.Event):
    """Set when the server is to stop; `over` is set `seconds` after that, or at once by `hurry`."""

    def __init__(self, seconds: float = 30.0) -> None:
        super().__init__()
        self._seconds = seconds
        self.over = asyncio.Event()

    def set(self) -> None:
        if not self.is_set() and not self.over.is_set():
            asyncio.get_running_loop().call_later(self._seconds, self.over.set)
        super().set()

    def hurry(self) -> None:
        self.over.set()

    async def bound(self, work: Coroutine[Any, Any, None]) -> bool:
        """Whether the work came to its end; when there is no time left it is cancelled, and waited for a moment."""
        task = asyncio.ensure_future(work)
        over = asyncio.ensure_future(self.over.wait())
        await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if task.done():
            task.result()
            return True
        await broken_off({task})
        return False


async def broken_off(tasks: set[asyncio.Task[None]]) -> None:
    """Cancels them; one that does not give up is left behind."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_LAST_SECONDS)
