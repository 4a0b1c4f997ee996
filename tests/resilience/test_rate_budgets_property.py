"""Whatever comes when, and ends how: no provider sees more calls than its limit in any window."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.contact import Provider
from gateway.domain.errors import (
    BudgetSpent,
    ProviderBroken,
    ProviderCrowded,
    ProviderFailure,
    ProviderUnreachable,
    RateLimited,
    ReplyTimedOut,
)
from gateway.domain.exchange import Allowance, Call, CallKind, Reply
from gateway.resilience.events import PolicyEvents
from gateway.resilience.operation import operation
from gateway.resilience.rate_budgets import RateBudgets
from gateway.resilience.rate_limit import STRAGGLER_SECONDS, WINDOW_SECONDS, RateLimit
from gateway.resilience.settings import ResilienceSettings
from gateway.resilience.slot_log import LocalSlots
from tests.resilience.virtual_time import VirtualTime

ENDS = ("answered", "answered", "refused", "broken", "timed out", "unreachable", "crowded", "cancelled", "told")
LONGEST_SECONDS = 11.0


@dataclass(frozen=True)
class Planned:
    """A call: how long after the one before it comes, how long it takes, and where in between it arrives."""

    after: float
    takes: float
    arrives_at: float
    end: str
    background: bool
    remaining: int


calls = st.builds(
    Planned,
    after=st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.5, 3.0, 20.0, 59.9, 60.0]),
    takes=st.sampled_from([0.0, 0.05, 1.0, LONGEST_SECONDS]),
    arrives_at=st.sampled_from([0.0, 0.5, 1.0]),
    end=st.sampled_from(ENDS),
    background=st.booleans(),
    remaining=st.integers(0, 5),
)


class Counted:
    """A provider that notes when what was sent arrived: for a call that is cut off, perhaps a while later."""

    def __init__(self, time: VirtualTime) -> None:
        self.arrivals: list[float] = []
        self._time = time

    async def send(self, planned: Planned) -> Reply:
        if planned.end == "crowded":
            raise ProviderCrowded(Provider.KLEN, "No.")
        began = self._time.now
        if planned.end == "unreachable":
            await self._time.sleep(planned.takes)
            raise ProviderUnreachable(Provider.KLEN, "No.")
        late = STRAGGLER_SECONDS if planned.end in ("timed out", "cancelled") else 0.0
        arrives = began + (planned.takes + late) * planned.arrives_at
        try:
            await self._time.sleep(planned.takes)
        except asyncio.CancelledError:
            # Cut off sooner than planned: so late nothing arrives any more.
            arrives = min(arrives, self._time.now + STRAGGLER_SECONDS)
            raise
        finally:
            self.arrivals.append(arrives)
        match planned.end:
            case "refused":
                raise RateLimited(Provider.KLEN, "No.", retry_after_ms=1_000, upstream_status=429)
            case "broken":
                raise ProviderBroken(Provider.KLEN, "No.", upstream_status=500)
            case "timed out":
                raise ReplyTimedOut(Provider.KLEN, "No.")
            case "cancelled":
                raise asyncio.CancelledError
            case "told":
                allowance = Allowance(limit=None, remaining=planned.remaining)
                return Reply(status=200, headers={}, body=b"{}", latency_ms=1, allowance=allowance)
        return Reply(status=200, headers={}, body=b"{}", latency_ms=1)


async def carried_out(plan: list[Planned], *, limit: int, wait_seconds: float, time: VirtualTime) -> list[float]:
    provider = Counted(time)
    budgets = RateBudgets(
        [RateLimit(name="calls", kinds=frozenset(CallKind), calls=limit)],
        lambda published: LocalSlots(published, time.clocks.monotonic),
        display_name="Sample CRM",
        settings=ResilienceSettings.model_construct(rate_wait_seconds=wait_seconds),
        clocks=time.clocks,
        events=PolicyEvents(),
        longest_call_seconds=LONGEST_SECONDS,
    )

    async def one(planned: Planned) -> None:
        async def innermost(_: Call) -> Reply:
            return await provider.send(planned)

        with operation(deadline_seconds=30, clock=time.clocks.monotonic, background=planned.background):
            try:
                await budgets.waited_for(Provider.KLEN, innermost)(Call("GET", "/contacts"))
            except (ProviderFailure, asyncio.CancelledError):
                return

    tasks = []
    for planned in plan:
        await time.advance(planned.after)
        tasks.append(asyncio.create_task(one(planned)))
        # Whoever is to be cancelled may be so while it waits, too.
        if planned.end == "cancelled" and planned.arrives_at == 0.5:
            await time.advance(0.2)
            tasks[-1].cancel()
    await time.advance(200)
    assert all(task.done() for task in tasks)
    assert time.sleepers == 0
    await budgets.aclose()
    return sorted(provider.arrivals)


def most_in_a_window(arrivals: list[float]) -> int:
    return max((bisect_left(arrivals, at + WINDOW_SECONDS) - place for place, at in enumerate(arrivals)), default=0)


@settings(max_examples=200)
@given(
    plan=st.lists(calls, min_size=1, max_size=40),
    limit=st.integers(1, 5),
    wait_seconds=st.sampled_from([0.0, 2.0, 100.0]),
)
def test_no_window_holds_more_calls_than_the_limit(plan: list[Planned], limit: int, wait_seconds: float) -> None:
    arrivals = asyncio.run(carried_out(plan, limit=limit, wait_seconds=wait_seconds, time=VirtualTime()))
    assert most_in_a_window(arrivals) <= limit


def test_the_windows_of_this_test_are_counted_right() -> None:
    assert most_in_a_window([0.0, 1.0, 59.9, 60.0, 60.5]) == 4
    assert most_in_a_window([]) == 0


def test_a_whole_limit_is_used_where_nothing_stands_against_it() -> None:
    plan = [Planned(after=0, takes=0.05, arrives_at=0.5, end="answered", background=False, remaining=0)] * 5
    arrivals = asyncio.run(carried_out(plan, limit=5, wait_seconds=0, time=VirtualTime()))
    assert len(arrivals) == 5
    assert BudgetSpent.held_back
