"""Calling after a while, for tests whose time passes otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.clock import CallLater, Sleep, Timer


def by_sleeping(sleep: Sleep) -> CallLater:
    def call_later(seconds: float, call: Callable[[], None]) -> Timer:
        async def ring() -> None:
            await sleep(seconds)
            call()

        return asyncio.ensure_future(ring())

    return call_later
