"""Databases and a link store, each test on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.store.database import Database, open_database
from gateway.store.links import LinkStore


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as started:
        yield started


@pytest.fixture
def run(runner: asyncio.Runner) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    return runner.run


@pytest.fixture(params=["sqlite", "postgresql"])
def untouched_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a single table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/untouched.db"
        return
    with request.getfixturevalue("postgresql_server").database() as url:
        yield url


@pytest.fixture
def open_another(runner: asyncio.Runner, database_url: str) -> Iterator[Callable[[], Database]]:
    """Opens the test's database once more, as another gateway would."""
    opened: list[Database] = []

    def open_it() -> Database:
        database = runner.run(open_database(database_url))
        opened.append(database)
        return database

    yield open_it
    for database in opened:
        runner.run(database.aclose())


@pytest.fixture
def database(open_another: Callable[[], Database]) -> Database:
    return open_another()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the SQLite database of `of_a_file` stands."""
    return tmp_path / "of-a-file.db"


@pytest.fixture
def of_a_file(runner: asyncio.Runner, file: Path) -> Iterator[Database]:
    database = runner.run(open_database(f"sqlite:///{file}"))
    yield database
    runner.run(database.aclose())


@pytest.fixture
def links(database: Database) -> LinkStore:
    return LinkStore(database)
