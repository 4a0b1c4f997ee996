"""What the gateway does on its own: takes interrupted writes up, looks for unknown ones, forgets old ones."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.clock import CHANCE
from gateway.contacts.journal import Journal
from gateway.contacts.writing import Writing
from gateway.domain.errors import GatewayError
from gateway.domain.writes import WriteInProgress
from gateway.incident import report
from gateway.resilience.operation import operation
from gateway.store.locks import LockStore
from gateway.store.operation import StoredOperation

log = structlog.get_logger(__name__)

_PAUSE_SECONDS = 1.0
# At a time, so that looking leaves the providers' budgets to those who wait for an answer.
_LOOKS_AT_ONCE = 4
_LOOKS_IN_A_ROUND = 20
_LOCK_MEMORY_MS = 3_600_000
# Seldom enough to cost nothing, soon enough for what nobody should find in a file any more.
_WIPE_EVERY_MS = 10_000


class Caretaker:
    """`retention`: how long writes are remembered; `look_seconds`: what one look may take."""

    def __init__(
        self, writing: Writing, journal: Journal, locks: LockStore, *, retention: timedelta, look_seconds: float
    ) -> None:
        self._writing = writing
        self._journal = journal
        self._locks = locks
        self._retention_ms = int(retention.total_seconds() * 1000)
        self._look_seconds = look_seconds
        self._wipe_at = 0

    async def run(self) -> None:
        """Until it is cancelled. A database that does not answer is asked again in the next round."""
        while True:
            try:
                await self.round()
            except SQLAlchemyError as error:
                log.warning("caretaker_round_failed", error=type(error).__name__)
            except Exception as unexpected:
                report("caretaker_broke", unexpected)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def round(self) -> None:
        """Everything that is to be done now, once."""
        now = self._journal.clock()
        abandoned = [one for one in await self._journal.store.unfinished() if not self._journal.is_running(one)]
        # Any of them, so that some that fail again and again do not stand in the way of the rest.
        await self._look_at(CHANCE.sample(abandoned, min(len(abandoned), _LOOKS_IN_A_ROUND)))
        await self._look_at(await self._journal.store.to_look_at(now=now, limit=_LOOKS_IN_A_ROUND))
        forgotten = await self._journal.store.purge(before=now - self._retention_ms, now=now)
        if forgotten:
            log.info("operations_forgotten", count=forgotten)
        await self._locks.forget_expired(now=now - _LOCK_MEMORY_MS)
        # Whatever this gateway erased itself: one that was killed cannot wipe any more.
        if now >= self._wipe_at and await self._journal.store.wipe():
            self._wipe_at = now + _WIPE_EVERY_MS

    async def _look_at(self, operations: Iterable[StoredOperation]) -> None:
        slots = asyncio.Semaphore(_LOOKS_AT_ONCE)

        async def one(stored: StoredOperation) -> None:
            async with slots:
                with operation(deadline_seconds=self._look_seconds, background=True):
                    await self._look(stored)

        await asyncio.gather(*(one(stored) for stored in operations))

    async def _look(self, stored: StoredOperation) -> None:
        try:
            written = await self._writing.look_again(stored)
        except WriteInProgress:
            # Another gateway was quicker.
            return
        except GatewayError as error:
            log.warning("look_failed", operation_id=stored.id, error=type(error).__name__)
            return
        log.info("looked_for_write", operation_id=stored.id, status=written.status)
