"""Every database comes to have the newest tables, keeps its rows, and is never touched by an older gateway."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, NullPool, create_engine, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError

from gateway.domain.contact import Provider, RecordKey
from gateway.settings import WrongSettings
from gateway.store import migrations
from gateway.store.database import open_database
from gateway.store.links import Family, LinkStore
from gateway.store.operations import OperationStore
from gateway.store.revisions import upgrade
from gateway.store.tables import ALIASES, LINKS, METADATA
from gateway.store.versions import NEWEST, NewerDatabaseFound
from tests.graphql.ids import ADA_CONTACTS, ADA_RECORDS

OPEN_IT = """
import asyncio, sys
from gateway.store import migrations
from gateway.store.database import open_database

async def main():
    sys.stdin.readline()
    database = await open_database(sys.argv[1])
    await database.aclose()

print("ready", flush=True)
asyncio.run(main())
"""


def test_the_newest_version_is_the_last_revision():
    assert ScriptDirectory(str(Path(migrations.__file__).parent)).get_heads() == [NEWEST]


@pytest.fixture
def direct(untouched_url):
    """Runs a function on a connection, past the gateway."""
    engine = create_engine(untouched_url, poolclass=NullPool)

    def on_connection(work):
        with engine.begin() as connection:
            return work(connection)

    return on_connection


@pytest.fixture
def opened(untouched_url, run):
    """Opens it, does something with it, closes it."""

    async def open_it(work):
        database = await open_database(untouched_url)
        try:
            return await work(database) if work else None
        finally:
            await database.aclose()

    return lambda work=None: run(open_it(work))


def versions(connection):
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()


def everything(connection):
    """All rows of all tables, and what the tables look like."""
    found = MetaData()
    found.reflect(connection)
    shapes = {name: sorted((c.name, str(c.type), c.nullable) for c in table.c) for name, table in found.tables.items()}
    return shapes, {name: connection.execute(select(table)).all() for name, table in found.tables.items()}


def make_old(connection):
    """As the version before made it, with a family and a replaced id."""
    METADATA.create_all(connection, tables=[LINKS, ALIASES])
    anchor = {"anchor_provider": "gately", "anchor_remote_id": "a"}
    rows = [
        {"provider": "gately", "remote_id": "a", "gone": False},
        {"provider": "klen", "remote_id": "1", "gone": True},
    ]
    connection.execute(insert(LINKS), [{**row, **anchor} for row in rows])
    connection.execute(insert(ALIASES), {"provider": "gately", "remote_id": "old", "new_remote_id": "a"})


async def family_of_the_old_id(database):
    key = RecordKey(Provider.GATELY, "old")
    return (await LinkStore(database).families([key]))[key]


GATELY, KLEN = RecordKey(Provider.GATELY, "a"), RecordKey(Provider.KLEN, "1")
OLD_FAMILY = Family(GATELY, frozenset({GATELY, KLEN}), GATELY, frozenset({KLEN}))


def differences_from_the_code(connection):
    options = {"compare_type": True, "compare_server_default": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)


def test_the_migrations_make_exactly_the_tables_of_the_code(direct):
    direct(upgrade)

    assert direct(differences_from_the_code) == []
    assert direct(versions) == [NEWEST]


def test_a_new_database_is_made_as_the_migrations_make_it(opened, direct):
    def every_shape(connection):
        found = inspect(connection)
        keys = {name: found.get_pk_constraint(name) for name in found.get_table_names()}
        return everything(connection), keys

    opened()
    made, differences = direct(every_shape), direct(differences_from_the_code)
    direct(lambda connection: [METADATA.drop_all(connection), connection.execute(text("DROP TABLE alembic_version"))])
    direct(upgrade)

    assert made == direct(every_shape)
    assert differences == []
    assert made[0][1]["alembic_version"] == [(NEWEST,)]


def test_a_new_database_that_cannot_be_made_whole_stays_empty(opened, direct, monkeypatch):
    monkeypatch.setattr("gateway.store.versions.NEWEST", None)

    with pytest.raises(IntegrityError, match="alembic_version"):
        opened()

    assert direct(everything) == ({}, {})


def test_opening_again_changes_nothing(opened, direct):
    opened()
    before = direct(everything)
    opened()

    assert direct(everything) == before


def test_a_database_of_the_version_before_keeps_its_links(opened, direct):
    direct(make_old)

    assert opened(family_of_the_old_id) == OLD_FAMILY
    assert direct(versions) == [NEWEST]


def test_a_database_of_the_very_first_version_is_brought_on(opened, direct):
    """Its links did not tell whether a record is gone."""

    def make_first(connection):
        make_old(connection)
        connection.execute(text("DELETE FROM links WHERE gone"))
        connection.execute(text("INSERT INTO links VALUES ('klen', '2', 'gately', 'a', false)"))
        connection.execute(text("ALTER TABLE links DROP COLUMN gone"))

    direct(make_first)
    there = RecordKey(Provider.KLEN, "2")

    assert opened(family_of_the_old_id) == Family(GATELY, frozenset({GATELY, there}), GATELY)
    assert direct(versions) == [NEWEST]
    assert direct(lambda connection: compare_metadata(MigrationContext.configure(connection), METADATA)) == []


def test_a_database_of_the_first_counted_version_is_brought_on(opened, direct):
    def make_first(connection):
        make_old(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))

    direct(make_first)

    assert opened(family_of_the_old_id) == OLD_FAMILY
    assert direct(versions) == [NEWEST]


def test_the_writes_of_a_database_without_callers_belong_to_anybody(opened, direct):
    def make_second(connection):
        METADATA.create_all(connection)
        connection.execute(text("DROP TABLE api_keys"))
        connection.execute(text("ALTER TABLE operations DROP COLUMN caller"))
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0002')"))
        columns = "id, kind, idempotency_key, fingerprint, created_at"
        connection.execute(text(f"INSERT INTO operations ({columns}) VALUES ('1', 'create', 'k-1', 'f', 7)"))

    direct(make_second)

    of_anybody = opened(lambda database: OperationStore(database).by_key("k-1", caller="anybody"))
    of_somebody = opened(lambda database: OperationStore(database).by_key("k-1", caller="key:1"))
    assert (of_anybody.id, of_anybody.caller, of_somebody) == ("1", "anybody", None)
    assert direct(versions) == [NEWEST]


def test_an_old_database_has_the_tables_of_the_code_afterwards(opened, direct):
    direct(make_old)
    opened()

    differences = direct(lambda connection: compare_metadata(MigrationContext.configure(connection), METADATA))

    assert differences == []


def test_a_migration_that_fails_leaves_the_database_as_it_was(opened, direct):
    def occupy(connection):
        make_old(connection)
        # The last table that the newest version makes, so that everything before it has to be taken back.
        connection.execute(text("CREATE TABLE api_keys (name INTEGER)"))

    direct(occupy)
    before = direct(everything)

    with pytest.raises(Exception, match="api_keys"):
        opened()

    assert direct(everything) == before


class TestNewer:
    @pytest.fixture
    def newer(self, opened, direct):
        opened()
        direct(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))

    def test_it_is_refused_and_left_alone(self, newer, opened, direct):
        before = direct(everything)

        with pytest.raises(NewerDatabaseFound):
            opened()

        assert direct(everything) == before

    def test_the_start_ends_with_the_reason(self, newer, start_gateway, untouched_url):
        with pytest.raises(WrongSettings, match=r"^GATEWAY_DATABASE_URL: .*newer version of the gateway.*\.$"):
            start_gateway(database_url=untouched_url)


class TestAtOnce:
    def test_gateways_of_one_process_all_come_up(self, untouched_url, run, direct):
        async def open_all():
            databases = await asyncio.gather(*(open_database(untouched_url) for _ in range(8)))
            await asyncio.gather(*(database.aclose() for database in databases))

        run(open_all())

        assert direct(versions) == [NEWEST]

    def test_gateways_of_several_processes_all_come_up(self, untouched_url, direct):
        """Each waits until all have loaded their code, so that they really meet."""
        direct(make_old)
        command = [sys.executable, "-W", "error", "-c", OPEN_IT, untouched_url]
        pipe = subprocess.PIPE
        opening = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(4)]
        for process in opening:
            assert process.stdout.readline() == "ready\n"
        for process in opening:
            process.stdin.write("\n")
            process.stdin.flush()
        failures = [process.communicate(timeout=60)[1] for process in opening]

        assert failures == [""] * 4
        assert direct(versions) == [NEWEST]

    def test_two_gateways_migrate_two_databases_in_two_threads(self, tmp_path):
        """alembic keeps what it works on in globals, so this is not a matter of course."""

        def open_some(name):
            async def open_it(number):
                await (await open_database(f"sqlite:///{tmp_path}/{name}-{number}.db")).aclose()

            for number in range(5):
                asyncio.run(open_it(number))

        async def in_threads():
            await asyncio.gather(*(asyncio.to_thread(open_some, name) for name in ("one", "other")))

        asyncio.run(in_threads())


def test_a_gateway_runs_on_it(start_gateway, database_url):
    gateway = start_gateway(database_url=database_url)
    link = "mutation($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { records { id } } } }"
    read = "query($id: ID!) { contact(id: $id) { records { id } } }"

    linked = gateway.data(link, ids=[ADA_CONTACTS["cometly"], ADA_CONTACTS["klen"]])["linkContacts"]["contact"]

    assert linked == {"records": [{"id": ADA_RECORDS["klen"]}, {"id": ADA_RECORDS["cometly"]}]}
    assert gateway.data(read, id=ADA_CONTACTS["cometly"]) == {"contact": linked}
    assert gateway.request("GET", "/health/ready").status_code == 200
