"""The way to one provider: the policies, in order, around one attempt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from gateway.clock import Clocks
from gateway.domain.exchange import Call, Reply
from gateway.resilience.accounting import tallied
from gateway.resilience.call_limit import counted
from gateway.resilience.deadline import within_deadline
from gateway.resilience.events import PolicyEvents
from gateway.resilience.permission import permitted
from gateway.resilience.policy import Policy, stacked
from gateway.resilience.rate_limit import RateLimit
from gateway.resilience.settings import ResilienceSettings
from gateway.resilience.status import Watch
from gateway.upstream.attempt import Attempt
from gateway.upstream.refusal import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a provider is and what every call to it carries. `headers` hold the credentials."""

    base_url: str
    headers: dict[str, str]

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """In seconds; design section 9."""

    connect_seconds: float = 2.0
    attempt_seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How calls are made, the same for every provider. `observers` stand around each attempt; `events` hears what the
    policies do."""

    timeouts: Timeouts = Timeouts()
    # Without the environment: whoever wants that hands its settings over.
    settings: ResilienceSettings = field(default_factory=ResilienceSettings.model_construct)
    clocks: Clocks = field(default_factory=Clocks)
    observers: tuple[Policy, ...] = ()
    events: PolicyEvents = field(default_factory=PolicyEvents)


class Upstream:
    """Sends calls to one provider with one credential. Close it in the end.

    `rate_limits` are the provider's published ones; a kind of call that is in none of them is not limited.
    """

    def __init__(
        self, endpoint: Endpoint, dialect: Dialect, conditions: Conditions, *, rate_limits: Sequence[RateLimit] = ()
    ) -> None:
        timeouts, clocks = conditions.timeouts, conditions.clocks
        self._client = httpx.AsyncClient(
            base_url=endpoint.base_url.rstrip("/") + "/",
            # identity: a small compressed answer could otherwise grow past every limit in one step.
            headers={"Accept": "application/json", "Accept-Encoding": "identity", **endpoint.headers},
            timeout=httpx.Timeout(
                timeouts.attempt_seconds, connect=timeouts.connect_seconds, pool=timeouts.connect_seconds
            ),
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=30),
            follow_redirects=False,
            trust_env=not is_loopback(endpoint.base_url),
        )
        attempt = Attempt(self._client, dialect, attempt_seconds=timeouts.attempt_seconds, wall_clock=clocks.wall)
        self.watch = Watch(dialect.provider, clocks.wall)
        # Outermost first. No connector has to know of any of them.
        self.policies: tuple[Policy, ...] = (
            # What a caller may not do costs neither time nor calls.
            permitted,
            within_deadline,
            counted,
            *conditions.observers,
            tallied(clocks.monotonic, conditions.events),
            self.watch.watched,
        )
        self.send_through = stacked(dialect.provider, self.policies, attempt.send)

    async def send(self, call: Call) -> Reply:
        """Sends one call and returns its 2xx answer.

        Raises:
            ProviderFailure: for every other event, as the table of outcomes says.
        """
        return await self.send_through(call)

    async def aclose(self) -> None:
        await self._client.aclose()


def is_loopback(url: str) -> bool:
    """Whether a URL names this very machine, where no proxy may come between."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
