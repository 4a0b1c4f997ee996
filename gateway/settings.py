"""The gateway's own settings: environment variables that begin with GATEWAY_; a .env file is read too.

A provider's settings stand in its connector's folder; the registry lists them.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gateway.access.settings import AccessSettings, access_problem, is_required
from gateway.connectors.registry import REGISTRY, Registration
from gateway.domain.contact import Provider
from gateway.http.settings import DocumentLimits, HttpSettings
from gateway.resilience.settings import ResilienceSettings, Seconds
from gateway.telemetry.settings import TelemetrySettings, metrics_problem
from gateway.upstream.proxy import is_loopback

S = TypeVar("S", bound=BaseSettings)

# Platforms hand out the first two.
_POSTGRESQL = ("postgres", "postgresql", "postgresql+psycopg")
# The design names the second one, which is what older settings hold.
_SQLITE = ("sqlite", "sqlite+aiosqlite")
MAX_WORKERS = 64
_LENGTH_OF_TIME = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([smhd]?)")
_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class WrongSettings(Exception):
    """The gateway cannot start; the text names the variable, what is wrong and what would be right."""


class GatewaySettings(HttpSettings, DocumentLimits, AccessSettings, ResilienceSettings, TelemetrySettings):
    model_config = SettingsConfigDict(env_prefix="GATEWAY_", env_file=".env", extra="ignore")

    host: str = Field("127.0.0.1", min_length=1, description="the address to listen on, such as 127.0.0.1")
    port: int = Field(8000, ge=0, le=65535, description="a port from 0 (any free one) to 65535")
    workers: int = Field(1, ge=1, le=MAX_WORKERS, description=f"processes that serve, 1 to {MAX_WORKERS}")
    worker_timeout_seconds: float = Field(
        30.0,
        allow_inf_nan=False,
        description="how long one of several workers may stand still before it is killed and replaced, 1 to 3600"
        " seconds; 0 for ever",
    )
    mode: Literal["development", "production"] = Field(
        "development", description="development, or production, which insists on https base URLs"
    )
    database_url: str = Field(
        "sqlite:///contact-gateway.db",
        # May hold a password, which no repr of the settings may tell.
        repr=False,
        description="sqlite:///contact-gateway.db or another file, or postgresql://user:password@host/database",
    )
    precedence: Annotated[tuple[Provider, ...], NoDecode] = Field(
        tuple(registration.provider for registration in REGISTRY),
        description="provider names by commas, such as gately,klen,cometly; whoever is left out comes last",
    )
    connect_timeout_seconds: Seconds = Field(2.0, description="seconds, more than 0 and at most 600")
    attempt_timeout_seconds: Seconds = Field(5.0, description="seconds, more than 0 and at most 600")
    query_deadline_seconds: Seconds = Field(15.0, description="seconds, more than 0 and at most 600")
    mutation_deadline_seconds: Seconds = Field(30.0, description="seconds, more than 0 and at most 600")

    operation_retention: timedelta = Field(
        "24h",
        validate_default=True,
        description="how long an operation is remembered, from 1m to 30d, such as 24h, 90m, 7d or 3600 (seconds)",
    )
    settling_seconds: float = Field(
        60.0,
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description="how long after a lost answer a write may still come through at a provider, 0 to 86400 seconds",
    )

    def shows(self, switch: Literal["on", "off"] | None) -> bool:
        """Whether something for developers is shown: as the switch says, else in development only."""
        return switch == "on" if switch else self.mode == "development"

    @property
    def logs_requests(self) -> bool:
        """Whether each request gets a line in the log."""
        return self.log_requests == "on" if self.log_requests else self.mode == "production"

    @field_validator("precedence", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [name.strip().lower() for name in value.split(",")] if isinstance(value, str) else value

    @field_validator("precedence")
    @classmethod
    def _every_provider_once(cls, named: tuple[Provider, ...]) -> tuple[Provider, ...]:
        if len(set(named)) != len(named):
            raise ValueError("a provider is named twice")
        return named + tuple(entry.provider for entry in REGISTRY if entry.provider not in named)

    @field_validator("worker_timeout_seconds")
    @classmethod
    def _longer_than_a_pulse(cls, seconds: float) -> float:
        if seconds != 0 and not 1 <= seconds <= 3600:
            raise ValueError("neither 0 nor 1 to 3600")
        return seconds

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        scheme, separator, rest = url.partition("://")
        if separator and scheme in _POSTGRESQL:
            return f"postgresql+psycopg://{rest}"
        if not separator or scheme not in _SQLITE:
            raise ValueError("not the URL of an SQLite or PostgreSQL database")
        return f"sqlite://{rest}"

    @field_validator("operation_retention", mode="before")
    @classmethod
    def _length_of_time(cls, value: Any) -> timedelta:
        if isinstance(value, timedelta):
            length = value
        else:
            read = _LENGTH_OF_TIME.fullmatch(str(value).strip().lower())
            if read is None:
                raise ValueError("not a length of time")
            length = timedelta(**{_UNITS[read[2]]: float(read[1])})
        if not timedelta(minutes=1) <= length <= timedelta(days=30):
            raise ValueError("shorter than a minute or longer than 30 days")
        return length


def read_gateway_settings(**overrides: Any) -> GatewaySettings:
    """
    Raises:
        WrongSettings: naming the variable.
    """
    settings = _read(GatewaySettings, **overrides)
    if problem := access_problem(settings, mode=settings.mode, host=settings.host):
        raise WrongSettings(problem)
    guarded = is_required(settings, mode=settings.mode, host=settings.host)
    if problem := metrics_problem(settings, guarded=guarded):
        raise WrongSettings(problem)
    return settings


def read_provider_settings(registration: Registration, mode: str) -> Any:
    """The settings of one provider, whether it is configured or not.

    Raises:
        WrongSettings: naming the variable. In production a base URL has to be https: the key
            travels with every call.
    """
    settings: Any = _read(registration.settings)
    prefix = registration.settings.model_config.get("env_prefix")
    url = settings.base_url
    if mode == "production" and url.scheme != "https" and not is_loopback(str(url)):
        raise WrongSettings(f"{prefix}BASE_URL: must begin with https:// in production.")
    if url.username or url.password or url.query or url.fragment:
        raise WrongSettings(f"{prefix}BASE_URL: must hold no user, query or fragment. Give the host and the path.")
    key = api_key(settings)
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        raise WrongSettings(f"{prefix}API_KEY: holds characters that no key has. Give it without spaces and quotes.")
    return settings


def api_key(settings: Any) -> str | None:
    """The key itself, or None: a provider is configured when its key is set and not blank."""
    secret = settings.api_key.get_secret_value().strip() if settings.api_key else ""
    return secret or None


def _read(settings: type[S], **overrides: Any) -> S:
    try:
        return settings(**overrides)
    except UnicodeDecodeError:
        raise WrongSettings(".env: is not a text in UTF-8. Save it in that encoding.") from None
    except ValidationError as error:
        # Only the first: one message that can be acted on. The value is not repeated, it may be a secret.
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0])
        variable = f"{settings.model_config.get('env_prefix')}{name.upper()}"
        description = settings.model_fields[name].description
        what = str(first["msg"]).removeprefix("Value error, ")
        raise WrongSettings(f"{variable}: {what}. Give {description}.") from None
