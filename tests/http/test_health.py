"""Health: alive while the process answers, ready while it can serve; neither asks a provider."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette

from gateway.main import build_app, build_connectors
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.settings import read_gateway_settings
from tests.conftest import Gateway


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_a_gateway_that_runs_is_alive_and_ready(gateway: Gateway, sandbox: Sandbox, path: str) -> None:
    reply = gateway.request("GET", path)

    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})
    assert reply.headers["content-type"] == "application/json"
    assert [simulator.requests for simulator in sandbox.simulators] == [[], [], []]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_providers_that_fail_make_the_gateway_neither_dead_nor_unready(
    gateway: Gateway, sandbox: Sandbox, path: str
) -> None:
    for simulator in sandbox.simulators:
        simulator.faults.add(Fault(kind="hang"))

    assert gateway.request("GET", path).status_code == 200


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_health_is_only_read(gateway: Gateway, method: str, path: str) -> None:
    reply = gateway.request(method, path)

    assert reply.status_code == 405
    assert set(reply.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def ask(app: Starlette, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        return await client.get(path)


def test_before_it_has_started_it_is_alive_but_not_ready(
    start_gateway: Callable[..., Gateway], gateway: Gateway, tmp_path: Path
) -> None:
    settings = read_gateway_settings(database_url=f"sqlite:///{tmp_path}/other.db")
    app = build_app(settings, build_connectors(settings))

    ready = gateway._run(ask(app, "/health/ready"))
    live = gateway._run(ask(app, "/health/live"))

    assert (ready.status_code, ready.json()) == (503, {"status": "not ready", "reason": "still starting"})
    assert (live.status_code, live.json()) == (200, {"status": "ok"})


class TestBrokenDatabase:
    def test_a_database_that_does_not_answer_is_not_ready(
        self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def connect(_: Engine) -> None:
            raise OperationalError("SELECT 1", {}, Exception("/var/lib/gateway.db"))

        monkeypatch.setattr(Engine, "connect", connect)

        ready = gateway.request("GET", "/health/ready")
        live = gateway.request("GET", "/health/live")

        assert (ready.status_code, ready.json()) == (
            503,
            {"status": "not ready", "reason": "the database does not answer"},
        )
        assert live.status_code == 200

    def test_a_database_that_has_lost_its_tables_is_not_ready(self, gateway: Gateway, tmp_path: Path) -> None:
        """Nothing that names a contact can be answered then, so no request should be sent here."""
        with closing(sqlite3.connect(tmp_path / "gateway.db")) as connection, connection:
            connection.execute("DROP TABLE links")

        answer = gateway.error('{ contact(id: "Q29udGFjdDprbGVuOjkwMDE=") { id } }')
        ready = gateway.request("GET", "/health/ready")

        assert answer["extensions"]["code"] == "STORE_UNAVAILABLE"
        assert (ready.status_code, ready.json()["status"]) == (503, "not ready")


def test_once_it_is_told_to_end_it_is_alive_but_not_ready(tmp_path: Path) -> None:
    """Whoever still asks over a connection that is kept sends nothing more here."""
    settings = read_gateway_settings(database_url=f"sqlite:///{tmp_path}/other.db")
    app = build_app(settings, {})

    async def test() -> None:
        async with app.router.lifespan_context(app):
            app.state.services.ending.set()
            ready, live = await ask(app, "/health/ready"), await ask(app, "/health/live")
        assert (ready.status_code, ready.json()) == (503, {"status": "not ready", "reason": "shutting down"})
        assert live.status_code == 200

    asyncio.run(test())
