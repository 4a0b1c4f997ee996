"""The database, SQLite or PostgreSQL: readers see one moment of it, and writers never meet half way."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, nullcontext
from typing import Any

from sqlalchemy import URL, Connection, event, func, make_url, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.store import revisions
from gateway.store.local_reads import LocalReads, Rows

_SQLITE = "sqlite"
_BUSY_SECONDS = 5
_BUSY_TIMEOUT = f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}"
_PAUSE_SECONDS = 0.02
_CONNECT_TIMEOUT_SECONDS = 5
# Any number does, as long as every gateway takes the same one.
_SERIAL_LOCK = 7_019_244_835_110_926


class Database:
    """A pool of connections for one event loop.

    Raises sqlalchemy.exc.SQLAlchemyError when the database fails; nothing is half written then.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.dialect = engine.dialect.name
        self._local = LocalReads(name) if (name := _file_of(engine.url)) else None
        self._turn = asyncio.Lock()
        self._writers = engine.execution_options(writes=True)
        self._bare = engine.execution_options(bare=True)
        self._readers = engine
        if self.dialect != _SQLITE:
            # What takes several queries to read would else be torn by a write between two of them.
            self._readers = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def look_up(self, query: str, parameters: Sequence[str]) -> Rows | None:
        """The rows of one short query by keys, without waiting; None where they cannot be had that way."""
        return self._local.rows(query, parameters) if self._local else None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose queries all see the same moment."""
        async with self._readers.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self, *, serial: bool = False) -> AsyncIterator[AsyncConnection]:
        """One transaction: all of it is written, or nothing when the block is left by an exception.

        `serial` is for what is read in it deciding what is written: of those there is one at a time, over all
        processes on this database. SQLite has one writer at a time anyway.

        A block that has begun may not be cancelled: aiosqlite then lets go of the connection before the
        statement has ended in its thread, and the file stays locked until that connection is collected.
        """
        async with self._turn_of(serial), self._writers.begin() as connection:
            if serial and self.dialect != _SQLITE:
                await connection.execute(select(func.pg_advisory_xact_lock(_SERIAL_LOCK)))
            yield connection

    async def wipe(self) -> bool:
        """Takes what was erased, by whichever process, out of the files too: SQLite's write-ahead log keeps older
        pages for long. False where a reader still needs them; nobody waits for that reader then, because every
        writer would wait along.
        """
        if self.dialect != _SQLITE:
            return True
        async with self._turn, self._bare.connect() as connection:
            await connection.exec_driver_sql("PRAGMA busy_timeout=0")
            try:
                # Expected: an error where it cannot. Actual: a row whose first column says so.
                # https://sqlite.org/pragma.html#pragma_wal_checkpoint
                checkpoint = (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).one()
                await connection.exec_driver_sql(_BUSY_TIMEOUT)
            except SQLAlchemyError:
                # Not back into the pool without its patience. A cancelled one does not get there anyway, and to ask
                # it for anything more would put another exception in the place of the cancellation.
                await connection.invalidate()
                raise
            return bool(checkpoint[0] == 0)

    async def aclose(self) -> None:
        if self._local:
            # Before the others: the last one to close takes the write-ahead log away, which a reader may not.
            self._local.close()
        await self._writers.dispose()

    def _turn_of(self, serial: bool) -> AbstractAsyncContextManager[None]:
        """In this process whoever came first is first, and those who wait hold no connection: SQLite's own
        waiting lets the lucky one pass, and waiters for PostgreSQL's lock would use up the pool."""
        return self._turn if serial or self.dialect == _SQLITE else nullcontext()


async def open_database(url: str) -> Database:
    """A database that has the newest tables; those of an older version of the gateway keep their rows.

    Raises:
        NewerDatabaseFound: when a newer version of the gateway has written it.
        sqlalchemy.exc.SQLAlchemyError: when it cannot be opened or created.
    """
    parsed = make_url(url)
    await _prepare_file(parsed)
    database = Database(_engine(parsed))
    try:
        async with revisions.turn(), database.writing(serial=True) as connection:
            await connection.run_sync(revisions.upgrade)
    except BaseException:
        await database.aclose()
        raise
    return database


def is_of_one_process(url: str) -> bool:
    """Whether nobody else could open it: it is in memory."""
    parsed = make_url(url)
    return parsed.get_backend_name() == _SQLITE and _file_of(parsed) is None


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() == _SQLITE:
        engine = create_async_engine(url)
        event.listen(engine.sync_engine, "connect", _configure_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    timeout = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_TIMEOUT_SECONDS}
    return create_async_engine(
        url,
        connect_args=timeout,
        # Whatever the server's default is: `serial` needs each query to see what was written before it.
        isolation_level="READ COMMITTED",
        pool_size=10,
        max_overflow=20,
        pool_pre_ping=True,
    )


async def _prepare_file(url: URL) -> None:
    """aiosqlite leaves a thread behind when it cannot open a file, which then complains by itself; so
    whether the file can be opened is tried without it."""
    name = _file_of(url)
    if name is None:
        return
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            with closing(sqlite3.connect(name, timeout=_BUSY_SECONDS)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                return
        except sqlite3.Error as error:
            # Expected: busy_timeout. Actual: of two that turn one file to WAL at once, one is refused without it.
            # https://sqlite.org/c3ref/busy_handler.html (the handler is not called where it could not help)
            busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > until:
                raise OperationalError("open", None, error) from error
        await asyncio.sleep(_PAUSE_SECONDS)


def _file_of(url: URL) -> str | None:
    name = url.database
    if url.get_backend_name() != _SQLITE or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return name


def _configure_sqlite(connection: Any, _: Any) -> None:
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


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its lock before it reads: two that read first would refuse each other."""
    options = connection.get_execution_options()
    if not options.get("bare"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")
