"""Waiting for an event, but not for ever, by a clock that a test can turn."""

import asyncio
from typing import Any

from gateway.clock import Clocks


async def ends_within(future: "asyncio.Future[Any]", seconds: float | None, clocks: Clocks) -> bool:
    """Whether it ended in time, however it did; None waits without an end. It is never cancelled from here."""
    if future.done():
        return True
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(_: object = None) -> None:
        if not over.done():
            over.set_result(None)

    # asyncio.wait beside a task that sleeps does the same in ten times the time.
    future.add_done_callback(end)
    timer = None if seconds is None else clocks.call_later(seconds, end)
    try:
        await over
    finally:
        future.remove_done_callback(end)
        if timer is not None:
            timer.cancel()
    return future.done()
