"""A link store on an SQLite file of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.store.database import open_database
from gateway.store.links import LinkStore


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    before = set(threading.enumerate())
    with asyncio.Runner() as started:
        yield started
        # aiosqlite 0.22 lets the thread of a connection that failed to open end by itself, and that thread
        # reports to the loop: closing the loop first would be an exception in the thread.
        for thread in set(threading.enumerate()) - before:
            if "_connection_worker_thread" in thread.name:
                thread.join(timeout=5)


@pytest.fixture
def run(runner: asyncio.Runner) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    return runner.run


@pytest.fixture
def open_engine(runner: asyncio.Runner, tmp_path: Path) -> Iterator[Callable[[], AsyncEngine]]:
    """Opens another engine on the same file."""
    opened: list[AsyncEngine] = []

    def open_another() -> AsyncEngine:
        engine = runner.run(open_database(f"sqlite+aiosqlite:///{tmp_path}/links.db"))
        opened.append(engine)
        return engine

    yield open_another
    for engine in opened:
        runner.run(engine.dispose())


@pytest.fixture
def links(open_engine: Callable[[], AsyncEngine]) -> LinkStore:
    return LinkStore(open_engine())
