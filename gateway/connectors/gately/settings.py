"""Gately's settings: environment variables that begin with GATELY_."""

from pydantic import AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.connectors.gately.connector import GatelyConnector
from gateway.connectors.gately.dialect import GatelyDialect
from gateway.domain.exchange import CallKind
from gateway.resilience.rate_limit import RateLimit
from gateway.upstream.endpoint import Endpoint
from gateway.upstream.upstream import Conditions, Upstream


class GatelySettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="GATELY_", env_file=".env", extra="ignore")

    api_key: SecretStr | None = Field(None, description="API key; Gately is used when it is set")
    project_id: str | None = Field(
        None, pattern=r"^[A-Za-z0-9-]*$", description="UUID of the project; sent on every call when set"
    )
    base_url: AnyHttpUrl = Field(AnyHttpUrl("https://api.usegately.com/api/v1"), description="a URL including the path")
    calls_per_minute: int = Field(60, ge=1, le=100_000, description="calls that it may get, 1 to 100000")


def build(settings: GatelySettings, key: str, conditions: Conditions) -> GatelyConnector:
    headers = {"Authorization": f"Bearer {key}"}
    if settings.project_id:
        headers["X-Project-ID"] = settings.project_id
    endpoint = Endpoint(base_url=str(settings.base_url), headers=headers)
    # Gately publishes no limit; docs/providers/gately.md says with what to begin.
    limit = RateLimit(name="calls", kinds=frozenset(CallKind), calls=settings.calls_per_minute)
    return GatelyConnector(Upstream(endpoint, GatelyDialect(), conditions, rate_limits=(limit,)))
