"""The database, SQLite or PostgreSQL: readers see one moment of it, and writers never meet half way."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import OperationalError

from gateway.store.local_reads import LocalReads, Rows
from gateway.store.sqlite_threads import BUSY_SECONDS, SqliteThreads
from gateway.store.versions import is_newest, made_newest

if TYPE_CHECKING:
    from gateway.store.postgresql_pool import PostgresqlPool

T = TypeVar("T")

_SQLITE = "sqlite"
_PAUSE_SECONDS = 0.02


def _unheard() -> None:
    """Nobody listens."""


class Database:
    """For one event loop. What is read or written at once is a function of a connection: it runs in a thread of its own
    (SQLite) or in a greenlet (PostgreSQL), and may neither await anything nor keep the connection.

    Raises sqlalchemy.exc.SQLAlchemyError when the database fails; nothing is half written then.
    """

    def __init__(self, engine: "SqliteThreads | PostgresqlPool", local: LocalReads | None = None) -> None:
        self._engine = engine
        self._local = local
        self._wrote: Callable[[], None] = _unheard

    @property
    def dialect(self) -> str:
        return self._engine.dialect

    @property
    def in_order(self) -> bool:
        """Whether nobody who writes waits behind somebody who came later, a serial writer included."""
        return self._engine.in_order

    def look_up(self, query: str, parameters: Sequence[str]) -> Rows | None:
        """The rows of one short query by keys, without waiting; None where they cannot be had that way."""
        return self._local.rows(query, parameters) if self._local else None

    async def read(self, work: Callable[[Connection], T]) -> T:
        """All of its queries see the same moment."""
        return await self._engine.read(work)

    async def write(self, work: Callable[[Connection], T], *, serial: bool = False) -> T:
        """One transaction: all of it is written, or nothing when the work ends in an exception. Whoever is cancelled
        while it runs does not learn which. The work may be run a second time, when nothing of the first is left.

        `serial` is for what is read in it deciding what is written: of those there is one at a time, over all
        processes on this database. SQLite has one writer at a time anyway.
        """
        written = await self._engine.write(work, serial=serial)
        self._wrote()
        return written

    def watch_writes(self, wrote: Callable[[], None]) -> None:
        """From now on it is called after each transaction that was written, before whoever waits for that goes on."""
        self._wrote = wrote

    async def wipe(self) -> bool:
        """Takes what was erased, by whichever process, out of the files too: SQLite's write-ahead log keeps older
        pages for long. False where a reader still needs them; nobody waits for that reader then, because every
        writer would wait along.
        """
        return await self._engine.wipe()

    async def aclose(self) -> None:
        if self._local:
            # Before the others: the last one to close takes the write-ahead log away, which a reader may not.
            self._local.close()
        await self._engine.aclose()


async def open_database(url: str) -> Database:
    """A database that has the newest tables; those of an older version of the gateway keep their rows.

    Raises:
        NewerDatabaseFound: when a newer version of the gateway has written it.
        sqlalchemy.exc.SQLAlchemyError: when it cannot be opened or created.
    """
    parsed = make_url(url)
    await _prepare_file(parsed)
    file = _file_of(parsed)
    database = Database(_engine(parsed), LocalReads(file) if file else None)
    try:
        if not (await database.read(is_newest) or await database.write(made_newest, serial=True)):
            # alembic is ten megabytes, for the one start after an update.
            from gateway.store import revisions

            async with revisions.turn():
                await database.write(revisions.upgrade, serial=True)
    except BaseException:
        await database.aclose()
        raise
    return database


def is_of_one_process(url: str) -> bool:
    """Whether nobody else could open it: it is in memory."""
    parsed = make_url(url)
    return parsed.get_backend_name() == _SQLITE and _file_of(parsed) is None


def _engine(url: URL) -> "SqliteThreads | PostgresqlPool":
    if url.get_backend_name() == _SQLITE:
        return SqliteThreads(url, in_memory=_file_of(url) is None)
    # SQLAlchemy's asyncio is another eight megabytes.
    from gateway.store.postgresql_pool import postgresql_pool

    return postgresql_pool(url)


async def _prepare_file(url: URL) -> None:
    """Whether the file can be opened is known before a thread is there for it."""
    name = _file_of(url)
    if name is None:
        return
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with closing(sqlite3.connect(name, timeout=BUSY_SECONDS)) as connection:
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
