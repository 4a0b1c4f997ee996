"""Klen AI's settings: environment variables that begin with KLEN_."""

from pydantic import AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.connectors.klen.connector import KlenConnector
from gateway.connectors.klen.dialect import KlenDialect
from gateway.domain.exchange import CallKind
from gateway.resilience.rate_limit import RateLimit
from gateway.upstream.endpoint import Endpoint
from gateway.upstream.upstream import Conditions, Upstream


class KlenSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="KLEN_", env_file=".env", extra="ignore")

    api_key: SecretStr | None = Field(None, description="API key; Klen AI is used when it is set")
    base_url: AnyHttpUrl = Field(AnyHttpUrl("https://api.klen.ai/api/v1"), description="a URL including the path")
    calls_per_minute: int = Field(60, ge=1, le=100_000, description="the key's rate limit, 1 to 100000")


def build(settings: KlenSettings, key: str, conditions: Conditions) -> KlenConnector:
    endpoint = Endpoint(base_url=str(settings.base_url), headers={"Authorization": f"Bearer {key}"})
    # One budget per key [authentication, introduction, development].
    limit = RateLimit(name="calls", kinds=frozenset(CallKind), calls=settings.calls_per_minute)
    return KlenConnector(Upstream(endpoint, KlenDialect(), conditions, rate_limits=(limit,)))
