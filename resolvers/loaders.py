"""Each record is read once per request, however often it is asked for."""

import asyncio
from typing import Any

from aiodataloader import DataLoader

from gateway.contacts.reading import Reading
from gateway.domain.contact import RecordKey
from gateway.domain.merge import Answer
from gateway.store.links import Family


class RecordLoader(DataLoader[RecordKey, Answer]):
    """Failures are answers, so that one bad record fails nobody else."""

    # No provider reads several records in one call; a batch would only make the quick wait for the slow.
    batch = False

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading
        self._at_work: set[asyncio.Task[Any]] = set()
        self._ended = False

    async def batch_load_fn(self, keys: list[RecordKey]) -> list[Answer]:
        task = asyncio.current_task()
        assert task is not None
        if self._ended:
            # It was queued, and whoever wanted it is gone.
            raise asyncio.CancelledError
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return [await self._reading.record(key) for key in keys]

    async def end(self) -> None:
        """Cancels what is still being read: each read is a task of its own, which nobody's leaving ends."""
        self._ended = True
        reading = list(self._at_work)
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


class FamilyLoader(DataLoader[RecordKey, Family]):
    """All families that a level of the answer needs come with one look into the database."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading

    async def batch_load_fn(self, keys: list[RecordKey]) -> list[Family]:
        families = await self._reading.families(keys)
        return [families[key] for key in keys]
