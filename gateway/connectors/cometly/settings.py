"""Cometly's settings: environment variables that begin with COMETLY_."""

import json
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gateway.connectors.cometly.connector import CometlyConnector
from gateway.connectors.cometly.dialect import CometlyDialect
from gateway.connectors.cometly.slots import SLOT, Slots
from gateway.domain.exchange import CallKind
from gateway.resilience.rate_limit import RateLimit
from gateway.upstream.endpoint import Endpoint
from gateway.upstream.upstream import Conditions, Upstream


class CometlySettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="COMETLY_", env_file=".env", extra="ignore")

    api_key: SecretStr | None = Field(None, description="API key; Cometly is used when it is set")
    base_url: AnyHttpUrl = Field(
        AnyHttpUrl("https://app.cometly.com/public-api/v1"), description="a URL including the path"
    )
    timezone: str = Field("UTC", description="the Space's time zone by its IANA name, such as Europe/Helsinki")
    custom_fields: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description='a JSON object from names to slots, each slot once, such as {"tier": "profile_field_1"}',
    )

    creates_per_minute: int = Field(60, ge=1, le=100_000, description="the Space's rate limit, 1 to 100000")
    lists_per_minute: int = Field(15, ge=1, le=100_000, description="the Space's rate limit, 1 to 100000")
    reads_per_minute: int = Field(15, ge=1, le=100_000, description="the Space's rate limit, 1 to 100000")
    updates_per_minute: int = Field(60, ge=1, le=100_000, description="the Space's rate limit, 1 to 100000")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no such time zone") from None
        return name

    @field_validator("custom_fields", mode="before")
    @classmethod
    def _read_object(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value, object_pairs_hook=_once)
        except json.JSONDecodeError:
            raise ValueError("not JSON") from None

    @field_validator("custom_fields")
    @classmethod
    def _known_slots(cls, names: dict[str, str]) -> dict[str, str]:
        for name, slot in names.items():
            if not name.strip() or not SLOT.fullmatch(slot):
                raise ValueError("a slot is one of profile_field_1 to profile_field_30, a name is not blank")
        if len(set(names.values())) != len(names):
            raise ValueError("two names share a slot")
        return names


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands there twice")
    return read


def build(settings: CometlySettings, key: str, conditions: Conditions) -> CometlyConnector:
    # Both headers are required on every call, a GET included [authentication].
    headers = {
        "Authorization": f"Bearer {key}",
        "Accept": "application/json",
        "Content-Type": "application/json",
    }
    endpoint = Endpoint(base_url=str(settings.base_url), headers=headers)
    return CometlyConnector(
        Upstream(endpoint, CometlyDialect(), conditions, rate_limits=_rate_limits(settings)),
        slots=Slots(settings.custom_fields),
        time_zone=ZoneInfo(settings.timezone),
    )


def _rate_limits(settings: CometlySettings) -> tuple[RateLimit, ...]:
    """Counted per Space and endpoint [rate-limiting]; of the two figures for a read the lower one."""
    per_minute = {
        CallKind.CREATE: settings.creates_per_minute,
        CallKind.LIST: settings.lists_per_minute,
        CallKind.READ: settings.reads_per_minute,
        CallKind.UPDATE: settings.updates_per_minute,
    }
    return tuple(RateLimit(name=kind.value, kinds=frozenset({kind}), calls=calls) for kind, calls in per_minute.items())
