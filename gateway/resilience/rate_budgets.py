"""A call waits for its turn where a provider would refuse it, or fails at once where waiting would take too long."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from gateway.clock import Clocks
from gateway.domain.contact import Provider
from gateway.domain.errors import (
    BudgetSpent,
    CallLimitReached,
    DeadlineExceeded,
    ErrorCode,
    ProviderFailure,
    ProviderUnreachable,
    RateLimited,
)
from gateway.domain.exchange import Allowance, Call, CallKind, Reply
from gateway.resilience.events import PolicyEvents
from gateway.resilience.operation import Operation, current_operation
from gateway.resilience.policy import Send
from gateway.resilience.rate_limit import CLOCK_MARGIN_SECONDS, STRAGGLER_SECONDS, WINDOW_SECONDS, RateLimit
from gateway.resilience.settings import ResilienceSettings
from gateway.resilience.slot_store import GIVEN_BACK, MAX_CLOSED_SECONDS, Ending, Slot, SlotStore
from gateway.resilience.turns import NoTurn, Turns, WaitingRoom

# A window of a minute that ends later than this is none.
MAX_OTHERS_SECONDS = 3_600.0
_ANSWERED_SECONDS = WINDOW_SECONDS + CLOCK_MARGIN_SECONDS
_CUT_OFF_SECONDS = WINDOW_SECONDS + STRAGGLER_SECONDS

MakeStore = Callable[[RateLimit], SlotStore]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStanding:
    """`reset_at` is when every slot is free again; now, where none is taken."""

    name: str
    kinds: frozenset[CallKind]
    limit: int
    remaining: int
    reset_at: datetime


class RateBudgets:
    """The budgets of one provider and credential. `longest_call_seconds` is how long one attempt can take."""

    def __init__(
        self,
        limits: Sequence[RateLimit],
        make_store: MakeStore,
        *,
        display_name: str,
        settings: ResilienceSettings,
        clocks: Clocks,
        events: PolicyEvents,
        longest_call_seconds: float,
    ) -> None:
        kinds = [kind for limit in limits for kind in limit.kinds]
        if len(set(kinds)) != len(kinds):
            raise ValueError("a kind of call stands in two rate limits")
        self._display_name = display_name
        self._wait_seconds = settings.rate_wait_seconds
        self._clocks = clocks
        self._events = events
        self._longest_call_seconds = longest_call_seconds
        room = WaitingRoom(settings.max_waiting_calls)
        self._turns = {limit: Turns(make_store(limit), clocks, room) for limit in limits}
        self._of_kind = {kind: turns for limit, turns in self._turns.items() for kind in limit.kinds}

    def waited_for(self, provider: Provider, send: Send) -> Send:
        """The policy. What it lets through is sent within the limits, whatever becomes of it."""

        async def guarded(call: Call) -> Reply:
            turns = self._of_kind.get(call.kind)
            if turns is None:
                return await send(call)
            slot = await self._slot(turns, provider, call.kind)
            try:
                reply = await send(call)
            except BaseException as error:
                turns.end(slot, self._ending_of(error))
                raise
            turns.end(slot, self._told(reply.allowance))
            return reply

        return guarded

    def present(self) -> tuple[BudgetStanding, ...]:
        """What this process knows of its budgets; nobody is asked."""
        now = self._clocks.wall()
        standings = ((limit, turns.store.standing()) for limit, turns in self._turns.items())
        return tuple(
            BudgetStanding(
                name=limit.name,
                kinds=limit.kinds,
                limit=standing.limit,
                remaining=standing.remaining,
                reset_at=now + timedelta(seconds=standing.full_in_seconds),
            )
            for limit, standing in standings
        )

    async def aclose(self) -> None:
        await asyncio.gather(*(turns.aclose() for turns in self._turns.values()))

    async def _slot(self, turns: Turns, provider: Provider, kind: CallKind) -> Slot:
        running = current_operation()
        left = running.seconds_left
        longest = self._longest_call_seconds if left is None else min(left, self._longest_call_seconds)
        hold_seconds = longest + _CUT_OFF_SECONDS
        slot = await turns.at_once(running, hold_seconds=hold_seconds)
        if slot is not None:
            return slot
        wait_seconds = self._wait_seconds if left is None else min(left, self._wait_seconds)
        try:
            return await self._waited(turns, running, provider, kind, hold_seconds, wait_seconds)
        except NoTurn as none:
            self._events.held_back(provider, kind, ErrorCode.RATE_LIMITED)
            seconds = min(none.free_in_seconds, MAX_CLOSED_SECONDS)
            message = f"The calls that {self._display_name} takes in a minute are used up for now."
            raise BudgetSpent(provider, message, retry_after_ms=ceil(round(seconds * 1000, 3))) from None

    async def _waited(
        self, turns: Turns, running: Operation, provider: Provider, kind: CallKind, hold: float, wait: float
    ) -> Slot:
        clock = self._clocks.monotonic
        started = clock()
        try:
            with running.tally.of(provider).waiting(clock):
                return await turns.wait(running, hold_seconds=hold, wait_seconds=wait)
        finally:
            self._events.waited(provider, kind, clock() - started)

    def _ending_of(self, error: BaseException) -> Ending:
        """How a call that was not answered with success counts."""
        if not isinstance(error, ProviderFailure):
            return Ending(hold_seconds=_CUT_OFF_SECONDS)
        # With a status, it came whole; without, what was sent may be under way still.
        answered = error.fault.upstream_status is not None
        # An answer for which there was no memory is held back too, but the provider has counted its call.
        unsent = error.held_back or isinstance(error, (ProviderUnreachable, DeadlineExceeded, CallLimitReached))
        if unsent and not answered:
            return GIVEN_BACK
        if not answered:
            return Ending(hold_seconds=_CUT_OFF_SECONDS)
        ending = self._told(error.allowance)
        if isinstance(error, RateLimited):
            wait_ms = error.fault.retry_after_ms
            return replace(ending, refused=True, closed_seconds=None if wait_ms is None else wait_ms / 1000)
        return ending

    def _told(self, allowance: Allowance) -> Ending:
        others = WINDOW_SECONDS
        if allowance.reset_at is not None:
            others = (allowance.reset_at - self._clocks.wall()).total_seconds()
        return Ending(
            hold_seconds=_ANSWERED_SECONDS,
            limit=allowance.limit,
            remaining=allowance.remaining,
            others_hold_seconds=min(max(others, 0.0), MAX_OTHERS_SECONDS) + CLOCK_MARGIN_SECONDS,
        )
