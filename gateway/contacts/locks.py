"""One writer at a time per name: what is read, changed and written whole loses nothing.

Within the process the waiting stand in line; between processes the database's lock decides.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.clock import CHANCE, now_ms
from gateway.domain.errors import GatewayError
from gateway.resilience.operation import current_operation
from gateway.store.locks import LockStore

log = structlog.get_logger(__name__)

# How often another process is asked whether it is done.
_POLL_SECONDS = 0.05
# Enough to take a lock that is free: whether there is time for a call is for the call to say.
_SHORTEST_WAIT_SECONDS = 0.25
# Where no operation limits the time.
_LONGEST_WAIT_SECONDS = 60.0


class LockNotTaken(GatewayError):
    """The lock did not become free in time, or the database could not say."""

    blame = "gateway"


class Locks:
    """A lock of this process lives as long as somebody holds or awaits it, so the table stays small."""

    def __init__(
        self, store: LockStore, *, owner: str, lease_seconds: float, clock: Callable[[], int] = now_ms
    ) -> None:
        self._store = store
        self._owner = owner
        self._lease_ms = int(lease_seconds * 1000)
        self._clock = clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def holding(self, name: str) -> AsyncIterator[None]:
        """
        Raises:
            LockNotTaken: when the running operation's time is over before the lock is free.
        """
        give_up_at = time.monotonic() + _patience_seconds()
        lock = self._locks.setdefault(name, asyncio.Lock())
        try:
            # Only the waiting is cut off: a transaction may not be cancelled.
            async with asyncio.timeout(_patience_seconds()):
                await lock.acquire()
        except TimeoutError:
            raise LockNotTaken(name) from None
        try:
            until = await self._take(name, give_up_at)
            try:
                yield
            finally:
                await self._give_back(name, until)
        finally:
            lock.release()

    @asynccontextmanager
    async def holding_all(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Always in the same order, so that two who want the same never wait for each other."""
        async with AsyncExitStack() as held:
            for name in sorted(set(names)):
                await held.enter_async_context(self.holding(name))
            yield

    async def _take(self, name: str, give_up_at: float) -> int:
        """Asks the database until the lock is free; returns until when it is ours."""
        while True:
            now = self._clock()
            until = now + self._lease_ms
            try:
                if await self._store.take(name, owner=self._owner, until=until, now=now):
                    return until
            except SQLAlchemyError as error:
                log.warning("lock_not_taken", error=type(error).__name__)
                raise LockNotTaken(name) from error
            if time.monotonic() > give_up_at:
                raise LockNotTaken(name)
            await asyncio.sleep(_POLL_SECONDS * CHANCE.uniform(0.5, 1.5))

    async def _give_back(self, name: str, until: int) -> None:
        try:
            await self._store.give_back(name, owner=self._owner, until=until)
        except SQLAlchemyError as error:
            # It ends with its lease.
            log.warning("lock_not_given_back", error=type(error).__name__)


def _patience_seconds() -> float:
    left = current_operation().seconds_left
    return _LONGEST_WAIT_SECONDS if left is None else max(left, _SHORTEST_WAIT_SECONDS)
