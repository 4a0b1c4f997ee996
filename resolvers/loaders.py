"""Each record is read once per request, however often it is asked for."""

import asyncio
from collections.abc import Iterable

from aiodataloader import DataLoader

from gateway.contacts.lingering import Calls
from gateway.contacts.reading import Reading
from gateway.domain.contact import RecordKey
from gateway.domain.merge import Answer
from gateway.store.links import Family


class RecordLoader:
    """Failures are answers, so that one bad record fails nobody else.

    No DataLoader: no provider reads several records in one call, and what a DataLoader has begun belongs to nobody, so
    that it could not be broken off together with the request.
    """

    def __init__(self, reading: Reading, calls: Calls) -> None:
        self._reading = reading
        self._calls = calls
        self._asked: dict[tuple[RecordKey, int | None], asyncio.Future[Answer]] = {}
        self._gone: set[RecordKey] = set()

    def load(self, key: RecordKey, max_age_seconds: int | None = None) -> "asyncio.Future[Answer]":
        """Who wants it newer than others do asks for themselves."""
        asked = self._asked.get((key, max_age_seconds))
        if asked is None:
            reading = self._answer(key, max_age_seconds)
            asked = self._asked[key, max_age_seconds] = self._calls.start(reading)
        return asked

    def forget(self, key: RecordKey, *, gone: bool = False) -> None:
        """What was read before a write; nobody has to be asked for what is gone since."""
        self._asked = {asked: answer for asked, answer in self._asked.items() if asked[0] != key}
        (self._gone.add if gone else self._gone.discard)(key)

    async def _answer(self, key: RecordKey, max_age_seconds: int | None) -> Answer:
        if key in self._gone:
            return Answer(key=key)
        return await self._reading.record(key, max_age_seconds=max_age_seconds)


class FamilyLoader:
    """The family of a record; where the database has to be waited for, all that a level of the answer needs come with
    one look into it."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._together: _Families | None = None
        self._known: dict[RecordKey, Family] = {}

    async def load(self, key: RecordKey) -> Family:
        # A look takes less time than to wait for others.
        family = self._known.get(key) or self._reading.family_at_once(key) or await self._with_others(key)
        self._known[key] = family
        return family

    async def _with_others(self, key: RecordKey) -> Family:
        if self._together is None:
            self._together = _Families(self._reading)
        return await self._together.load(key)

    async def load_many(self, keys: Iterable[RecordKey]) -> list[Family]:
        wanted = list(keys)
        families = await self._reading.families(wanted)
        return [families[key] for key in wanted]

    def forget(self) -> None:
        """What was read before a write."""
        self._known.clear()
        self._together = None


class _Families(DataLoader[RecordKey, Family]):
    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading

    async def batch_load_fn(self, keys: list[RecordKey]) -> list[Family]:
        families = await self._reading.families(keys)
        return [families[key] for key in keys]
