"""An event loop whose time passes only when nothing else can happen: sixty seconds of waiting take no time.

Sockets stay real. Before time is let pass, the loop looks whether anything has arrived; what both ends of a loopback
connection send each other within one loop is there as soon as it was sent.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from gateway.clock import Clocks

T = TypeVar("T")

_BEGIN = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
# For the kernel to carry a byte from one socket of this process to another one.
_GRACE_SECONDS = 0.0005


class _Selector(selectors.DefaultSelector):  # type: ignore[valid-type, misc]  # its class depends on the platform
    """Lets time pass in the place of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if not ready and (timeout is None or timeout > 0):
            ready = super().select(_GRACE_SECONDS)
        if not ready and timeout:
            self.now += timeout
        assert ready or timeout is not None, "everybody waits for somebody, and no time-out will end it"
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now

    def wall(self) -> datetime:
        return _BEGIN + timedelta(seconds=self._virtual.now)

    @property
    def clocks(self) -> Clocks:
        return Clocks(monotonic=self.time, wall=self.wall, sleep=asyncio.sleep)


def run(main: Coroutine[Any, Any, T]) -> T:
    """`main` to its end, in a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def this_loop() -> VirtualTimeLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    return loop
