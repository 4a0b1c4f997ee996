"""Somebody whose transaction does not come to an end, so that others have to wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.store.database import Database


@asynccontextmanager
async def somebody_writing(database: Database) -> AsyncIterator[None]:
    """Until the block is left."""
    if database.dialect == "postgresql":
        async with database._engine._turn:
            yield
        return
    begun, release = threading.Event(), threading.Event()
    work = asyncio.create_task(database.write(lambda _: begun.set() or release.wait(30)))
    await asyncio.to_thread(begun.wait, 30)
    try:
        yield
    finally:
        release.set()
        await work
