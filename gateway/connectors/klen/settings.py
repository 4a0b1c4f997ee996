"""Klen AI's settings: environment variables that begin with KLEN_."""

from pydantic import AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.connectors.klen.connector import KlenConnector
from gateway.connectors.klen.dialect import KlenDialect
from gateway.upstream.upstream import Endpoint, Timeouts, Upstream


class KlenSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="KLEN_", env_file=".env", extra="ignore")

    api_key: SecretStr | None = Field(None, description="API key; Klen AI is used when it is set")
    base_url: AnyHttpUrl = Field(AnyHttpUrl("https://api.klen.ai/api/v1"), description="a URL including the path")


def build(settings: KlenSettings, key: str, timeouts: Timeouts) -> KlenConnector:
    endpoint = Endpoint(base_url=str(settings.base_url), headers={"Authorization": f"Bearer {key}"})
    return KlenConnector(Upstream(endpoint, KlenDialect(), timeouts))
