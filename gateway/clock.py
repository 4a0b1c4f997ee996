"""What time it is. Whoever needs to know takes one of these as a parameter, so that a test can say otherwise."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from random import SystemRandom
from typing import Protocol, TypeAlias

Monotonic: TypeAlias = Callable[[], float]
"""Seconds that only ever grow, from no particular beginning."""

Sleep: TypeAlias = Callable[[float], Awaitable[None]]
"""Waits for so many seconds."""


class Timer(Protocol):
    def cancel(self) -> None:
        """It does not ring any more."""


CallLater: TypeAlias = Callable[[float, Callable[[], None]], Timer]
"""Calls after so many seconds, without a task for it."""

Jitter: TypeAlias = Callable[[], float]
"""A random share, from 0 up to 1."""

CHANCE = SystemRandom()
"""For all that is left to chance. It has no state that could be seeded from outside or be shared by processes."""


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def call_later(seconds: float, call: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(seconds, call)


def now_ms() -> int:
    """The time that is kept: milliseconds since 1970, the same for every process on one database."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Clocks:
    """Everything about time that policies need, so that a test can let it pass as it likes."""

    monotonic: Monotonic = time.monotonic
    wall: Callable[[], datetime] = utc_now
    sleep: Sleep = asyncio.sleep
    call_later: CallLater = call_later
    jitter: Jitter = CHANCE.random
