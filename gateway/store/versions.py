"""Which version of the tables a database has, and the newest ones for a new database, both without alembic: at nearly
every start nothing has to be changed, and ten megabytes are not loaded for it."""

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, select

from gateway.store.tables import METADATA

NEWEST = "0003"
"""The last revision of gateway/store/migrations."""

# As alembic makes it.
_VERSIONS = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


class NewerDatabaseFound(Exception):
    """A newer version of the gateway has changed the tables; this one would not know what it does to them."""


def is_newest(connection: Connection) -> bool:
    if not inspect(connection).has_table(_VERSIONS.name):
        return False
    return connection.execute(select(_VERSIONS.c.version_num)).scalars().all() == [NEWEST]


def made_newest(connection: Connection) -> bool:
    """Makes the tables where there is none of them. False where revisions have to bring on what is there.

    To be run in a transaction that nobody else can be in at the same time.
    """
    if is_newest(connection):
        # Another gateway was faster.
        return True
    if not {_VERSIONS.name, *METADATA.tables}.isdisjoint(inspect(connection).get_table_names()):
        return False
    METADATA.create_all(connection, checkfirst=False)
    _VERSIONS.create(connection)
    connection.execute(insert(_VERSIONS).values(version_num=NEWEST))
    return True
