"""How calls to providers are made, as the settings say; a part of the composition root."""

from typing import TYPE_CHECKING

from gateway.clock import Clocks
from gateway.contacts.changes import Changes
from gateway.resilience.events import PolicyEvents
from gateway.resilience.single_flight import by_nobody_else
from gateway.settings import GatewaySettings, WrongSettings
from gateway.upstream.endpoint import Timeouts
from gateway.upstream.upstream import Conditions

if TYPE_CHECKING:
    from gateway.resilience.redis_link import RedisLink


def build_conditions(
    settings: GatewaySettings, events: PolicyEvents, clocks: Clocks, changes: Changes | None = None
) -> Conditions:
    """
    Raises:
        WrongSettings: naming the variable.
    """
    timeouts = Timeouts(
        connect_seconds=settings.connect_timeout_seconds, attempt_seconds=settings.attempt_timeout_seconds
    )
    others = by_nobody_else if changes is None else changes.of_others
    return Conditions(
        timeouts=timeouts, settings=settings, clocks=clocks, events=events, redis=_redis(settings), changes=others
    )


def _redis(settings: GatewaySettings) -> "RedisLink | None":
    """Connected by the first call, closed with the last connector; it need not be there when the gateway starts. Its
    client is loaded only where it is used."""
    if settings.redis_url is None or settings.rate_budgets == "off":
        return None
    from gateway.resilience.redis_link import RedisLink, WrongRedisUrl

    try:
        return RedisLink(settings.redis_url)
    except WrongRedisUrl:
        # Nothing of the URL is repeated: it may hold a password.
        message = "cannot be read. Give redis://host:6379/0, rediss:// for TLS, or unix:///path/of/socket"
        raise WrongSettings(f"GATEWAY_REDIS_URL: {message}.") from None
