"""Gateways on both databases, with a clock that the test sets."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from typing import Any

import pytest

from gateway.contacts import write_side
from gateway.contacts.caretaker import Caretaker
from gateway.contacts.journal import Journal
from gateway.contacts.locks import Locks
from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.writes.rig import Bench, HeldAnswers, ManualClock, Store, simulator_of


@pytest.fixture
def clock(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """The time of the gateways and of the providers."""
    made = ManualClock()
    for simulator in sandbox.simulators:
        monkeypatch.setattr(simulator, "clock", lambda: datetime.fromtimestamp(made() / 1000, timezone.utc))
    return made


@pytest.fixture
def start(
    start_gateway: Callable[..., Gateway], database_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Bench]:
    """Starts a gateway on the test's database; several are several processes to each other."""
    made: list[Caretaker] = []

    class IdleCaretaker(Caretaker):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            made.append(self)

        async def run(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(write_side, "Journal", partial(Journal, clock=clock))
    monkeypatch.setattr(write_side, "Locks", partial(Locks, clock=clock))
    monkeypatch.setattr(write_side, "Caretaker", IdleCaretaker)

    def start_one(**settings: Any) -> Bench:
        gateway = start_gateway(database_url=database_url, **settings)
        return Bench(gateway, made[-1])

    return start_one


@pytest.fixture
def bench(start: Callable[..., Bench]) -> Bench:
    """A gateway with the default settings; the settling time is a minute."""
    return start()


@pytest.fixture
def store(database_url: str) -> Store:
    return Store(database_url)


@pytest.fixture
def hold(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., HeldAnswers]:
    """Makes a provider keep the answer to its next call of a kind."""
    return lambda provider, operation="create": HeldAnswers(simulator_of(sandbox, provider), operation, monkeypatch)


@pytest.fixture(scope="session")
def dead_owner() -> str:
    """The name of a gateway that was killed."""
    program = "import time; from gateway.store.owner import new_owner; print(new_owner(), flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        process.kill()
    return name
