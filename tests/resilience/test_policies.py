"""Policies stand around a call in the order of one visible list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from gateway.domain.contact import Provider
from gateway.domain.errors import (
    CallLimitReached,
    DeadlineExceeded,
    ErrorCode,
    Fault,
    ProviderFailure,
    ReplyTimedOut,
    WriteOutcome,
)
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.resilience.accounting import tallied
from gateway.resilience.call_limit import counted
from gateway.resilience.deadline import within_deadline
from gateway.resilience.events import PolicyEvents
from gateway.resilience.operation import MAX_UPSTREAM_CALLS, current_operation, operation
from gateway.resilience.policy import Policy, Send, stacked

CALL = Call("GET", "/contacts/1")
REPLY = Reply(status=200, headers={}, body=b"{}", latency_ms=1)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Sender:
    """The innermost sender: counts what reaches it, and takes `seconds` of the clock for each call."""

    def __init__(self, clock: Clock | None = None, seconds: float = 0) -> None:
        self.calls: list[Call] = []
        self._clock = clock
        self._seconds = seconds

    async def __call__(self, call: Call) -> Reply:
        self.calls.append(call)
        if self._clock:
            self._clock.now += self._seconds
        return REPLY


def failure_of(send: Send) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as caught:
        asyncio.run(_sent(send))
    return caught.value


async def _sent(send: Send) -> Reply:
    return await send(CALL)


def _named(name: str, log: list[str]) -> Policy:
    def policy(provider: Provider, send: Send) -> Send:
        async def around(call: Call) -> Reply:
            log.append(f"{name} before")
            reply = await send(call)
            log.append(f"{name} after")
            return reply

        return around

    return policy


def test_the_first_policy_of_the_list_is_the_outermost() -> None:
    log: list[str] = []
    send = stacked(Provider.KLEN, (_named("one", log), _named("two", log)), Sender())
    assert asyncio.run(_sent(send)) is REPLY
    assert log == ["one before", "two before", "two after", "one after"]


def test_without_policies_a_call_goes_straight_through() -> None:
    sender = Sender()
    assert stacked(Provider.KLEN, (), sender) is sender


def test_an_outer_policy_that_refuses_keeps_the_inner_ones_from_seeing_the_call() -> None:
    log: list[str] = []
    sender = Sender()

    def refuse(provider: Provider, send: Send) -> Send:
        async def around(call: Call) -> Reply:
            raise ReplyTimedOut(provider, "No.")

        return around

    assert type(failure_of(stacked(Provider.KLEN, (refuse, _named("inner", log)), sender))) is ReplyTimedOut
    assert (log, sender.calls) == ([], [])


def test_a_policy_knows_whose_calls_it_guards() -> None:
    seen: list[Provider] = []

    def noting(provider: Provider, send: Send) -> Send:
        seen.append(provider)
        return send

    stacked(Provider.COMETLY, (noting, noting), Sender())
    assert seen == [Provider.COMETLY] * 2


# The deadline


@pytest.mark.parametrize("kind", CallKind)
def test_a_call_before_the_deadline_goes_through(kind: CallKind) -> None:
    clock, sender = Clock(), Sender()
    call = Call("GET", "/contacts", kind=kind)
    with operation(deadline_seconds=10, clock=clock):
        clock.now += 9.999
        assert asyncio.run(_guarded(within_deadline, sender)(call)) is REPLY
    assert sender.calls == [call]


def _guarded(policy: Policy, sender: Send) -> Callable[[Call], asyncio.Future[Reply]]:
    return policy(Provider.GATELY, sender)  # type: ignore[return-value]


@pytest.mark.parametrize("late", [0, 0.001, 1_000])
def test_no_call_begins_at_or_after_the_deadline(late: float) -> None:
    clock, sender = Clock(), Sender()
    with operation(deadline_seconds=10, clock=clock):
        clock.now += 10 + late
        failure = failure_of(within_deadline(Provider.GATELY, sender))
    assert sender.calls == []
    assert (type(failure), failure.outcome) == (DeadlineExceeded, WriteOutcome.NOT_APPLIED)
    assert failure.fault == Fault(
        code=ErrorCode.DEADLINE_EXCEEDED,
        message="The operation ran out of time before this provider was called.",
        provider=Provider.GATELY,
        retryable=True,
    )


def test_a_call_that_uses_the_time_up_leaves_none_for_the_next() -> None:
    clock = Clock()
    sender = Sender(clock, seconds=6)
    send = within_deadline(Provider.GATELY, sender)
    with operation(deadline_seconds=10, clock=clock):
        assert asyncio.run(_sent(send)) is REPLY
        assert asyncio.run(_sent(send)) is REPLY
        assert type(failure_of(send)) is DeadlineExceeded
    assert len(sender.calls) == 2


def test_outside_of_any_operation_time_is_not_limited() -> None:
    assert current_operation().seconds_left is None
    assert asyncio.run(_sent(within_deadline(Provider.GATELY, Sender()))) is REPLY


def test_what_is_left_is_never_negative() -> None:
    clock = Clock()
    with operation(deadline_seconds=10, clock=clock) as running:
        assert running.seconds_left == 10
        clock.now += 4
        assert running.seconds_left == 6
        clock.now += 400
        assert running.seconds_left == 0


# The number of calls


def test_a_hundred_calls_are_allowed_and_the_next_is_refused() -> None:
    sender = Sender()
    send = counted(Provider.GATELY, sender)
    with operation(deadline_seconds=10):
        for _ in range(MAX_UPSTREAM_CALLS):
            asyncio.run(_sent(send))
        failure = failure_of(send)
    assert (MAX_UPSTREAM_CALLS, len(sender.calls)) == (100, 100)
    assert (type(failure), failure.outcome) == (CallLimitReached, WriteOutcome.NOT_APPLIED)
    assert (failure.fault.code, failure.fault.retryable) == (ErrorCode.UPSTREAM_CALL_LIMIT, False)
    assert "100" in failure.fault.message


def test_all_providers_spend_from_the_same_number() -> None:
    sender = Sender()
    with operation(deadline_seconds=10, max_calls=2) as running:
        asyncio.run(_sent(counted(Provider.GATELY, sender)))
        asyncio.run(_sent(counted(Provider.KLEN, sender)))
        assert running.calls_left == 0
        assert failure_of(counted(Provider.COMETLY, sender)).fault.provider is Provider.COMETLY


def test_calls_at_the_same_time_do_not_slip_past_the_limit() -> None:
    sender = Sender()
    send = counted(Provider.GATELY, sender)

    async def many() -> list[Reply | BaseException]:
        return await asyncio.gather(*(send(CALL) for _ in range(20)), return_exceptions=True)

    with operation(deadline_seconds=10, max_calls=7):
        ended = asyncio.run(many())
    assert [type(one) for one in ended].count(CallLimitReached) == 13
    assert len(sender.calls) == 7


def test_a_call_that_fails_was_made_all_the_same() -> None:
    async def fail(call: Call) -> Reply:
        raise ReplyTimedOut(Provider.GATELY, "No.")

    with operation(deadline_seconds=10, max_calls=3) as running:
        failure_of(counted(Provider.GATELY, fail))
        assert running.calls_left == 2


def test_a_call_past_the_deadline_is_not_counted() -> None:
    send = stacked(Provider.GATELY, (within_deadline, counted), Sender())
    with operation(deadline_seconds=0, max_calls=3) as running:
        failure_of(send)
        assert running.calls_left == 3


def test_outside_of_any_operation_calls_are_not_counted() -> None:
    send = counted(Provider.GATELY, Sender())
    for _ in range(MAX_UPSTREAM_CALLS + 5):
        asyncio.run(_sent(send))


# The operation itself


def test_an_operation_ends_with_its_block_even_when_that_fails() -> None:
    with pytest.raises(KeyError), operation(deadline_seconds=1):
        raise KeyError
    assert current_operation().deadline is None


def test_an_operation_inside_another_has_its_own_limits() -> None:
    with operation(deadline_seconds=10, max_calls=5) as outer:
        with operation(deadline_seconds=1, max_calls=1) as inner:
            assert current_operation() is inner
        assert current_operation() is outer
        assert outer.calls_left == 5


def test_tasks_of_an_operation_spend_from_it_and_strangers_do_not() -> None:
    send = counted(Provider.GATELY, Sender())

    async def spending(calls: int) -> int:
        with operation(deadline_seconds=10, max_calls=9) as running:
            await asyncio.gather(*(asyncio.create_task(_sent(send)) for _ in range(calls)))
            return running.calls_left

    async def both() -> list[int]:
        return await asyncio.gather(spending(2), spending(5))

    assert asyncio.run(both()) == [7, 4]


@pytest.mark.parametrize("fails", [False, True])
def test_what_an_attempt_took_is_put_down_to_its_operation(fails: bool) -> None:
    clock = Clock()
    sender = Sender(clock, seconds=2)

    async def send(call: Call) -> Reply:
        reply = await sender(call)
        if fails:
            raise ReplyTimedOut(Provider.KLEN, "Too late.")
        return reply

    async def test() -> None:
        guarded = tallied(clock, PolicyEvents())(Provider.KLEN, send)
        with operation(deadline_seconds=60) as running:
            for _ in range(2):
                with suppress(ReplyTimedOut):
                    await guarded(CALL)
            spending = running.tally.of(Provider.KLEN)
            assert (spending.calls, spending.spent_ms, spending.waited_ms) == (2, 4_000, 0)

    asyncio.run(test())
