"""Calls that happen after a while unless somebody stops them."""

import asyncio
from collections.abc import Callable


class Alarm:
    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop, self._ring = loop, ring
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        return self._handle is not None

    def set(self, seconds: float) -> None:
        """One that is set already keeps its time."""
        if self._handle is None:
            self._handle = self._loop.call_later(seconds, self._rings)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _rings(self) -> None:
        self._handle = None
        self._ring()


class PatientAlarm:
    """For what is set and stopped again and again: its timer stays, and when it is over, it looks whether there is
    still something to wait for. `cancel` it in the end, or it holds whoever would be called."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop, self._ring = loop, ring
        self._handle: asyncio.TimerHandle | None = None
        self._due: float | None = None

    def set(self, seconds: float) -> None:
        """Anew, if it is set already."""
        self._due = self._loop.time() + seconds
        if self._handle is None:
            self._handle = self._loop.call_later(seconds, self._look)

    def stop(self) -> None:
        self._due = None

    def cancel(self) -> None:
        self._due = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _look(self) -> None:
        self._handle = None
        if self._due is None:
            return
        left = self._due - self._loop.time()
        if left > 0:
            self._handle = self._loop.call_later(left, self._look)
            return
        self._due = None
        self._ring()
