"""Waiting for an event, but not for ever, by a clock that a test can turn."""

import asyncio
from typing import Any

from gateway.clock import Sleep


async def ends_within(future: "asyncio.Future[Any]", seconds: float | None, sleep: Sleep) -> bool:
    """Whether it ended in time, however it did; None waits without an end. It is never cancelled from here."""
    if seconds is None:
        await asyncio.wait({future})
        return True
    nap = asyncio.ensure_future(sleep(seconds))
    try:
        await asyncio.wait({future, nap}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        nap.cancel()
    return future.done()
