"""A call waits for its turn, fairly and for a bounded time, or fails at once where waiting would lead nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from gateway.domain.contact import Provider
from gateway.domain.errors import (
    BudgetSpent,
    DeadlineExceeded,
    ErrorCode,
    Fault,
    ProviderBroken,
    ProviderCrowded,
    ProviderFailure,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
    RecordNotFound,
    ReplyTimedOut,
    WriteOutcome,
)
from gateway.domain.exchange import Allowance, Call, CallKind, Reply
from gateway.resilience.events import PolicyEvents
from gateway.resilience.operation import Operation, operation, running
from gateway.resilience.rate_budgets import BudgetStanding, RateBudgets
from gateway.resilience.rate_limit import RateLimit
from gateway.resilience.settings import ResilienceSettings
from gateway.resilience.slot_log import LocalSlots
from gateway.resilience.slot_store import Slot
from gateway.resilience.tally import Spending
from gateway.upstream.endpoint import Endpoint
from gateway.upstream.upstream import Conditions, Upstream
from tests.resilience.virtual_time import VirtualTime, settled
from tests.upstream.conftest import PlainDialect

READ = Call("GET", "/contacts/1", kind=CallKind.READ)
LIST = Call("GET", "/contacts", kind=CallKind.LIST)
CREATE = Call("POST", "/contacts", kind=CallKind.CREATE)
REPLY = Reply(status=200, headers={}, body=b"{}", latency_ms=1)
MESSAGE = "The calls that Sample CRM takes in a minute are used up for now."


class Heard(PolicyEvents):
    def __init__(self) -> None:
        self.all: list[tuple[object, ...]] = []

    def waited(self, provider: Provider, kind: CallKind, seconds: float) -> None:
        self.all.append(("waited", provider, kind, round(seconds, 3)))

    def held_back(self, provider: Provider, kind: CallKind, code: ErrorCode) -> None:
        self.all.append(("held back", provider, kind, code))


class Rig:
    """Budgets around a provider that answers at once what it is told to."""

    def __init__(self, *limits: RateLimit, calls: int = 2, **settings: object) -> None:
        self.time = VirtualTime()
        self.heard = Heard()
        self.sent: list[str] = []
        self.then: Callable[[], Awaitable[Reply]] = self.answered
        self.budgets = RateBudgets(
            limits or [RateLimit(name="calls", kinds=frozenset(CallKind), calls=calls)],
            lambda limit: LocalSlots(limit, self.time.clocks.monotonic),
            display_name="Sample CRM",
            settings=ResilienceSettings.model_construct(**settings),  # type: ignore[arg-type]
            clocks=self.time.clocks,
            events=self.heard,
            longest_call_seconds=11,
        )
        self._send = self.budgets.waited_for(Provider.KLEN, self._innermost)

    async def answered(self) -> Reply:
        return REPLY

    def running(self, *, seconds: float = 1_000, background: bool = False) -> Operation:
        clock = self.time.clocks.monotonic
        return Operation(deadline=clock() + seconds, clock=clock, background=background)

    async def send(self, call: Call = READ, *, of: Operation | None = None) -> Reply:
        with running(of or self.running()):
            return await self._send(call)

    def start(self, name: str, *, of: Operation | None = None) -> asyncio.Task[Reply]:
        """Sends a call that is told from others by its path."""
        return asyncio.create_task(self.send(Call("GET", name), of=of))

    async def refused(self, call: Call = READ, *, of: Operation | None = None) -> ProviderFailure:
        with pytest.raises(ProviderFailure) as caught:
            await self.send(call, of=of)
        return caught.value

    async def spend(self, calls: int) -> None:
        for _ in range(calls):
            await self.send(Call("GET", "spent"))
        self.sent.clear()

    async def _innermost(self, call: Call) -> Reply:
        self.sent.append(call.path)
        return await self.then()


def run(use: Callable[[Rig], Awaitable[None]], rig: Rig | None = None) -> None:
    async def whole() -> None:
        used = rig or Rig()
        # The time of a test is its own; this is for one that waits for what never comes.
        async with asyncio.timeout(20):
            await use(used)
        await used.budgets.aclose()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(whole())


def raising(failure: Callable[[], BaseException]) -> Callable[[], Awaitable[Reply]]:
    async def send() -> Reply:
        raise failure()

    return send


# What is refused at once


def test_what_would_be_too_many_fails_at_once_and_says_when_to_come_again() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(2)
        await rig.time.advance(10)
        failure = await rig.refused()
        assert (type(failure), failure.held_back, failure.outcome) == (BudgetSpent, True, WriteOutcome.NOT_APPLIED)
        assert failure.fault == Fault(
            code=ErrorCode.RATE_LIMITED,
            message=MESSAGE,
            provider=Provider.KLEN,
            retryable=True,
            retry_after_ms=50_100,
        )
        assert (rig.sent, rig.heard.all) == (
            [],
            [
                ("waited", Provider.KLEN, CallKind.READ, 0.0),
                ("held back", Provider.KLEN, CallKind.READ, ErrorCode.RATE_LIMITED),
            ],
        )

    run(use)


def test_whoever_comes_again_when_told_gets_through() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(2)
        failure = await rig.refused()
        await rig.time.advance((failure.fault.retry_after_ms or 0) / 1000)
        assert await rig.send() is REPLY

    run(use)


def test_two_refusals_are_two_exceptions() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(2)
        assert await rig.refused() is not await rig.refused()

    run(use)


def test_each_limit_has_its_own_slots_and_what_has_none_is_not_held_back() -> None:
    async def use(rig: Rig) -> None:
        await rig.send(READ)
        await rig.send(LIST)
        assert type(await rig.refused(READ)) is BudgetSpent
        assert type(await rig.refused(LIST)) is BudgetSpent
        for _ in range(5):
            await rig.send(CREATE)

    limits = [RateLimit(name=kind.value, kinds=frozenset({kind}), calls=1) for kind in (CallKind.READ, CallKind.LIST)]
    run(use, Rig(*limits))


def test_a_kind_of_call_stands_in_one_limit_only() -> None:
    limit = RateLimit(name="calls", kinds=frozenset({CallKind.READ}), calls=1)
    with pytest.raises(ValueError, match="two rate limits"):
        Rig(limit, RateLimit(name="reads", kinds=frozenset({CallKind.READ}), calls=2))


# What comes of a slot


@pytest.mark.parametrize(
    "failure",
    [
        lambda: ProviderUnreachable(Provider.KLEN, "No."),
        lambda: ProviderCrowded(Provider.KLEN, "No."),
        lambda: DeadlineExceeded(Provider.KLEN, "No."),
    ],
)
def test_a_call_that_surely_sent_nothing_gives_its_slot_back(failure: Callable[[], ProviderFailure]) -> None:
    async def use(rig: Rig) -> None:
        rig.then = raising(failure)
        for _ in range(5):
            assert type(await rig.refused()) is type(failure())
        rig.then = rig.answered
        await rig.send()
        await rig.send()

    run(use)


@pytest.mark.parametrize(
    ("failure", "retry_after_ms"),
    [
        (lambda: RecordNotFound(Provider.KLEN, "No.", upstream_status=404), 60_100),
        (lambda: ProviderBroken(Provider.KLEN, "No.", upstream_status=500), 60_100),
        (lambda: ReplyTimedOut(Provider.KLEN, "No.", upstream_status=408), 60_100),
        # Its answer came, and there was no memory for it.
        (lambda: ProviderCrowded(Provider.KLEN, "No.", upstream_status=200), 60_100),
        # Not a matter of the budget: a provider that is down says nothing of its limit.
        (lambda: ProviderUnavailable(Provider.KLEN, "No.", upstream_status=503, retry_after_ms=900_000), 60_100),
        # What was sent may arrive later.
        (lambda: ReplyTimedOut(Provider.KLEN, "No."), 65_000),
        (lambda: asyncio.CancelledError(), 65_000),
        (lambda: KeyError("a mistake of ours"), 65_000),
    ],
)
def test_a_call_that_may_have_arrived_keeps_its_slot_for_a_window(
    failure: Callable[[], BaseException], retry_after_ms: int
) -> None:
    async def use(rig: Rig) -> None:
        rig.then = raising(failure)
        with pytest.raises(type(failure())):
            await rig.send()
        assert (await rig.refused()).fault.retry_after_ms == retry_after_ms

    run(use, Rig(calls=1))


def test_the_window_begins_when_the_call_ends() -> None:
    async def use(rig: Rig) -> None:
        async def slowly() -> Reply:
            await rig.time.sleep(5)
            return REPLY

        rig.then = slowly
        slow = rig.start("slow")
        await rig.time.advance(1)
        # Its request may arrive as late as the attempt may last, and be counted a while after that.
        assert (await rig.refused()).fault.retry_after_ms == (11 - 1 + 65) * 1000
        await rig.time.advance(4)
        assert (await slow, (await rig.refused()).fault.retry_after_ms) == (REPLY, 60_100)

    run(use, Rig(calls=1))


# What the provider says


def test_a_429_closes_the_budget_for_as_long_as_it_says() -> None:
    async def use(rig: Rig) -> None:
        rig.then = raising(lambda: RateLimited(Provider.KLEN, "No.", upstream_status=429, retry_after_ms=7_000))
        assert type(await rig.refused()) is RateLimited
        assert (await rig.refused()).fault.retry_after_ms == 7_000
        rig.then = rig.answered
        await rig.time.advance(7)
        assert await rig.send() is REPLY

    run(use, Rig(calls=10))


def test_a_429_without_a_time_is_waited_for_like_a_slot() -> None:
    async def use(rig: Rig) -> None:
        rig.then = raising(lambda: RateLimited(Provider.KLEN, "No.", upstream_status=429))
        await rig.refused()
        rig.then = rig.answered
        waiting = rig.start("next")
        await rig.time.advance(0.9)
        assert not waiting.done()
        await rig.time.advance(0.1)
        assert await waiting is REPLY

    run(use, Rig(calls=10))


def test_our_own_refusal_closes_nothing() -> None:
    async def use(rig: Rig) -> None:
        rig.then = raising(lambda: BudgetSpent(Provider.KLEN, "No.", retry_after_ms=99_000))
        await rig.refused()
        rig.then = rig.answered
        assert await rig.send() is REPLY

    run(use)


@pytest.mark.parametrize(("reset_in", "retry_after_ms"), [(None, 60_100), (12, 12_100), (-5, 100), (86_000, 60_100)])
def test_the_slots_of_others_are_taken_until_the_window_is_over(reset_in: int | None, retry_after_ms: int) -> None:
    """At the latest our own slot is free: a window later."""

    async def use(rig: Rig) -> None:
        reset_at = None if reset_in is None else rig.time.wall() + timedelta(seconds=reset_in)

        async def told() -> Reply:
            allowance = Allowance(limit=5, remaining=0, reset_at=reset_at)
            return Reply(status=200, headers={}, body=b"{}", latency_ms=1, allowance=allowance)

        rig.then = told
        await rig.send()
        assert (await rig.refused()).fault.retry_after_ms == retry_after_ms

    run(use, Rig(calls=5, rate_wait_seconds=0))


@pytest.mark.parametrize("status", [404, 422, 429, 500])
def test_what_an_answer_without_success_says_of_the_limit_counts_too(status: int) -> None:
    async def refuse() -> Reply:
        failure = ProviderBroken(Provider.KLEN, "No.", upstream_status=status)
        failure.allowance = Allowance(limit=5, remaining=0)
        raise failure

    async def use(rig: Rig) -> None:
        rig.then = refuse
        await rig.refused()
        rig.sent.clear()
        assert isinstance(await rig.refused(), BudgetSpent)
        assert rig.sent == []

    run(use, Rig(calls=5, rate_wait_seconds=0))


# Waiting


def test_a_call_waits_for_the_next_slot_and_says_how_long_it_did() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(2)
        await rig.time.advance(59)
        mine = rig.running()
        waiting = rig.start("waited", of=mine)
        await rig.time.advance(1.05)
        assert (waiting.done(), rig.time.sleepers) == (False, 1)
        await rig.time.advance(0.05)
        assert await waiting is REPLY
        assert mine.tally.by_provider[Provider.KLEN] == Spending(waited_ms=pytest.approx(1_100))
        assert rig.heard.all == [("waited", Provider.KLEN, CallKind.READ, 1.1)]
        assert rig.time.sleepers == 0

    run(use)


def test_nobody_waits_for_longer_than_the_setting() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(2)
        await rig.time.advance(58)
        assert (await rig.refused()).fault.retry_after_ms == 2_100
        await rig.time.advance(0.2)
        assert await ended(rig, rig.start("in time"), 2) is REPLY

    run(use)


async def ended(rig: Rig, task: asyncio.Task[Reply], seconds: float) -> Reply:
    await rig.time.advance(seconds)
    assert task.done()
    return await task


def test_nobody_waits_past_the_deadline_of_its_operation() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(2)
        await rig.time.advance(59)
        assert type(await rig.refused(of=rig.running(seconds=1))) is BudgetSpent

    run(use)


def test_without_a_deadline_the_setting_alone_counts() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(2)
        await rig.time.advance(59)
        waiting = rig.start("waited", of=Operation(deadline=None))
        assert await ended(rig, waiting, 2) is REPLY

    run(use)


def test_a_queue_that_makes_it_impossible_refuses_at_once() -> None:
    """The first two get the two slots that come; the third knows that its own comes a window later."""

    async def use(rig: Rig) -> None:
        await rig.spend(2)
        await rig.time.advance(59)
        waiting = [rig.start("one"), rig.start("two")]
        await settled()
        failure = await rig.refused()
        assert failure.fault.retry_after_ms == 61_100
        await rig.time.advance(2)
        assert [await one for one in waiting] == [REPLY, REPLY]

    run(use)


def test_no_more_than_the_setting_wait_at_one_provider() -> None:
    async def use(rig: Rig) -> None:
        for call in (READ, LIST, LIST):
            await rig.send(call)
        await rig.time.advance(59)
        waiting = [asyncio.create_task(rig.send(READ)), asyncio.create_task(rig.send(LIST))]
        await settled()
        assert (await rig.refused(LIST)).fault.retry_after_ms == 1_100
        waiting[0].cancel()
        await settled()
        waiting.append(asyncio.create_task(rig.send(LIST)))
        await rig.time.advance(2)
        assert [await one for one in waiting[1:]] == [REPLY, REPLY]

    limits = [
        RateLimit(name="reads", kinds=frozenset({CallKind.READ}), calls=1),
        RateLimit(name="lists", kinds=frozenset({CallKind.LIST}), calls=2),
    ]
    run(use, Rig(*limits, max_waiting_calls=2))


def test_with_no_time_to_wait_nobody_waits() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(2)
        await rig.time.advance(60.09)
        assert (await rig.refused()).fault.retry_after_ms == 10
        await rig.time.advance(0.01)
        assert await rig.send() is REPLY

    run(use, Rig(rate_wait_seconds=0))


def test_a_slot_that_is_given_back_goes_to_whoever_waits() -> None:
    async def use(rig: Rig) -> None:
        gate = asyncio.Event()

        async def unreachable() -> Reply:
            await gate.wait()
            raise ProviderUnreachable(Provider.KLEN, "No.")

        rig.then = unreachable
        first = rig.start("first")
        await settled()
        rig.then = rig.answered
        waiting = rig.start("second")
        await settled()
        assert not waiting.done()
        gate.set()
        await settled()
        assert (waiting.done(), rig.sent) == (True, ["first", "second"])
        with pytest.raises(ProviderUnreachable):
            await first

    run(use, Rig(calls=1, rate_wait_seconds=100))


# In turn


def start_many(rig: Rig, *names: str, of: Operation) -> list[asyncio.Task[Reply]]:
    return [rig.start(name, of=of) for name in names]


async def one_by_one(rig: Rig, tasks: list[asyncio.Task[Reply]]) -> list[str]:
    """The calls in the order in which they get their turn, one slot a time."""
    await settled()
    await rig.time.advance(1_000)
    assert [await one for one in tasks] == [REPLY] * len(tasks)
    return rig.sent


PATIENT = {"calls": 1, "rate_wait_seconds": 600}


def test_operations_take_turns_however_many_calls_one_has() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(1)
        tasks = start_many(rig, "a1", "a2", "a3", of=rig.running())
        await settled()
        tasks += start_many(rig, "b1", of=rig.running())
        tasks += start_many(rig, "c1", "c2", of=rig.running())
        assert await one_by_one(rig, tasks) == ["a1", "b1", "c1", "a2", "c2", "a3"]

    run(use, Rig(**PATIENT))


def test_what_the_gateway_does_on_its_own_goes_last() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(3)
        tasks = start_many(rig, "own1", "own2", of=rig.running(background=True))
        await settled()
        tasks += start_many(rig, "a1", "a2", of=rig.running())
        await settled()
        await rig.time.advance(1_000)
        assert [await one for one in tasks] == [REPLY] * 4
        assert rig.sent == ["a1", "a2", "own1", "own2"]

    run(use, Rig(calls=3, rate_wait_seconds=600))


def test_what_the_gateway_does_on_its_own_leaves_the_last_slot() -> None:
    async def use(rig: Rig) -> None:
        own = rig.running(background=True)
        await rig.send(of=own)
        assert type(await rig.refused(of=own)) is BudgetSpent
        assert await rig.send() is REPLY

    run(use)


def test_an_interactive_call_that_comes_later_sends_away_whoever_has_no_time_for_it() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(2)
        await rig.time.advance(59)
        own = rig.start("own", of=rig.running(background=True))
        await settled()
        one = rig.start("one")
        two = rig.start("two")
        await settled()
        assert own.done()
        with pytest.raises(BudgetSpent):
            await own
        await rig.time.advance(2)
        assert [await one, await two] == [REPLY, REPLY]

    run(use)


# Giving up


@pytest.mark.parametrize("which", [0, 1, 2])
def test_whoever_gives_up_loses_nobody_a_slot(which: int) -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(3)
        await rig.time.advance(59)
        waiting = [rig.start(name) for name in ("one", "two", "three")]
        await settled()
        waiting.pop(which).cancel()
        await settled()
        waiting.append(rig.start("four"))
        await rig.time.advance(2)
        assert [await one for one in waiting] == [REPLY] * 3
        assert len(rig.sent) == 3

    run(use, Rig(calls=3))


def test_a_turn_that_comes_in_the_moment_of_giving_up_goes_to_the_next() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(1)
        first, second = rig.start("first"), rig.start("second")
        await settled()
        (turns,) = rig.budgets._turns.values()
        hand_over = turns._hand_over

        def and_call_off(slot: Slot) -> None:
            hand_over(slot)
            first.cancel()

        turns._hand_over = and_call_off  # type: ignore[method-assign]
        await rig.time.advance(61)
        assert (first.cancelled(), second.done(), rig.sent) == (True, True, ["second"])

    run(use, Rig(**PATIENT))


def test_when_the_last_one_gives_up_nothing_runs_on() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(1)
        waiting = rig.start("one")
        await settled()
        assert rig.time.sleepers == 1
        waiting.cancel()
        await settled()
        assert rig.time.sleepers == 0

    run(use, Rig(**PATIENT))


def test_however_many_wait_one_timer_runs() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(50)
        await rig.time.advance(59)
        waiting = [rig.start(f"{number}") for number in range(50)]
        await settled()
        assert rig.time.sleepers == 1
        await rig.time.advance(2)
        assert [await one for one in waiting] == [REPLY] * 50

    run(use, Rig(calls=50))


def test_a_store_that_breaks_leaves_nobody_waiting() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(1)
        waiting = [rig.start("one"), rig.start("two")]
        await settled()
        (turns,) = rig.budgets._turns.values()

        async def broken(**_: object) -> object:
            raise KeyError

        turns.store.take = broken  # type: ignore[method-assign, assignment]
        await rig.time.advance(100)
        for one in waiting:
            with pytest.raises(BudgetSpent):
                await one
        assert isinstance(turns._serving.exception(), KeyError)  # type: ignore[union-attr]

    run(use, Rig(**PATIENT))


# What can be seen


def test_what_is_left_of_each_limit_can_be_seen() -> None:
    reads = RateLimit(name="reads", kinds=frozenset({CallKind.READ}), calls=3)
    lists = RateLimit(name="lists", kinds=frozenset({CallKind.LIST}), calls=2)

    async def use(rig: Rig) -> None:
        await rig.send(READ)
        await rig.time.advance(10)
        await rig.send(READ)
        assert rig.budgets.present() == (
            BudgetStanding(
                name="reads",
                kinds=frozenset({CallKind.READ}),
                limit=3,
                remaining=1,
                reset_at=rig.time.wall() + timedelta(seconds=60.1),
            ),
            BudgetStanding(
                name="lists", kinds=frozenset({CallKind.LIST}), limit=2, remaining=2, reset_at=rig.time.wall()
            ),
        )

    run(use, Rig(reads, lists))


# In the stack


@pytest.mark.parametrize(("switch", "stands"), [("on", True), ("off", False)])
def test_off_it_is_not_in_the_stack_at_all(switch: str, stands: bool) -> None:
    limit = RateLimit(name="calls", kinds=frozenset(CallKind), calls=3)
    conditions = Conditions(settings=ResilienceSettings.model_construct(rate_budgets=switch))
    endpoint = Endpoint(base_url="http://127.0.0.1:9", headers={})
    upstream = Upstream(endpoint, PlainDialect(), conditions, rate_limits=[limit])
    asyncio.run(upstream.aclose())

    names = [policy.__qualname__ for policy in upstream.policies]  # type: ignore[attr-defined]
    assert ("RateBudgets.waited_for" in names, upstream.budgets is not None) == (stands, stands)


def test_in_the_stack_it_stands_inside_the_count_of_calls_and_around_the_attempt() -> None:
    limit = RateLimit(name="calls", kinds=frozenset(CallKind), calls=3)
    endpoint = Endpoint(base_url="http://127.0.0.1:9", headers={})
    upstream = Upstream(endpoint, PlainDialect(), Conditions(), rate_limits=[limit])
    asyncio.run(upstream.aclose())

    names = [policy.__qualname__.split(".")[0] for policy in upstream.policies]  # type: ignore[attr-defined]
    assert names.index("counted") < names.index("RateBudgets") < names.index("tallied")


def test_what_is_held_back_spends_a_call_of_the_operation_and_none_of_the_tally() -> None:
    async def use(rig: Rig) -> None:
        await rig.spend(2)
        with operation(deadline_seconds=10, clock=rig.time.clocks.monotonic) as mine:
            assert type(await rig.refused(of=mine)) is BudgetSpent
        assert mine.tally.by_provider == {Provider.KLEN: Spending()}

    run(use)
