"""Which version of the tables a database has, told without alembic: at nearly every start it is the newest one, nothing
has to be done, and ten megabytes are not loaded for it."""

from sqlalchemy import Connection, String, column, inspect, select, table

NEWEST = "0003"
"""The last revision of gateway/store/migrations."""

_TABLE = "alembic_version"


class NewerDatabaseFound(Exception):
    """A newer version of the gateway has changed the tables; this one would not know what it does to them."""


def is_newest(connection: Connection) -> bool:
    if not inspect(connection).has_table(_TABLE):
        return False
    versions = select(column("version_num", String)).select_from(table(_TABLE))
    return connection.execute(versions).scalars().all() == [NEWEST]
