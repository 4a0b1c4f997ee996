"""How a provider stands at present, as far as calls have told: its status, its circuit, what is left of its limits."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.clock import utc_now
from gateway.domain.contact import Provider
from gateway.domain.exchange import CallKind
from gateway.resilience.breaker import Breaker
from gateway.resilience.rate_budgets import BudgetStanding, RateBudgets
from gateway.resilience.status import ProviderStatus, WallClock, Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLeft:
    """What is left of the limit that calls of this kind count against; at `reset_at` all of it is."""

    kind: CallKind
    limit: int
    remaining: int
    reset_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One provider, with one credential. `breaker` and `budgets` are None where they are switched off."""

    watch: Watch
    breaker: Breaker | None = None
    budgets: RateBudgets | None = None

    @property
    def present(self) -> ProviderStatus:
        status = self.watch.present
        return replace(status, circuit=self.breaker.worst.state) if self.breaker else status

    @property
    def rate_limits(self) -> tuple[RateLeft, ...]:
        """One for each kind of call that is limited, in the order of the kinds."""
        standings = self.budgets.present() if self.budgets else ()
        return tuple(
            RateLeft(kind=kind, limit=one.limit, remaining=one.remaining, reset_at=one.reset_at)
            for kind in CallKind
            for one in standings
            if kind in one.kinds
        )

    @property
    def seconds_to_change(self) -> float | None:
        """Until `present` changes by itself; None where it does not."""
        probe = self.breaker.worst.probe_in_seconds if self.breaker else 0.0
        ends = [seconds for seconds in (self.watch.seconds_to_change, probe or None) if seconds is not None]
        return min(ends, default=None)

    def listen(self, listener: Callable[[], None]) -> None:
        """`listener` is called at every change of `present` until `ignore`; it must not block."""
        self.watch.listen(listener)
        if self.breaker:
            self.breaker.listen(listener)

    def ignore(self, listener: Callable[[], None]) -> None:
        self.watch.ignore(listener)
        if self.breaker:
            self.breaker.ignore(listener)


class StatusBoard:
    """All providers side by side; of one that is not configured nothing is known."""

    def __init__(self, standings: Mapping[Provider, Standing], wall_clock: WallClock = utc_now) -> None:
        self._standings = {
            provider: standings.get(provider) or Standing(watch=Watch(provider, wall_clock)) for provider in Provider
        }

    def of(self, provider: Provider) -> ProviderStatus:
        return self._standings[provider].present

    def rate_limits(self, provider: Provider) -> tuple[RateLeft, ...]:
        return self._standings[provider].rate_limits

    def budgets(self, provider: Provider) -> tuple[BudgetStanding, ...]:
        """One for each limit, whichever kinds of call count against it."""
        budgets = self._standings[provider].budgets
        return budgets.present() if budgets else ()

    async def changes(self, providers: Sequence[Provider]) -> AsyncGenerator[ProviderStatus, None]:
        """The present state of each, then every change. Whoever takes them slowly gets the latest only: nothing
        is queued."""
        standings = [self._standings[provider] for provider in providers]
        changed = asyncio.Event()
        told: dict[Provider, ProviderStatus] = {}
        for standing in standings:
            standing.listen(changed.set)
        try:
            while True:
                changed.clear()
                for provider, standing in zip(providers, standings, strict=True):
                    status = standing.present
                    if told.get(provider) != status:
                        told[provider] = status
                        yield status
                await _changed(changed, standings)
        finally:
            for standing in standings:
                standing.ignore(changed.set)


async def _changed(changed: asyncio.Event, standings: Sequence[Standing]) -> None:
    ends = [seconds for standing in standings if (seconds := standing.seconds_to_change) is not None]
    try:
        async with asyncio.timeout(max(0.0, min(ends)) if ends else None):
            await changed.wait()
    except TimeoutError:
        return
