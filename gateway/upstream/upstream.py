"""The way to one provider: the policies, in order, around one attempt."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from gateway.domain.exchange import Call, Reply
from gateway.resilience.call_limit import counted
from gateway.resilience.deadline import within_deadline
from gateway.resilience.permission import permitted
from gateway.resilience.policy import Policy, stacked
from gateway.resilience.status import Watch
from gateway.upstream.attempt import Attempt
from gateway.upstream.refusal import Dialect

# Outermost first: what a caller may not do costs neither time nor calls.
# Retry, breaker, rate budget and single flight take their place between these
# and the attempt (design section 9); no connector has to know of them. Innermost of all stands each provider's own
# watch, which sees how every attempt ended.
POLICIES: tuple[Policy, ...] = (permitted, within_deadline, counted)


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


class Upstream:
    """Sends calls to one provider. Open it before use and close it in the end (async with)."""

    def __init__(self, endpoint: Endpoint, dialect: Dialect, timeouts: Timeouts) -> None:
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
        attempt = Attempt(self._client, dialect, attempt_seconds=timeouts.attempt_seconds)
        self.watch = Watch(dialect.provider)
        self.send_through = stacked(dialect.provider, (*POLICIES, self.watch.watched), attempt.send)

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
