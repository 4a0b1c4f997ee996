"""Families are looked up in the event loop's own thread where the file can be read at once, and as ever where not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from gateway.domain.contact import Provider, RecordKey
from gateway.store.database import Database, open_database
from gateway.store.link_statements import CHUNK
from gateway.store.links import Family, LinkStore
from gateway.store.local_reads import LocalReads
from gateway.store.operations import OperationStore
from gateway.store.tables import OPERATIONS

GATELY, KLEN, COMETLY = (
    RecordKey(Provider.GATELY, "a"),
    RecordKey(Provider.KLEN, "1"),
    RecordKey(Provider.COMETLY, "2"),
)
Run = Callable[[Coroutine[Any, Any, Any]], Any]


def rank(key: RecordKey) -> tuple[str, str]:
    return (key.provider, key.remote_id)


@contextmanager
def counting(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How often the database was read in the other way."""
    readings: list[int] = []
    read = database.read

    async def counted(work: Callable[[Connection], Any]) -> Any:
        readings.append(1)
        return await read(work)

    with monkeypatch.context() as patch:
        patch.setattr(database, "read", counted)
        yield readings


def test_a_file_is_read_without_a_connection_of_the_pool(
    of_a_file: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = LinkStore(of_a_file)
    run(links.link([GATELY, KLEN], rank))
    with counting(of_a_file, monkeypatch) as readings:
        found = run(links.families([GATELY, COMETLY]))
    assert found[GATELY].members == {GATELY, KLEN}
    assert (found[COMETLY], readings) == (Family(COMETLY, frozenset({COMETLY}), COMETLY), [])


def test_what_was_written_before_is_seen(of_a_file: Database, run: Run) -> None:
    links, elsewhere = LinkStore(of_a_file), LinkStore(of_a_file)
    assert run(links.families([KLEN]))[KLEN].members == {KLEN}
    run(elsewhere.link([GATELY, KLEN], rank))
    assert run(links.families([KLEN]))[KLEN].members == {GATELY, KLEN}
    run(elsewhere.unlink(KLEN, rank))
    assert run(links.families([KLEN]))[KLEN].members == {KLEN}


def test_a_file_that_is_locked_keeps_nobody_here(
    of_a_file: Database, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = LinkStore(of_a_file)
    run(links.link([GATELY, KLEN], rank))
    # Whoever locks a file whole has to be alone with it.
    run(of_a_file.aclose())
    with closing(sqlite3.connect(file, isolation_level=None)) as owner:
        owner.execute("PRAGMA locking_mode=EXCLUSIVE")
        owner.execute("BEGIN EXCLUSIVE")
        assert of_a_file.look_up("SELECT * FROM links", []) is None
        owner.execute("COMMIT")
    # And is asked here again when the lock is gone.
    assert of_a_file.look_up("PRAGMA busy_timeout", []) == [(0,)]
    with counting(of_a_file, monkeypatch) as readings:
        assert run(links.families([KLEN]))[KLEN].members == {GATELY, KLEN}
    assert readings == []


def test_what_cannot_be_read_here_is_read_as_ever(
    of_a_file: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = LinkStore(of_a_file)
    run(links.link([GATELY, KLEN], rank))
    monkeypatch.setattr(of_a_file, "look_up", lambda *_: None)
    with counting(of_a_file, monkeypatch) as readings:
        assert run(links.families([KLEN]))[KLEN].members == {GATELY, KLEN}
    assert readings == [1]


def test_more_than_one_statement_holds_is_read_as_of_one_moment(
    of_a_file: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [RecordKey(Provider.KLEN, str(number)) for number in range(CHUNK + 1)]
    with counting(of_a_file, monkeypatch) as readings:
        assert len(run(LinkStore(of_a_file).families(keys))) == CHUNK + 1
    assert readings == [1]


def test_that_a_key_is_new_is_told_here_and_whose_it_is_as_ever(
    of_a_file: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations = OperationStore(of_a_file)
    with counting(of_a_file, monkeypatch) as readings:
        assert run(operations.by_key("k-1", caller="anybody")) is None
        assert readings == []
    row = {"id": "o-1", "kind": "create", "caller": "anybody", "idempotency_key": "k-1", "fingerprint": "f"}
    statement = insert(OPERATIONS).values(**row, created_at=0)
    run(of_a_file.write(lambda connection: connection.execute(statement).rowcount))
    with counting(of_a_file, monkeypatch) as readings:
        found = run(operations.by_key("k-1", caller="anybody"))
        assert run(operations.by_key("k-1", caller="another")) is None
    assert (found.id, readings) == ("o-1", [1])


@pytest.mark.parametrize("url", ["sqlite:///:memory:", "sqlite://"])
def test_a_database_without_a_file_is_not_read_here(run: Run, url: str) -> None:
    database = run(open_database(url))
    assert database.look_up("SELECT 1", []) is None
    run(database.aclose())


def test_a_look_up_leaves_no_reader_behind(of_a_file: Database, run: Run) -> None:
    """A reader that stays keeps what was erased in the write-ahead log."""
    links = LinkStore(of_a_file)
    run(links.link([GATELY, KLEN, COMETLY], rank))
    run(links.families([KLEN]))
    assert run(of_a_file.wipe()) is True


def test_a_file_in_a_folder_with_odd_names_is_found(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "100% of #1?"
    folder.mkdir()
    sqlite3.connect(folder / "a b.db").close()
    reads = LocalReads(str(folder / "a b.db"))
    assert reads.rows("SELECT ?", ["x"]) == [("x",)]
    reads.close()


def test_it_never_writes(of_a_file: Database, run: Run) -> None:
    run(LinkStore(of_a_file).link([GATELY, KLEN], rank))
    assert of_a_file.look_up("DELETE FROM links", []) is None
    assert run(LinkStore(of_a_file).families([KLEN]))[KLEN].members == {GATELY, KLEN}


def test_closing_takes_the_write_ahead_log_along(of_a_file: Database, run: Run, file: Path) -> None:
    links = LinkStore(of_a_file)
    run(links.link([GATELY, KLEN], rank))
    run(links.families([KLEN]))
    run(of_a_file.aclose())
    assert [path.name for path in file.parent.iterdir()] == [file.name]
