"""Brings a database to the newest version of the tables, and refuses one that a newer gateway has written."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Column, Connection, false, inspect

from gateway.store.tables import ALIASES, LINKS
from gateway.store.versions import NewerDatabaseFound

_FOLDER = Path(__file__).parent / "migrations"
# What gateways made before they counted versions.
_UNCOUNTED = "0001"
_ALEMBIC = threading.Lock()
_PAUSE_SECONDS = 0.01


@asynccontextmanager
async def turn() -> AsyncIterator[None]:
    """alembic keeps what it works on in globals of the process: two upgrades at once would take each other's.

    A lock of threads that is asked for, rather than one of asyncio: several event loops may run here.
    """
    while not _ALEMBIC.acquire(blocking=False):  # noqa: ASYNC110 - an Event would belong to one event loop
        await asyncio.sleep(_PAUSE_SECONDS)
    try:
        yield
    finally:
        _ALEMBIC.release()


def upgrade(connection: Connection) -> None:
    """To be run within `turn` and in a transaction that nobody else can be in at the same time.

    Raises:
        NewerDatabaseFound: nothing was changed.
    """
    config = Config()
    # The percent sign is what configparser replaces by.
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    versions = MigrationContext.configure(connection)
    found = set(versions.get_current_heads())
    if not found <= {script.revision for script in scripts.walk_revisions()}:
        raise NewerDatabaseFound
    if found == set(scripts.get_heads()):
        return
    if not found and _is_uncounted(connection):
        _complete(connection, versions)
        versions.stamp(scripts, _UNCOUNTED)
    command.upgrade(config, "head")


def _complete(connection: Connection, versions: MigrationContext) -> None:
    """The first gateways made links that did not tell whether a record is gone: they dropped the row."""
    if "gone" not in {column["name"] for column in inspect(connection).get_columns(LINKS.name)}:
        Operations(versions).add_column(LINKS.name, Column("gone", Boolean, nullable=False, server_default=false()))


def _is_uncounted(connection: Connection) -> bool:
    return {LINKS.name, ALIASES.name} <= set(inspect(connection).get_table_names())
