"""Gateways that keep records, in a time that the test sets, over providers whose answers it can hold back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.main import build_app, build_connectors
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from gateway.settings import read_gateway_settings
from tests.conftest import BARE, Gateway, resting_caretakers
from tests.graphql.ids import ADA_CONTACTS
from tests.graphql.traffic import Traffic
from tests.reading.bench import FakeTime, Providers

KEEPING: dict[str, Any] = {"read_cache_seconds": 10, "stale_if_error_seconds": 300}


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def providers() -> Providers:
    return Providers()


@pytest.fixture
def start_keeping(
    running_sandbox: RunningSandbox,
    sandbox: Sandbox,
    time: FakeTime,
    providers: Providers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Gateway]]:
    """Starts a gateway with a cache; settings by their names, environment by `environment=`."""
    monkeypatch.chdir(tmp_path)
    with ExitStack() as gateways:

        def start(environment: dict[str, str] | None = None, **settings: Any) -> Gateway:
            for name, value in {**running_sandbox.environment(), **(environment or {})}.items():
                monkeypatch.setenv(name, value)
            database = f"sqlite:///{tmp_path}/gateway.db"
            chosen = read_gateway_settings(**{"database_url": database, **BARE, **KEEPING, **settings})
            connectors = providers.around(build_connectors(chosen))
            with resting_caretakers():
                gateway = Gateway(build_app(chosen, connectors, clocks=time.clocks))
            gateways.callback(gateway.close)
            return gateway

        yield start


@pytest.fixture
def gateway(start_keeping: Callable[..., Gateway]) -> Gateway:
    return start_keeping()


@pytest.fixture
def traffic(sandbox: Sandbox) -> Traffic:
    return Traffic(sandbox)


@pytest.fixture
def ada(gateway: Gateway, traffic: Traffic) -> str:
    """Ada Winter's three seeded records as one contact."""
    data = gateway.data(
        "mutation($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { id } } }",
        ids=list(ADA_CONTACTS.values()),
    )
    traffic.forget()
    linked: str = data["linkContacts"]["contact"]["id"]
    return linked
