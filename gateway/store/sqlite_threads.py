"""An SQLite file behind threads: one that writes, a few that read; each transaction is one trip to one of them.

Writers that wait are written together. Why: docs/adr/0017.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
    outcome: "Future[T]"


@dataclass(frozen=True, slots=True)
class _Failure:
    error: Exception


class SqliteThreads:
    dialect = "sqlite"

    def __init__(self, url: URL, *, in_memory: bool) -> None:
        # What is in memory is one connection's, and so one thread's.
        pool = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}} if in_memory else {}
        self._engine = create_engine(url, **pool)
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "begin", _begin)
        self._writers = self._engine.execution_options(writes=True)
        self._bare = self._engine.execution_options(bare=True)
        self._waiting: deque[_Waiting[Any]] = deque()
        self._writer = ThreadPoolExecutor(1, "sqlite-writer")
        self._reader = self._writer if in_memory else ThreadPoolExecutor(_READERS, "sqlite-reader")

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await _in(self._reader, self._read, work)

    async def write(self, work: Callable[[Connection], T], *, serial: bool) -> T:
        """Whoever is cancelled before its turn has written nothing."""
        return await asyncio.wrap_future(self._enqueue(work))

    async def wipe(self) -> bool:
        return await _in(self._writer, self._wipe)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._close)

    def _enqueue(self, work: Callable[[Connection], T]) -> Future[T]:
        # In no frame that a failure passes through: the two would hold each other.
        outcome: Future[T] = Future()
        self._waiting.append(_Waiting(work, outcome))
        self._writer.submit(self._write_waiting)
        return outcome

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            return work(connection)

    def _write_waiting(self) -> None:
        """All that wait, in one transaction: to bring it to the disk takes longest, and as long for one as for many.
        Nobody learns that something is written before it is."""
        waiting = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_AT_ONCE))]
        due = [one for one in waiting if one.outcome.set_running_or_notify_cancel()]
        ended = self._together([one.work for one in due]) if due else []
        _tell([one.outcome for one in due], ended)
        # The frames of a failure lead back to this one: what it held would be left for the collector.
        for held in (waiting, due, ended):
            held.clear()

    def _together(self, works: Sequence[Callable[[Connection], Any]]) -> list[Any]:
        """What each came to, a failure as itself."""
        try:
            with self._writers.begin() as connection:
                return [_attempt(connection, work, alone=len(works) == 1) for work in works]
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


def _attempt(connection: Connection, work: Callable[[Connection], T], *, alone: bool) -> "T | _Failure":
    """What one did, or why nothing of it is left; what others did before stays.

    Raises:
        Exception: when nothing of anybody is left, as after a disk that is full.
    """
    if alone:
        return work(connection)
    part = connection.begin_nested()
    try:
        result = work(connection)
    except Exception as failure:
        part.rollback()
        return _Failure(failure)
    part.commit()
    return result


def _tell(outcomes: Iterable[Future[Any]], ended: Iterable[Any]) -> None:
    for outcome, end in zip(outcomes, ended, strict=True):
        if isinstance(end, _Failure):
            outcome.set_exception(end.error)
        else:
            outcome.set_result(end)


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
