"""What every worker is going to need is loaded before they are forked: they share its memory, and start sooner.

Elsewhere it is imported where it is used, and not at all where it is off.
"""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

from gateway.settings import GatewaySettings


def load_what_is_on(settings: GatewaySettings) -> None:
    """Only the code: a connection or a thread would not outlive the fork whole."""
    for module in _needed(settings):
        import_module(module)


def _needed(settings: GatewaySettings) -> Iterator[str]:
    yield from _where_there("uvloop")
    if settings.redis_url is not None and settings.rate_budgets == "on":
        yield "gateway.resilience.redis_budget"
        yield "gateway.resilience.redis_link"
    if settings.jwt_jwks_url is not None:
        yield "gateway.access.tokens"
    if settings.database_url.startswith("postgresql"):
        yield "gateway.store.postgresql_pool"
        yield "sqlalchemy.dialects.postgresql.psycopg"
        yield "psycopg"
    if settings.metrics == "on":
        yield "gateway.telemetry.metrics"
    if settings.traces == "otlp":
        yield "gateway.telemetry.traces"
        # What the exporter sends with; it loads that when it is made.
        yield from _where_there("requests")


def _where_there(module: str) -> list[str]:
    return [module] if find_spec(module) is not None else []
