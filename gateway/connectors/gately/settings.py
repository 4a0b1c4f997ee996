"""Gately's settings: environment variables that begin with GATELY_."""

from pydantic import AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.connectors.gately.connector import GatelyConnector
from gateway.connectors.gately.dialect import GatelyDialect
from gateway.upstream.upstream import Endpoint, Timeouts, Upstream


class GatelySettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="GATELY_", env_file=".env", extra="ignore")

    api_key: SecretStr | None = Field(None, description="API key; Gately is used when it is set")
    project_id: str | None = Field(
        None, pattern=r"^[A-Za-z0-9-]*$", description="UUID of the project; sent on every call when set"
    )
    base_url: AnyHttpUrl = Field(AnyHttpUrl("https://api.usegately.com/api/v1"), description="a URL including the path")


def build(settings: GatelySettings, key: str, timeouts: Timeouts) -> GatelyConnector:
    headers = {"Authorization": f"Bearer {key}"}
    if settings.project_id:
        headers["X-Project-ID"] = settings.project_id
    endpoint = Endpoint(base_url=str(settings.base_url), headers=headers)
    return GatelyConnector(Upstream(endpoint, GatelyDialect(), timeouts))
