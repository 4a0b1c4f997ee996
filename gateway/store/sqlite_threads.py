"""An SQLite file behind threads: one that writes, a few that read; each transaction is one trip to one of them.

Writers that wait are written together. Why: docs/adr/0017, and docs/adr/0019 on how little each of them costs.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import URL, Connection, StaticPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

T = TypeVar("T")

BUSY_SECONDS = 5
_BUSY_TIMEOUT = f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}"
_READERS = 4
_MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T]):
    """A transaction that waits for its turn, and whoever waits for what comes of it."""

    work: Callable[[Connection], T]
    outcome: "asyncio.Future[T]"


@dataclass(frozen=True, slots=True)
class _Failure:
    error: Exception


class _OneFailed(Exception):
    """One of several that were to be written together, whichever it was."""


class SqliteThreads:
    dialect = "sqlite"
    in_order = True

    def __init__(self, url: URL, *, in_memory: bool) -> None:
        # What is in memory is one connection's, and so one thread's.
        pool = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}} if in_memory else {}
        self._engine = create_engine(url, **pool)
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "begin", _begin)
        self._writers = self._engine.execution_options(writes=True)
        self._bare = self._engine.execution_options(bare=True)
        self._waiting: deque[_Waiting[Any]] = deque()
        self._is_called = False
        self._calling: asyncio.Handle | None = None
        self._writer = ThreadPoolExecutor(1, "sqlite-writer")
        self._reader = self._writer if in_memory else ThreadPoolExecutor(_READERS, "sqlite-reader")

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await _in(self._reader, self._read, work)

    async def write(self, work: Callable[[Connection], T], *, serial: bool) -> T:
        """Whoever is cancelled before its turn has written nothing."""
        return await self._enqueue(work)

    async def wipe(self) -> bool:
        return await _in(self._writer, self._wipe)

    async def aclose(self) -> None:
        if self._calling:
            # For those who came in this round of the event loop.
            self._calling.cancel()
            self._call_writer()
        await asyncio.to_thread(self._close)

    def _enqueue(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        # In no frame that a failure passes through: the two would hold each other.
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Waiting(work, outcome))
        # Whoever is called looks for what waits after it has said that it came: nobody is overlooked.
        if not self._is_called:
            self._is_called = True
            # Not yet: it would begin a commit for the first of those that come in this round of the event loop.
            self._calling = loop.call_soon(self._call_writer)
        return outcome

    def _call_writer(self) -> None:
        self._calling = None
        try:
            self._writer.submit(self._write_waiting)
        except RuntimeError as closed:
            self._refuse_waiting(closed)

    def _refuse_waiting(self, closed: RuntimeError) -> None:
        """Those who wait are to learn that, rather than to wait for nobody; and so is whoever comes after them."""
        self._is_called = False
        while waiting := self._taken():
            _tell([one.outcome for one in waiting], [_Failure(closed)] * len(waiting))

    def _taken(self) -> list[_Waiting[Any]]:
        """The next who wait. The thread that writes takes them, and the event loop when that has ended: each is taken
        once."""
        taken: list[_Waiting[Any]] = []
        with suppress(IndexError):
            while len(taken) < _MOST_AT_ONCE:
                taken.append(self._waiting.popleft())
        return taken

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            return work(connection)

    def _write_waiting(self) -> None:
        self._is_called = False
        while waiting := self._taken():
            self._write_some(waiting)

    def _write_some(self, waiting: list[_Waiting[Any]]) -> None:
        """All that wait, in one transaction: to bring it to the disk takes longest, and as long for one as for many.
        Nobody learns that something is written before it is."""
        due = [one for one in waiting if not one.outcome.cancelled()]
        ended = self._together([one.work for one in due]) if due else []
        _wake([one.outcome for one in due], ended)
        # The frames of a failure lead back to this one: what it held would be left for the collector.
        for held in (waiting, due):
            held.clear()

    def _together(self, works: Sequence[Callable[[Connection], Any]]) -> list[Any]:
        """What each came to, a failure as itself."""
        try:
            with self._writers.begin() as connection:
                return _all(connection, works)
        except _OneFailed:
            # Nothing of the first time is left, and one after the other they find out who it was.
            return self._apart(works)
        except Exception as failure:
            return [_Failure(failure)] * len(works)

    def _apart(self, works: Sequence[Callable[[Connection], Any]]) -> list[Any]:
        """The same, each in a savepoint: one that fails takes back its own."""
        try:
            with self._writers.begin() as connection:
                return [_attempt(connection, work) for work in works]
        except Exception as failure:
            return [_Failure(failure)] * len(works)

    def _wipe(self) -> bool:
        with self._bare.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=0")
            try:
                # Expected: an error where it cannot. Actual: a row whose first column says so.
                # https://sqlite.org/pragma.html#pragma_wal_checkpoint
                checkpoint = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
                connection.exec_driver_sql(_BUSY_TIMEOUT)
            except SQLAlchemyError:
                # Not back into the pool without its patience.
                connection.invalidate()
                raise
            return bool(checkpoint[0] == 0)

    def _close(self) -> None:
        """When what is being written has been."""
        for threads in (self._writer, self._reader):
            threads.shutdown()
        self._engine.dispose()


def _all(connection: Connection, works: Sequence[Callable[[Connection], Any]]) -> list[Any]:
    """Without savepoints, which would be half of the statements: hardly anybody ever fails.

    Raises:
        _OneFailed: when one of several did.
        Exception: that of the only one.
    """
    if len(works) == 1:
        return [works[0](connection)]
    try:
        return [work(connection) for work in works]
    except Exception as failure:
        raise _OneFailed from failure


def _attempt(connection: Connection, work: Callable[[Connection], T]) -> "T | _Failure":
    """What one did, or why nothing of it is left; what others did before stays.

    Raises:
        Exception: when nothing of anybody is left, as after a disk that is full.
    """
    part = connection.begin_nested()
    try:
        result = work(connection)
    except Exception as failure:
        part.rollback()
        return _Failure(failure)
    part.commit()
    return result


def _wake(outcomes: list[asyncio.Future[Any]], ended: list[Any]) -> None:
    """The event loop is woken once for all of them: each time costs it more than telling."""
    if outcomes:
        # Closed since: there is nobody left to be told.
        with suppress(RuntimeError):
            outcomes[0].get_loop().call_soon_threadsafe(_tell, outcomes, ended)


def _tell(outcomes: list[asyncio.Future[Any]], ended: list[Any]) -> None:
    for outcome, end in zip(outcomes, ended, strict=True):
        if outcome.cancelled():
            continue
        if isinstance(end, _Failure):
            outcome.set_exception(end.error)
        else:
            outcome.set_result(end)
    # As in _write_some.
    outcomes.clear()
    ended.clear()


async def _in(threads: ThreadPoolExecutor, work: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, work, *arguments)


def _configure(connection: Any, _: Any) -> None:
    # Expected: BEGIN when SQLAlchemy says so. Actual: sqlite3 begins by itself, late, at the first write.
    # https://docs.sqlalchemy.org/en/20/dialects/sqlite.html (serializable isolation, savepoints)
    connection.isolation_level = None
    cursor: sqlite3.Cursor = connection.cursor()
    cursor.execute(_BUSY_TIMEOUT)
    cursor.execute("PRAGMA journal_mode=WAL")
    # Without it SQLite does not look at foreign keys, and PostgreSQL would refuse what it takes.
    cursor.execute("PRAGMA foreign_keys=ON")
    # What is erased is overwritten, not only let go of.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    """A writer takes its lock before it reads: two that read first would refuse each other."""
    options = connection.get_execution_options()
    if not options.get("bare"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")
