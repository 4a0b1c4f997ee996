"""Settings of who may call, and whether anybody has to say who they are."""

from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.upstream.proxy import is_loopback

NO_CREDENTIAL_COUNTS: Final = (
    "GATEWAY_AUTHENTICATION: callers have to show a credential, and there is none that would count."
    " Make an API key with `gateway keys create NAME --scope contacts:read`,"
    " or give GATEWAY_JWT_JWKS_URL, GATEWAY_JWT_ISSUER and GATEWAY_JWT_AUDIENCE."
)


class AccessSettings(BaseSettings):
    # A part of GatewaySettings, which alone reads anything: a validator of its own would never be used.
    model_config = SettingsConfigDict(defer_build=True)

    authentication: Literal["off", "required"] | None = Field(
        None, description="off or required; when not set, off in development on a loopback host, else required"
    )
    jwt_jwks_url: str | None = Field(
        None, description="where the identity provider publishes its public keys (JWKS), an https URL"
    )
    jwt_issuer: str | None = Field(None, min_length=1, description="the issuer (iss) whose tokens count")
    jwt_audience: str | None = Field(None, min_length=1, description="the audience (aud) that tokens have to name")
    jwt_clock_skew_seconds: float = Field(
        30.0, ge=0, le=300, allow_inf_nan=False, description="how far the issuer's clock may be off, 0 to 300 seconds"
    )

    @field_validator("jwt_jwks_url")
    @classmethod
    def _is_safe(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        # `port` raises ValueError itself where it is no number of a port.
        if (
            parts.port == 0
            or parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.username
            or parts.fragment
        ):
            raise ValueError("not an http or https URL without user and fragment")
        if parts.scheme != "https" and not is_loopback(url):
            raise ValueError("must begin with https://, or anybody on the way could put keys of their own there")
        return url


def is_required(settings: AccessSettings, *, mode: str, host: str) -> bool:
    """Whether every caller has to show a credential that counts."""
    if settings.authentication is not None:
        return settings.authentication == "required"
    return not _is_private(mode, host)


def access_problem(settings: AccessSettings, *, mode: str, host: str) -> str | None:
    """What is wrong with these settings together: the variable, and what to do."""
    if settings.authentication == "off" and not _is_private(mode, host):
        return (
            "GATEWAY_AUTHENTICATION: off is for development on a loopback host only."
            " Give required, or GATEWAY_MODE=development and GATEWAY_HOST=127.0.0.1."
        )
    given = {
        "GATEWAY_JWT_JWKS_URL": settings.jwt_jwks_url,
        "GATEWAY_JWT_ISSUER": settings.jwt_issuer,
        "GATEWAY_JWT_AUDIENCE": settings.jwt_audience,
    }
    missing = [name for name, value in given.items() if value is None]
    if missing and len(missing) < len(given):
        return f"{missing[0]}: is missing. Tokens need all of {', '.join(given)}; give all of them, or none."
    return None


def _is_private(mode: str, host: str) -> bool:
    if mode != "development":
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
