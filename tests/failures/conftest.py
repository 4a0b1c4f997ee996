"""Gateways that serve many tests, so that a table of hundreds of rows takes seconds."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.main import build_app, build_connectors
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from gateway.settings import read_gateway_settings
from tests.conftest import BARE, Gateway, resting_caretakers
from tests.failures.scripted_provider import ScriptedProvider

# Long enough for a busy machine to read a request, short enough for a table of time-outs.
ATTEMPT_SECONDS = 0.3


@contextmanager
def _served(folder: Path, environment: dict[str, str], **settings: Any) -> Iterator[Gateway]:
    with pytest.MonkeyPatch.context() as patch, resting_caretakers():
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        database = f"sqlite:///{folder}/gateway.db"
        chosen = read_gateway_settings(database_url=database, **{**BARE, **settings})
        gateway = Gateway(build_app(chosen, build_connectors(chosen)))
    try:
        yield gateway
    finally:
        gateway.close()


def _forget_links(folder: Path) -> None:
    """The simulators give out the same ids after each reset: a link of an earlier test would join strangers."""
    connection = sqlite3.connect(folder / "gateway.db", timeout=5)
    connection.executescript("PRAGMA synchronous=OFF; DELETE FROM links; DELETE FROM aliases;")
    connection.close()


@pytest.fixture(scope="session")
def _patient(running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("patient")
    with _served(folder, running_sandbox.environment()) as gateway:
        yield gateway, folder


@pytest.fixture(scope="session")
def unplanned(running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One that executes every operation the ordinary way."""
    folder = tmp_path_factory.mktemp("unplanned")
    with _served(folder, running_sandbox.environment(), compiled_plans="off") as gateway:
        yield gateway


@pytest.fixture
def gateway(_patient: tuple[Gateway, Path], sandbox: Sandbox) -> Gateway:
    """A gateway with the default settings over all three simulators, with an empty database."""
    gateway, folder = _patient
    _forget_links(folder)
    return gateway


@pytest.fixture(scope="session")
def _impatient(running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("impatient")
    with _served(folder, running_sandbox.environment(), attempt_timeout_seconds=ATTEMPT_SECONDS) as gateway:
        yield gateway, folder


@pytest.fixture
def impatient(_impatient: tuple[Gateway, Path], sandbox: Sandbox) -> Gateway:
    """The same, with an attempt time-out of ATTEMPT_SECONDS."""
    gateway, folder = _impatient
    _forget_links(folder)
    return gateway


@pytest.fixture(scope="session")
def closed_port() -> Iterator[int]:
    """Taken, so that nobody else can listen there, and refusing every connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture(scope="session")
def _cut_off(
    running_sandbox: RunningSandbox, closed_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("cut-off")
    bases = {f"{name}_BASE_URL": f"http://127.0.0.1:{closed_port}/v1" for name in ("GATELY", "COMETLY", "KLEN")}
    with _served(folder, {**running_sandbox.environment(), **bases}) as gateway:
        yield gateway, folder


@pytest.fixture
def cut_off(_cut_off: tuple[Gateway, Path], sandbox: Sandbox) -> Gateway:
    """A gateway whose providers refuse every connection."""
    gateway, folder = _cut_off
    _forget_links(folder)
    return gateway


@pytest.fixture(scope="session")
def _scripted(running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("scripted")
    with ScriptedProvider() as provider:
        bases = {f"{name}_BASE_URL": provider.base_url for name in ("GATELY", "COMETLY", "KLEN")}
        with _served(folder, {**running_sandbox.environment(), **bases}) as gateway:
            yield gateway, provider, folder


@pytest.fixture
def scripted(_scripted: tuple[Gateway, ScriptedProvider, Path]) -> tuple[Gateway, ScriptedProvider]:
    """A gateway, and the one server that plays all three of its providers, byte by byte as a test says."""
    gateway, provider, folder = _scripted
    _forget_links(folder)
    provider.reset()
    return gateway, provider


@pytest.fixture
def gateway_for(request: pytest.FixtureRequest) -> Callable[[bool], Gateway]:
    """The impatient gateway for events that never end by themselves, else the one with default settings."""
    return lambda endless: request.getfixturevalue("impatient" if endless else "gateway")
