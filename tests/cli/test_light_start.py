"""What a start does not need is not loaded: it would stay in memory until the end, in every process."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

# Each for a command, a feature or a start that is not that of `gateway serve` with its defaults.
HEAVY = (
    "alembic",
    "cryptography",
    "gateway.checkup",
    "gateway.demonstration",
    "gateway.sandbox",
    "httpx",
    "jwt",
    "opentelemetry",
    "prometheus_client",
    "psycopg",
    "redis",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
)
START = """
import asyncio, sys
import gateway.cli
from gateway.http.server import run
from gateway.logs import configure_logs
from gateway.main import build_app, build_connectors, telemetry_of
from gateway.settings import read_gateway_settings
from gateway.shared_code import load_what_is_on

settings = read_gateway_settings()
configure_logs(settings.log_format, settings.log_level)
if "--forks" in sys.argv:
    load_what_is_on(settings)
before = set(sys.modules)

async def main():
    telemetry = telemetry_of(settings)
    application = build_app(settings, build_connectors(settings, telemetry), telemetry)
    async with application.router.lifespan_context(application):
        print(*(set(sys.modules) - before if "--forks" in sys.argv else sys.modules))

run(main())
"""
ENVIRONMENT = {"GATELY_API_KEY": "k", "COMETLY_API_KEY": "k", "KLEN_API_KEY": "k"}
IDENTITY_PROVIDER = {
    "GATEWAY_JWT_JWKS_URL": "http://127.0.0.1:9/keys",
    "GATEWAY_JWT_ISSUER": "https://issuer.test",
    "GATEWAY_JWT_AUDIENCE": "gateway",
    "GATEWAY_AUTHENTICATION": "required",
}
TELEMETRY = {"GATEWAY_METRICS": "on", "GATEWAY_METRICS_TOKEN": "0123456789abcdef", "GATEWAY_TRACES": "otlp"}


def loaded(folder: Path, *arguments: str, **settings: str) -> set[str]:
    """The modules of a gateway over all providers, once it could serve."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, "-c", START, *arguments],
        cwd=folder,
        env={**inherited, **ENVIRONMENT, "GATEWAY_DATABASE_URL": "sqlite:///gateway.db", **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def heavy(folder: Path, **settings: str) -> list[str]:
    modules = loaded(folder, **settings)
    return [name for name in HEAVY if name in modules]


def test_with_the_defaults_nothing_is_loaded_for_what_is_off(tmp_path: Path) -> None:
    assert heavy(tmp_path) == []


def test_only_a_database_that_has_to_be_changed_loads_what_changes_it(tmp_path: Path) -> None:
    assert heavy(tmp_path) == []

    with closing(sqlite3.connect(tmp_path / "gateway.db")) as connection:
        for table in ("alembic_version", "operation_targets", "operations", "locks", "api_keys"):
            connection.execute(f"DROP TABLE {table}")

    assert heavy(tmp_path) == ["alembic"]
    assert heavy(tmp_path) == []


def test_what_is_switched_on_is_loaded_by_the_start_and_not_by_the_first_request(tmp_path: Path) -> None:
    assert heavy(tmp_path, **IDENTITY_PROVIDER) == ["cryptography", "httpx", "jwt"]
    assert heavy(tmp_path, **TELEMETRY) == ["opentelemetry", "prometheus_client"]
    assert "redis" in heavy(tmp_path, GATEWAY_REDIS_URL="redis://127.0.0.1:9/0")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        IDENTITY_PROVIDER,
        TELEMETRY,
        {"GATEWAY_REDIS_URL": "redis://127.0.0.1:9/0"},
    ],
    ids=["defaults", "identity provider", "telemetry", "redis"],
)
def test_no_worker_loads_a_library_after_the_fork(tmp_path: Path, settings: dict[str, str]) -> None:
    """Each would have it for itself. Smaller parts, which another library loads when it is first used, may come."""
    heavy(tmp_path)

    after = loaded(tmp_path, "--forks", **settings)

    assert {name for name in after if "." not in name} - sys.stdlib_module_names == set()


def test_postgresql_is_loaded_before_the_fork(postgresql_url: str, tmp_path: Path) -> None:
    after = loaded(tmp_path, "--forks", GATEWAY_DATABASE_URL=postgresql_url)

    assert after.isdisjoint({"psycopg", "sqlalchemy.ext.asyncio", "sqlalchemy.dialects.postgresql"})
