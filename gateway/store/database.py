"""The database: its tables, and an engine whose writers never meet half way.

SQLite by default; the tables are created at the first start.
"""

import sqlite3
from contextlib import closing
from typing import Any

from sqlalchemy import URL, Boolean, Column, Connection, Index, MetaData, String, Table, event, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

METADATA = MetaData()

_PROVIDER = String(32)
_REMOTE_ID = String(200)

# A record and the anchor of the contact that it belongs to; a record on its own has no row.
LINKS = Table(
    "links",
    METADATA,
    Column("provider", _PROVIDER, primary_key=True),
    Column("remote_id", _REMOTE_ID, primary_key=True),
    Column("anchor_provider", _PROVIDER, nullable=False),
    Column("anchor_remote_id", _REMOTE_ID, nullable=False),
    # Deleted through this gateway: still leads to its contact, but appears in no list.
    Column("gone", Boolean, nullable=False, default=False),
    Index("links_by_anchor", "anchor_provider", "anchor_remote_id"),
)

# An id that its provider has replaced, and the one that took its place.
ALIASES = Table(
    "aliases",
    METADATA,
    Column("provider", _PROVIDER, primary_key=True),
    Column("remote_id", _REMOTE_ID, primary_key=True),
    Column("new_remote_id", _REMOTE_ID, nullable=False),
)


async def open_database(url: str) -> AsyncEngine:
    """An engine on a database that has its tables.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: when it cannot be opened or created.
    """
    _check_file(make_url(url))
    engine = create_async_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _configure_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    async with engine.execution_options(writes=True).begin() as connection:
        await connection.run_sync(METADATA.create_all)
    return engine


def _check_file(url: URL) -> None:
    """aiosqlite leaves a thread behind when it cannot open a file, which then complains by itself; so
    whether the file can be opened is tried without it."""
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return
    try:
        with closing(sqlite3.connect(name)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        raise OperationalError("open", None, error) from error


def _configure_sqlite(connection: Any, _: Any) -> None:
    # Expected: BEGIN when SQLAlchemy says so. Actual: sqlite3 begins by itself, late, at the first write.
    # https://docs.sqlalchemy.org/en/20/dialects/sqlite.html (serializable isolation, savepoints)
    connection.isolation_level = None
    cursor: sqlite3.Cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its lock before it reads: two that read first would refuse each other."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
