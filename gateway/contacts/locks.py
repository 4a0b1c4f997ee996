"""One writer at a time per record within this process: what is read, changed and written whole loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from gateway.domain.contact import RecordKey


class RecordLocks:
    """A lock lives as long as somebody holds or awaits it, so the table stays small."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[RecordKey, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def holding(self, key: RecordKey) -> AsyncIterator[None]:
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        async with lock:
            yield
