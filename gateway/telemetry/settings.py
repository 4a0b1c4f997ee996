"""Settings of what can be seen from outside, and of the end."""

from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "json", "console"]
_MIN_TOKEN_CHARACTERS = 16


class TelemetrySettings(BaseSettings):
    # A part of GatewaySettings, which alone reads anything: a validator of its own would never be used.
    model_config = SettingsConfigDict(defer_build=True)

    metrics: Literal["off", "on"] = Field("off", description="off, or on: metrics for Prometheus at /metrics")
    metrics_token: str | None = Field(
        None,
        # A secret, which no repr of the settings may tell.
        repr=False,
        description="what a scraper of /metrics shows as Authorization: Bearer, 16 to 512 characters without spaces;"
        " needed where callers have to authenticate",
    )
    traces: Literal["off", "otlp"] = Field(
        "off", description="off, or otlp: traces by OTLP over HTTP, set up by the standard OTEL_ variables"
    )
    log_format: LogFormat = Field("auto", description="auto (console in a terminal, else json), json or console")
    log_level: LogLevel = Field("info", description="debug, info, warning or error")
    log_requests: Literal["on", "off"] | None = Field(
        None, description="on or off: a line for each request; unless set, only in production"
    )
    shutdown_seconds: float = Field(
        30.0,
        ge=0,
        le=600,
        allow_inf_nan=False,
        description="how long what runs may take after a signal to end, 0 to 600 seconds; then it is broken off",
    )

    @field_validator("metrics_token")
    @classmethod
    def _is_a_secret(cls, token: str | None) -> str | None:
        if token is not None and not (
            _MIN_TOKEN_CHARACTERS <= len(token) <= 512 and token.isascii() and token.isprintable() and " " not in token
        ):
            raise ValueError("not 16 to 512 characters of ASCII without spaces")
        return token


def metrics_problem(settings: TelemetrySettings, *, guarded: bool) -> str | None:
    """What is wrong with these settings together; `guarded` is whether callers have to show a credential. Behind a
    proxy on the same machine everybody comes from the loopback, so where somebody connects from proves nothing."""
    if settings.metrics == "on" and guarded and settings.metrics_token is None:
        return (
            "GATEWAY_METRICS_TOKEN: is missing. Metrics tell of the traffic, and callers have to authenticate here;"
            " give a token of 16 characters or more, which the scraper shows, or GATEWAY_METRICS=off."
        )
    return None
