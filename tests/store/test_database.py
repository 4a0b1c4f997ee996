"""Reading and writing: one moment, one transaction, everybody's turn; and databases that cannot be opened."""

import asyncio
import socket
import sqlite3
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import NullPool, create_engine, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from gateway.store.database import open_database
from gateway.store.tables import ALIASES, LOCKS, OPERATIONS, TARGETS
from tests.store.somebody_writing import somebody_writing

SECRET = "pass-word-that-nobody-may-read"


def lock(name, until=0):
    return insert(LOCKS).values(name=name, owner="somebody", until=until)


async def count(database, table=LOCKS):
    query = select(func.count()).select_from(table)
    return await database.read(lambda connection: connection.scalar(query))


async def add_one(database, *, serial):
    """What is read decides what is written: whoever reads before the other has written loses one."""

    def add(connection):
        number = connection.scalar(select(LOCKS.c.until).where(LOCKS.c.name == "n"))
        connection.execute(update(LOCKS).where(LOCKS.c.name == "n").values(until=number + 1))

    await database.write(add, serial=serial)


async def number(database):
    query = select(LOCKS.c.until).where(LOCKS.c.name == "n")
    return await database.read(lambda connection: connection.scalar(query))


async def write(database, statement):
    await database.write(lambda connection: connection.execute(statement))


