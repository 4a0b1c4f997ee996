"""One sandbox on real loopback sockets for all tests, and gateways in front of it."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import certifi
import httpx
import pytest
from hypothesis import find, strategies
from hypothesis import settings as hypothesis_settings

from gateway.contacts.caretaker import Caretaker
from gateway.main import build_app, build_connectors, telemetry_of
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox, running_in_thread
from gateway.settings import read_gateway_settings
from tests import pace, postgresql
from tests.live import serving

T = TypeVar("T")

pace.use_fast_folder()

# Comparisons stand in that module; without this a failure of theirs shows nothing. Here, before anybody imports it.
pytest.register_assert_rewrite("tests.failures.outcomes")

# How long an example takes is a matter of the machine: no test is a timed one.
hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: for a minute and a half one of them has a soak, which mostly waits."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The lasting ones wait beside all the others, and not when those have ended."""
    items.sort(key=lambda item: item.get_closest_marker("lasting") is None)


def pytest_collection_finish() -> None:
    # Hypothesis asks the collector who holds its generator of numbers, and would not be told of who is frozen.
    find(strategies.none(), lambda _: True, settings=hypothesis_settings(database=None))
    pace.hold_collector_back()


def pytest_runtest_logfinish() -> None:
    pace.collect_between()


# Most tests say what one call does, and count calls: nothing is repeated, saved, held back or remembered there.
# tests/resilience, tests/matrix and tests/soak say what the policies do.
BARE: dict[str, Any] = {
    "retries": 0,
    "breaker": "off",
    "rate_budgets": "off",
    "read_cache_seconds": 0,
    "stale_if_error_seconds": 0,
    # A machine that stands still for two seconds is no provider that cannot be reached.
    "connect_timeout_seconds": 20,
    # Times, and what is left of limits, differ from run to run.
    "tell_providers": "off",
}


class Gateway:
    """A gateway in its own event loop, spoken to over HTTP without a port."""

    def __init__(self, app: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._lifespan: AbstractAsyncContextManager[None] = app.router.lifespan_context(app)
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1")
        self._run(self._lifespan.__aenter__())

    def close(self) -> None:
        self._run(self._client.aclose())
        self._run(self._lifespan.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def request(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        return self._run(self._client.request(method, url, **arguments))

    def send(self, document: str, **variables: Any) -> dict[str, Any]:
        """Data and errors of the answer. What the operation is estimated to cost is a subject of its own."""
        answer = self.answer(document, **variables)
        answer.pop("extensions", None)
        return answer

    def answer(self, document: str, **variables: Any) -> dict[str, Any]:
        """The whole answer of an operation that runs."""
        reply = self.request("POST", "/graphql", json={"query": document, "variables": variables})
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        return answer

    def data(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer that has no errors."""
        answer = self.send(document, **variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def error(self, document: str, **variables: Any) -> dict[str, Any]:
        """The only error of an answer."""
        errors = self.send(document, **variables)["errors"]
        assert len(errors) == 1, errors
        error: dict[str, Any] = errors[0]
        return error

    def refused(self, document: str, **variables: Any) -> list[dict[str, Any]]:
        """The errors of an operation that never ran."""
        answer = self.send(document, **variables)
        assert "data" not in answer
        errors: list[dict[str, Any]] = answer["errors"]
        return errors

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result(timeout=60)


@pytest.fixture(scope="session", autouse=True)
def _one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nobody outside is spoken to: reading all authorities takes each gateway longer than all the rest of its start."""
    end = "-----END CERTIFICATE-----\n"
    first, _, _ = certifi.contents().partition(end)
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    file.write_text(first + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certifi, "where", lambda: str(file))
        yield


@contextmanager
def resting_caretakers() -> Iterator[None]:
    """For gateways that outlive a test: what it left unfinished would be looked for in the middle of others."""

    async def rest(_: Caretaker) -> None:
        await asyncio.Event().wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Caretaker, "run", rest)
        yield


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[RunningSandbox]:
    with running_in_thread(Sandbox()) as served:
        yield served


@pytest.fixture
def sandbox(running_sandbox: RunningSandbox) -> Sandbox:
    """The simulators with their seeds, and nothing else."""
    running_sandbox.sandbox.reset()
    return running_sandbox.sandbox


@pytest.fixture
def start_gateway(
    running_sandbox: RunningSandbox, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Gateway]]:
    """Starts a gateway over the sandbox; settings by their names, environment by `environment=`."""
    monkeypatch.chdir(tmp_path)
    with ExitStack() as gateways:

        def start(environment: dict[str, str | None] | None = None, **settings: Any) -> Gateway:
            for name, value in {**running_sandbox.environment(), **(environment or {})}.items():
                if value is None:
                    monkeypatch.delenv(name, raising=False)
                else:
                    monkeypatch.setenv(name, value)
            database = settings.pop("database_url", f"sqlite:///{tmp_path}/gateway.db")
            chosen = read_gateway_settings(database_url=database, **{**BARE, **settings})
            telemetry = telemetry_of(chosen)
            gateway = Gateway(build_app(chosen, build_connectors(chosen, telemetry), telemetry))
            gateways.callback(gateway.close)
            return gateway

        yield start


@pytest.fixture
def gateway(start_gateway: Callable[..., Gateway]) -> Gateway:
    """A gateway over all three simulators, with an empty database."""
    return start_gateway()


@pytest.fixture(scope="session")
def gateway_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gateway on a real socket over a sandbox of its own, as `gateway demo` serves it."""
    folder = tmp_path_factory.mktemp("live")
    with running_in_thread(Sandbox()) as served, pytest.MonkeyPatch.context() as patch:
        for name, value in served.environment().items():
            patch.setenv(name, value)
        patch.chdir(folder)
        settings = read_gateway_settings(database_url=f"sqlite:///{folder}/gateway.db", **BARE)
        app = build_app(settings, build_connectors(settings))
        with serving(app, settings) as live:
            yield live.url


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    with postgresql.running_or_skipped() as server:
        yield server


@pytest.fixture(scope="session")
def _migrated_postgresql(postgresql_server: postgresql.Server) -> Iterator[str]:
    with postgresql_server.migrated() as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server: postgresql.Server, _migrated_postgresql: str) -> Iterator[str]:
    """A PostgreSQL database of the test's own, with all tables and no rows."""
    with postgresql_server.database(template=_migrated_postgresql) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, for `start_gateway(database_url=...)`."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgresql_url")
        return url
    return f"sqlite:///{tmp_path}/gateway.db"
