"""Settings of the policies around calls to providers; the defaults are the numbers of design section 9."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)]
Switch = Literal["on", "off"]


class ResilienceSettings(BaseSettings):
    # A part of GatewaySettings, which alone reads anything: a validator of its own would never be used.
    model_config = SettingsConfigDict(defer_build=True)

    retries: int = Field(2, ge=0, le=10, description="attempts after the first one, 0 to 10")
    retry_backoff_seconds: Seconds = Field(
        0.1, description="the longest pause before the first retry, doubled for each one after it, seconds, at most 600"
    )
    retry_backoff_max_seconds: Seconds = Field(2.0, description="the longest pause before any retry, at most 600")

    breaker: Switch = Field("on", description="on or off: stop calling a provider for a while when its calls fail")
    breaker_failures: int = Field(5, ge=1, le=10_000, description="failures in a row that open a circuit, 1 to 10000")
    breaker_ratio: float = Field(
        0.5, gt=0, le=1, allow_inf_nan=False, description="share of failed calls that opens a circuit, up to 1"
    )
    breaker_calls: int = Field(
        20, ge=1, le=100_000, description="calls in the window before that share counts, 1 to 100000"
    )
    breaker_window_seconds: Seconds = Field(10.0, description="the window of that share, seconds, at most 600")
    breaker_open_seconds: Seconds = Field(
        5.0, description="how long an open circuit waits before its next probe, seconds, at most 600"
    )

    rate_budgets: Switch = Field(
        "on", description="on or off: hold calls back before a provider's rate limit refuses them"
    )
    rate_wait_seconds: float = Field(
        2.0, ge=0, le=600, allow_inf_nan=False, description="how long a call may wait for its turn, 0 to 600 seconds"
    )
    redis_url: str | None = Field(
        None,
        # May hold a password.
        repr=False,
        pattern=r"^(rediss?|unix)://",
        description="such as redis://host:6379/0, through which several gateways count as one; unset, each for itself",
    )

    read_cache_seconds: float = Field(
        10.0, ge=0, le=3_600, allow_inf_nan=False, description="how long a record counts as fresh, 0 (never) to 3600"
    )
    stale_if_error_seconds: float = Field(
        300.0,
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description="how old a record may be that stands in for a provider that is down, 0 (never) to 86400 seconds",
    )
    read_cache_bytes: int = Field(
        33_554_432, ge=0, le=4_294_967_296, description="memory for records of one provider, 0 to 4294967296"
    )

    max_calls_at_once: int = Field(100, ge=1, le=10_000, description="calls to one provider at a time, 1 to 10000")
    max_waiting_calls: int = Field(
        200, ge=0, le=100_000, description="calls that may wait for one provider, 0 to 100000"
    )
    max_reply_bytes: int = Field(
        67_108_864,
        ge=8_388_608,
        le=4_294_967_296,
        description="memory for the answers that one provider is sending, 8388608 to 4294967296",
    )

    tell_providers: Switch = Field(
        "on", description="on or off: tell calls, time and budgets of each provider in extensions.providers"
    )
