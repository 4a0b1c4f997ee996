"""What a start does not need is not loaded: it would stay in memory until the end."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

HEAVY = ("alembic", "sqlalchemy.ext.asyncio", "jwt", "cryptography", "prometheus_client", "opentelemetry", "redis")
START = f"""
import asyncio, sys
import gateway.cli
from gateway.store.database import open_database

async def main():
    await (await open_database("sqlite:///gateway.db")).aclose()

asyncio.run(main())
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""


def loaded(folder: Path) -> list[str]:
    command = [sys.executable, "-c", START]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


def test_only_a_database_that_has_to_be_changed_loads_what_changes_it(tmp_path: Path) -> None:
    assert loaded(tmp_path) == []
    assert loaded(tmp_path) == []

    with closing(sqlite3.connect(tmp_path / "gateway.db")) as connection:
        connection.executescript("DROP TABLE alembic_version; DROP TABLE operation_targets; DROP TABLE operations;")
        connection.executescript("DROP TABLE locks; DROP TABLE api_keys;")

    assert loaded(tmp_path) == ["alembic"]
    assert loaded(tmp_path) == []
