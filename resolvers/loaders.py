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
        self._closed = False

    async def batch_load_fn(self, keys: list[RecordKey]) -> list[Answer]:
        task = asyncio.current_task()
        assert task is not None
        if self._closed:
            raise asyncio.CancelledError
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return [await self._reading.record(key) for key in keys]

    def close(self) -> None:
        """Ends the reads under way, and begins no more. They run in tasks of the loader's own, which would go on when
        whoever waits for them is cancelled."""
        self._closed = True
        for task in self._at_work:
            task.cancel()


class FamilyLoader(DataLoader[RecordKey, Family]):
    """All families that a level of the answer needs come with one look into the database."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading

    async def batch_load_fn(self, keys: list[RecordKey]) -> list[Family]:
        families = await self._reading.families(keys)
        return [families[key] for key in keys]
