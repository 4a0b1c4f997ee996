"""A PostgreSQL server for the tests: one that is given, one of their own while they run, or one that runs here.

Each test gets a database of its own, copied from one that has the tables already: 30 ms where migrating takes 100.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from gateway.store.database import open_database
from tests.ports import lasting_port

# Read when the tests are collected: some of them run without any variable of ours.
GIVEN = os.environ.get("GATEWAY_TEST_POSTGRESQL_URL")
HERE = "127.0.0.1"
USUAL_PORT = 5432
CONNECT_TIMEOUT_SECONDS = 5
START_SECONDS = 60


class NoServer(Exception):
    """There is none and none can be started; the text says why."""


@dataclass(frozen=True)
class Server:
    """The URL is that of a database to connect to for making others."""

    url: str

    def execute(self, statement: str) -> list[Any]:
        # psycopg knows the plain scheme only.
        plain = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """The URL of a new database, empty or a copy, that is gone afterwards."""
        name = f"gateway_test_{uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {make_url(template).database}" if template else ""))
        try:
            yield make_url(self.url).set(database=name).render_as_string(hide_password=False)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """A database with the newest tables, to make copies of: nobody may be connected to it then."""

        async def migrate(url: str) -> None:
            await (await open_database(url)).aclose()

        with self.database() as url:
            asyncio.run(migrate(url))
            yield url


@contextmanager
def running() -> Iterator[Server]:
    """
    Raises:
        NoServer: saying why.
    """
    if GIVEN:
        yield _usable(GIVEN.replace("postgres://", "postgresql://").replace("postgresql://", "postgresql+psycopg://"))
        return
    binaries = _binaries()
    if binaries is None:
        yield _running_here()
        return
    with _started(binaries) as started:
        yield started


@contextmanager
def running_or_skipped() -> Iterator[Server]:
    """In CI it has to be there: tests that nobody runs are none."""
    try:
        with running() as server:
            yield server
    except NoServer as reason:
        if os.environ.get("CI"):
            pytest.fail(f"no PostgreSQL: {reason}", pytrace=False)
        pytest.skip(f"no PostgreSQL: {reason}")


def _usable(url: str) -> Server:
    server = Server(url)
    try:
        rows = server.execute("SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user")
    except psycopg.Error as error:
        raise NoServer(f"{make_url(url)!r} lets nobody in: {error}") from None
    if rows != [(True,)]:
        raise NoServer(f"{make_url(url)!r}: its user may not create databases")
    return server


def _running_here() -> Server:
    for user in ("postgres", os.environ.get("USER") or "root"):
        try:
            return _usable(f"postgresql+psycopg://{user}@{HERE}:{USUAL_PORT}/postgres")
        except NoServer:
            continue
    raise NoServer(f"/usr/lib/postgresql holds none to start, and none answers on {HERE}:{USUAL_PORT}")


def _binaries() -> Path | None:
    """Debian keeps them out of the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return folders[-1] if folders and (folders[-1] / "initdb").exists() else None


@contextmanager
def _started(binaries: Path) -> Iterator[Server]:
    """It does not wait for the disk (-F, -N), as one that others use has to: a third of the time of the tests of
    writes. It refuses to run as root."""
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    # Not pytest's own folder, into which only its user can look.
    folder = Path(tempfile.mkdtemp(prefix="gateway-postgresql-"))
    try:
        if as_postgres:
            shutil.chown(folder, "postgres")
        port = lasting_port()
        data = str(folder / "data")
        control = [*as_postgres, str(binaries / "pg_ctl"), "-D", data, "-w", "-t", str(START_SECONDS), "-s"]
        made = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"]
        initdb = [str(binaries / "initdb"), "-D", data, "-N", *made]
        _run([*as_postgres, *initdb], folder)
        options = f"-h {HERE} -p {port} -k {folder} -F"
        _run([*control, "-l", str(folder / "log"), "-o", options, "start"], folder)
        try:
            yield _usable(f"postgresql+psycopg://postgres@{HERE}:{port}/postgres")
        finally:
            _run([*control, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str], folder: Path) -> None:
    """Its output goes into a file: the server would keep a pipe open for as long as it runs."""
    with (folder / "output").open("w+b") as output:
        try:
            subprocess.run(command, cwd=folder, stdout=output, stderr=output, timeout=2 * START_SECONDS, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            output.seek(0)
            said = output.read().decode(errors="replace")
            raise NoServer(f"{' '.join(command)}: {error}\n{said}") from None