@contextmanager
def outside(url):
    """A connection of somebody else, in a transaction that sees one moment."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        yield connection
        connection.exec_driver_sql("COMMIT")


def test_it_says_what_it_is(database, database_url):
    assert database_url.startswith(database.dialect)


def test_what_was_written_is_there_for_others(open_another, run):
    run(write(open_another(), lock("a")))

    assert run(count(open_another())) == 1


def test_an_exception_takes_everything_back(database, run):
    def fail(connection):
        connection.execute(lock("a"))
        raise KeyError

    with pytest.raises(KeyError):
        run(database.write(fail))

    assert run(count(database)) == 0


def test_what_is_read_belongs_to_one_moment(database, database_url, run):
    def read_twice(connection):
        before = connection.scalar(select(func.count()).select_from(ALIASES))
        with outside(database_url) as other:
            other.execute(lock("a"))
        return before, connection.scalar(select(func.count()).select_from(LOCKS))

    assert run(database.read(read_twice)) == (0, 0)
    assert run(count(database)) == 1


def test_wiping_does_not_wait_for_a_reader_and_says_that_it_could_not(database, database_url, run):
    """Whoever looks into the file may take hours; every writer would wait along with the wiping."""
    with outside(database_url) as reader:
        reader.execute(select(LOCKS)).all()
        run(write(database, lock("a")))
        began = time.monotonic()
        done = run(database.wipe())

    assert time.monotonic() - began < 2
    assert done is (database.dialect != "sqlite")
    assert run(database.wipe()) is True


def test_wiping_leaves_everybody_patient(database, run):
    """A writer waits for another process as before."""
    if database.dialect != "sqlite":
        pytest.skip("only SQLite's connections have a patience of their own")
    run(database.wipe())

    assert run(database.write(lambda connection: connection.scalar(text("PRAGMA busy_timeout")))) == 5000


def test_wiping_that_is_cancelled_ends_as_cancelled(database, run):
    """Any other exception would keep whoever wipes from ending."""

    async def cancelled_after(steps):
        wiping = asyncio.create_task(database.wipe())
        for _ in range(steps):
            await asyncio.sleep(0.0002)
        wiping.cancel()
        (ended,) = await asyncio.gather(wiping, return_exceptions=True)
        return ended

    async def cancel_everywhere():
        return [await cancelled_after(steps) for steps in range(20)]

    assert {type(ended) for ended in run(cancel_everywhere())} <= {bool, asyncio.CancelledError}
    assert run(database.wipe()) is True


def test_both_databases_hold_on_to_foreign_keys(database, run):
    """Else what the tests see on one of them would be refused by the other."""
    orphan = insert(TARGETS).values(operation_id="nobody", position=0, provider="p", creates=True, outcome="UNKNOWN")

    with pytest.raises(IntegrityError):
        run(write(database, orphan))


def test_both_databases_fill_in_the_same_defaults(database, run):
    run(write(database, insert(OPERATIONS).values(id="o", kind="CREATE", fingerprint="f", created_at=2**52)))

    query = select(OPERATIONS.c.finished, OPERATIONS.c.looks)
    assert tuple(run(database.read(lambda connection: connection.execute(query).one()))) == (False, 0)


# Everybody's turn


def test_fifty_writers_at_once_all_get_through(database, run):
    async def write_all():
        started = time.monotonic()
        await asyncio.gather(*(write(database, lock(str(n))) for n in range(50)))
        return time.monotonic() - started

    seconds = run(write_all())

    assert run(count(database)) == 50
    # SQLite's own waiting took seconds for that, because a waiter sleeps through the turns that it could have.
    assert seconds < 5


def test_fifty_readers_and_fifty_writers_do_not_starve_each_other(database, run):
    async def work():
        readers = (count(database) for _ in range(50))
        writers = (write(database, lock(str(n))) for n in range(50))
        await asyncio.gather(*readers, *writers)

    run(work())

    assert run(count(database)) == 50


def test_serial_writers_of_two_gateways_lose_nothing(open_another, run):
    gateways = [open_another(), open_another()]
    run(write(gateways[0], lock("n")))

    async def add_all():
        await asyncio.gather(*(add_one(gateways[n % 2], serial=True) for n in range(40)))

    run(add_all())

    assert run(number(gateways[0])) == 40


def test_writers_that_wait_for_their_turn_leave_the_readers_connections(database, run):
    """More of them than the pool has connections."""

    async def read_while_they_wait():
        async with somebody_writing(database):
            waiting = [asyncio.create_task(add_one(database, serial=True)) for _ in range(60)]
            await asyncio.sleep(0.05)
            assert await asyncio.wait_for(count(database), timeout=5) == 1
        await asyncio.gather(*waiting)

    run(write(database, lock("n")))
    run(read_while_they_wait())

    assert run(number(database)) == 60


def test_a_writer_that_is_cancelled_while_it_waits_gives_its_turn_away(database, run):
    async def cancel_some():
        async with somebody_writing(database):
            writers = [asyncio.create_task(add_one(database, serial=True)) for _ in range(20)]
            await asyncio.sleep(0.005)
            for writer in writers[::2]:
                writer.cancel()
            await asyncio.sleep(0)
        ended = await asyncio.wait_for(asyncio.gather(*writers, return_exceptions=True), timeout=10)
        return [error for error in ended if error and not isinstance(error, asyncio.CancelledError)]

    run(write(database, lock("n")))

    assert run(cancel_some()) == []
    assert run(number(database)) == 10


def test_a_connection_that_the_server_has_closed_is_replaced(postgresql_url, postgresql_server, run):
    database = run(open_database(postgresql_url))
    try:
        assert run(count(database)) == 0
        name = postgresql_url.rsplit("/", 1)[1]
        postgresql_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

        assert run(count(database)) == 0
    finally:
        run(database.aclose())


# Databases that are none


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////no/such/folder/links.db",
        "sqlite:////dev/null/links.db",
        "no-such-database://x",
        "not a url",
        "",
    ],
)
def test_a_database_that_cannot_be_opened_is_an_error_of_sqlalchemy(run, url):
    with pytest.raises(SQLAlchemyError):
        run(open_database(url))


def test_a_file_that_is_no_database_is_an_error_of_sqlalchemy(run, tmp_path):
    path = tmp_path / "links.db"
    path.write_bytes(b"this is a letter, not a database" * 100)

    with pytest.raises(SQLAlchemyError):
        run(open_database(f"sqlite:///{path}"))

    assert path.read_bytes().startswith(b"this is a letter")


def test_whoever_is_refused_because_another_gateway_starts_on_the_file_tries_again(run, tmp_path, monkeypatch):
    """Two that turn a new file to WAL at once; it happens in one of ten starts, so it is played here."""
    connect, refusals = sqlite3.connect, []

    def refuse_once(*arguments, **options):
        if not refusals:
            refusals.append(sqlite3.OperationalError("database is locked"))
            refusals[0].sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise refusals[0]
        return connect(*arguments, **options)

    monkeypatch.setattr(sqlite3, "connect", refuse_once)
    run(run(open_database(f"sqlite:///{tmp_path}/new.db")).aclose())

    assert len(refusals) == 1


def test_a_file_that_somebody_else_keeps_locked_ends_the_start(run, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.store.database.BUSY_SECONDS", 0.1)
    keeper = sqlite3.connect(tmp_path / "kept.db", isolation_level=None)
    keeper.execute("BEGIN EXCLUSIVE")

    try:
        with pytest.raises(SQLAlchemyError):
            run(open_database(f"sqlite:///{tmp_path}/kept.db"))
    finally:
        keeper.close()


@pytest.mark.parametrize(
    "options",
    ["", "?nonsense=1", "?connect_timeout=soon"],
    ids=["a database that is missing", "an option that is none", "a time that is none"],
)
def test_a_postgresql_that_refuses_is_an_error_of_sqlalchemy(run, postgresql_server, options):
    with pytest.raises(SQLAlchemyError) as refused:
        run(open_database(f"{postgresql_server.url}_that_is_missing{options}"))

    assert SECRET not in str(refused.value)


def test_a_closed_port_is_an_error_of_sqlalchemy_that_tells_no_password(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        with pytest.raises(SQLAlchemyError) as refused:
            run(open_database(f"postgresql+psycopg://gateway:{SECRET}@127.0.0.1:{port}/gateway"))

    assert SECRET not in f"{refused.value!r} {refused.value}"


def test_a_server_that_never_answers_is_given_up(run):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        started = time.monotonic()

        # 2 seconds is the least that psycopg waits.
        with pytest.raises(SQLAlchemyError):
            run(open_database(f"postgresql+psycopg://gateway@127.0.0.1:{port}/gateway?connect_timeout=2"))

    assert time.monotonic() - started < 10


def test_without_a_word_about_it_a_silent_server_is_given_up_too(monkeypatch, run):
    seen = {}

    def create(url, **options):
        seen.update(options)
        raise SQLAlchemyError

    monkeypatch.setattr("gateway.store.postgresql_pool.create_async_engine", create)
    with pytest.raises(SQLAlchemyError):
        run(open_database("postgresql+psycopg://gateway@127.0.0.1/gateway"))

    assert seen["connect_args"] == {"connect_timeout": 5}
