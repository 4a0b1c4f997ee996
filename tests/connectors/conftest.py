"""Every registered connector over the real simulators, in one event loop for the whole run."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from gateway.connectors.base import Connector
from gateway.connectors.registry import REGISTRY, Registration
from gateway.domain.contact import Provider
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from gateway.settings import api_key, read_provider_settings
from tests.connectors.timed import CONDITIONS
from tests.connectors.wire_log import WireLog

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as started:
        yield started


@pytest.fixture(scope="session")
def run(runner: asyncio.Runner) -> Run[Any]:
    """Awaits a call of a connector."""
    return runner.run


@pytest.fixture(scope="session")
def connectors(
    running_sandbox: RunningSandbox, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Provider, Connector]]:
    """All registered connectors, configured by nothing but the environment of the sandbox."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("no_dot_env"))
        for name, value in running_sandbox.environment().items():
            patch.setenv(name, value)
        built = {entry.provider: build(entry) for entry in REGISTRY}
    yield built
    for connector in built.values():
        runner.run(connector.aclose())


def build(entry: Registration) -> Connector:
    settings = read_provider_settings(entry, "development")
    key = api_key(settings)
    assert key is not None, f"the sandbox has no key for {entry.provider}"
    return entry.build(settings, key, CONDITIONS)


@pytest.fixture(params=REGISTRY, ids=lambda entry: str(entry.provider))
def registration(request: pytest.FixtureRequest) -> Registration:
    """Each registered provider in turn."""
    entry: Registration = request.param
    return entry


@pytest.fixture
def connector(registration: Registration, connectors: dict[Provider, Connector], sandbox: Sandbox) -> Connector:
    return connectors[registration.provider]


@pytest.fixture
def log(registration: Registration, sandbox: Sandbox) -> WireLog:
    """What reached the provider in turn."""
    return WireLog(getattr(sandbox, registration.provider))


@pytest.fixture
def gately(connectors: dict[Provider, Connector], sandbox: Sandbox) -> Connector:
    return connectors[Provider.GATELY]


@pytest.fixture
def cometly(connectors: dict[Provider, Connector], sandbox: Sandbox) -> Connector:
    return connectors[Provider.COMETLY]


@pytest.fixture
def klen(connectors: dict[Provider, Connector], sandbox: Sandbox) -> Connector:
    return connectors[Provider.KLEN]


@pytest.fixture
def gately_log(sandbox: Sandbox) -> WireLog:
    return WireLog(sandbox.gately)


@pytest.fixture
def cometly_log(sandbox: Sandbox) -> WireLog:
    return WireLog(sandbox.cometly)


@pytest.fixture
def klen_log(sandbox: Sandbox) -> WireLog:
    return WireLog(sandbox.klen)
