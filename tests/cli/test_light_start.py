"""What a start does not need is not loaded: it would stay in memory until the end, in every process."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

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
START = f"""
import asyncio, sys
import gateway.cli
from gateway.logs import configure_logs
from gateway.main import build_app, build_connectors, telemetry_of
from gateway.settings import read_gateway_settings

async def main():
    settings = read_gateway_settings()
    configure_logs(settings.log_format, settings.log_level)
    telemetry = telemetry_of(settings)
    application = build_app(settings, build_connectors(settings, telemetry), telemetry)
    async with application.router.lifespan_context(application):
        print(*[name for name in {HEAVY!r} if name in sys.modules])

asyncio.run(main())
"""
ENVIRONMENT = {"GATELY_API_KEY": "k", "COMETLY_API_KEY": "k", "KLEN_API_KEY": "k"}


def loaded(folder: Path, **settings: str) -> list[str]:
    """Of a gateway over all providers, once it could serve."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, "-c", START],
        cwd=folder,
        env={**inherited, **ENVIRONMENT, "GATEWAY_DATABASE_URL": "sqlite:///gateway.db", **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_with_the_defaults_nothing_is_loaded_for_what_is_off(tmp_path: Path) -> None:
    assert loaded(tmp_path) == []


def test_only_a_database_that_has_to_be_changed_loads_what_changes_it(tmp_path: Path) -> None:
    assert loaded(tmp_path) == []

    with closing(sqlite3.connect(tmp_path / "gateway.db")) as connection:
        for table in ("alembic_version", "operation_targets", "operations", "locks", "api_keys"):
            connection.execute(f"DROP TABLE {table}")

    assert loaded(tmp_path) == ["alembic"]
    assert loaded(tmp_path) == []


def test_what_is_switched_on_is_loaded_by_the_start_and_not_by_the_first_request(tmp_path: Path) -> None:
    identity_provider = {
        "GATEWAY_JWT_JWKS_URL": "http://127.0.0.1:9/keys",
        "GATEWAY_JWT_ISSUER": "https://issuer.test",
        "GATEWAY_JWT_AUDIENCE": "gateway",
        "GATEWAY_AUTHENTICATION": "required",
    }

    assert loaded(tmp_path, **identity_provider) == ["cryptography", "httpx", "jwt"]
    assert loaded(tmp_path, GATEWAY_METRICS="on", GATEWAY_TRACES="otlp") == ["opentelemetry", "prometheus_client"]
