"""The way to one provider: the policies, in order, around one attempt."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.clock import Clocks
from gateway.domain.exchange import Call, Reply
from gateway.resilience.accounting import tallied
from gateway.resilience.breaker import Breaker
from gateway.resilience.bulkhead import Bulkhead
from gateway.resilience.call_limit import counted
from gateway.resilience.deadline import within_deadline
from gateway.resilience.events import PolicyEvents
from gateway.resilience.permission import permitted
from gateway.resilience.policy import Policy, stacked
from gateway.resilience.rate_budgets import RateBudgets
from gateway.resilience.rate_limit import RateLimit
from gateway.resilience.reply_memory import ReplyMemory
from gateway.resilience.retry import retried
from gateway.resilience.settings import ResilienceSettings
from gateway.resilience.single_flight import Changes, Flights, by_nobody_else
from gateway.resilience.slot_log import LocalSlots
from gateway.resilience.slot_store import SlotStore
from gateway.resilience.standing import Standing
from gateway.resilience.status import Watch
from gateway.upstream.attempt import Attempt
from gateway.upstream.endpoint import Endpoint, Timeouts
from gateway.upstream.http_client import AiohttpClient
from gateway.upstream.proxy import proxy_for
from gateway.upstream.refusal import Dialect
from gateway.upstream.roots import verifying

if TYPE_CHECKING:
    from gateway.resilience.redis_link import RedisLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How calls are made, the same for every provider. `observers` stand around each attempt; `events` hears what the
    policies do. Of other processes `redis` knows the calls and `changes` the writes, which end the joining."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    # Without the environment: whoever wants that hands its settings over.
    settings: ResilienceSettings = field(default_factory=ResilienceSettings.model_construct)
    clocks: Clocks = field(default_factory=Clocks)
    observers: tuple[Policy, ...] = ()
    events: PolicyEvents = field(default_factory=PolicyEvents)
    redis: "RedisLink | None" = None
    changes: Changes = by_nobody_else


class Upstream:
    """Sends calls to one provider with one credential. Close it in the end.

    `rate_limits` are the provider's published ones; a kind of call that is in none of them is not limited. `breaker`
    is None where it is switched off.
    """

    def __init__(
        self, endpoint: Endpoint, dialect: Dialect, conditions: Conditions, *, rate_limits: Sequence[RateLimit] = ()
    ) -> None:
        settings, timeouts = conditions.settings, conditions.timeouts
        self._client = _client(endpoint, timeouts, connections=settings.max_calls_at_once)
        attempt = Attempt(
            self._client,
            endpoint,
            dialect,
            timeouts=timeouts,
            memory=ReplyMemory(settings.max_reply_bytes),
            wall_clock=conditions.clocks.wall,
        )
        self.watch = Watch(dialect.provider, conditions.clocks.wall)
        self.breaker = _breaker(dialect, conditions)
        self.budgets = _rate_budgets(rate_limits, endpoint, dialect, conditions)
        self._flights = Flights(
            attempt_seconds=timeouts.attempt_seconds,
            clocks=conditions.clocks,
            events=conditions.events,
            changes=conditions.changes,
        )
        self.standing = Standing(watch=self.watch, breaker=self.breaker, budgets=self.budgets)
        self.policies = self._policies(dialect, conditions)
        self.send_through = stacked(dialect.provider, self.policies, attempt.send)

    def _policies(self, dialect: Dialect, conditions: Conditions) -> tuple[Policy, ...]:
        """Outermost first (docs/adr/0011). No connector has to know of any of them."""
        settings, clocks, events = conditions.settings, conditions.clocks, conditions.events
        attempt_seconds = conditions.timeouts.attempt_seconds
        bulkhead = Bulkhead(dialect.provider, dialect.display_name, settings, clocks=clocks, events=events)
        return (
            # What a caller may not do costs neither time nor calls.
            permitted,
            within_deadline,
            self._flights.joined,
            *([retried(settings, clocks, events, attempt_seconds=attempt_seconds)] if settings.retries else []),
            counted,
            *([self.breaker.guarded] if self.breaker else []),
            # Whoever waits for a budget takes no place.
            *([self.budgets.waited_for] if self.budgets else []),
            bulkhead.bounded,
            *conditions.observers,
            tallied(clocks.monotonic, events),
            self.watch.watched,
        )

    def send(self, call: Call) -> Awaitable[Reply]:
        """Sends one call and returns its 2xx answer, when it is awaited.

        Raises:
            ProviderFailure: for every other event, as the table of outcomes says.
        """
        return self.send_through(call)

    async def aclose(self) -> None:
        await self._flights.aclose()
        await self._client.aclose()
        if self.budgets:
            await self.budgets.aclose()


def _rate_budgets(
    limits: Sequence[RateLimit], endpoint: Endpoint, dialect: Dialect, conditions: Conditions
) -> RateBudgets | None:
    if conditions.settings.rate_budgets == "off" or not limits:
        return None
    timeouts, clocks, redis = conditions.timeouts, conditions.clocks, conditions.redis

    def slots(limit: RateLimit) -> SlotStore:
        if redis is None:
            return LocalSlots(limit, clocks.monotonic)
        # The client of Redis is large, and needed by few.
        from gateway.resilience.redis_budget import SharedSlots, fingerprint

        owner = fingerprint(dialect.provider, endpoint.base_url, endpoint.headers)
        return SharedSlots(limit, redis, clocks.monotonic, owner=f"{dialect.provider}:{owner}")

    return RateBudgets(
        limits,
        slots,
        display_name=dialect.display_name,
        settings=conditions.settings,
        clocks=clocks,
        events=conditions.events,
        # A place in the pool, a connection and TLS may each take the connect time-out.
        longest_call_seconds=3 * timeouts.connect_seconds + timeouts.attempt_seconds,
    )


def _client(endpoint: Endpoint, timeouts: Timeouts, *, connections: int) -> AiohttpClient:
    """As many connections as calls may be made at a time: nobody who has a turn waits for one again."""
    return AiohttpClient(
        connections=connections,
        connect_seconds=timeouts.connect_seconds,
        verify=verifying() if endpoint.base_url.startswith("https:") else True,
        proxy=proxy_for(endpoint.base_url),
    )


def _breaker(dialect: Dialect, conditions: Conditions) -> Breaker | None:
    if conditions.settings.breaker == "off":
        return None
    return Breaker(
        dialect.provider,
        dialect.display_name,
        conditions.settings,
        clock=conditions.clocks.monotonic,
        events=conditions.events,
    )
