"""What is sent again, when, and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.domain.errors import (
    BudgetSpent,
    CallLimitReached,
    CircuitOpen,
    CredentialsRefused,
    DeadlineExceeded,
    ErrorCode,
    InputRefused,
    ProviderBroken,
    ProviderCrowded,
    ProviderFailure,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
    ReplyTimedOut,
    ReplyUnreadable,
    WriteOutcome,
)
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.resilience.call_limit import counted
from gateway.resilience.operation import operation
from gateway.resilience.retry import retried
from tests.resilience.provider import PROVIDER, REPLY, Heard, Held, Scripted, settings
from tests.resilience.virtual_time import VirtualTime, settled

WRITES = [kind for kind in CallKind if kind.writes]
READS = [kind for kind in CallKind if not kind.writes]


class Rig:
    def __init__(
        self, ends: Sequence[Reply | Exception], *, jitter: float = 1.0, attempt_seconds: float = 0, **chosen: Any
    ) -> None:
        self.time = VirtualTime(by_itself=True, jitter=jitter)
        self.sender = Scripted(ends)
        self.heard = Heard()
        policy = retried(settings(**chosen), self.time.clocks, self.heard, attempt_seconds=attempt_seconds)
        self.send = policy(PROVIDER, self.sender)

    def answer(self, kind: CallKind = CallKind.READ, *, seconds: float | None = 60) -> Reply | ProviderFailure:
        async def ask() -> Reply:
            call = Call("GET", "/contacts/1", kind=kind)
            if seconds is None:
                return await self.send(call)
            with operation(deadline_seconds=seconds, clock=self.time) as running:
                self.running = running
                return await self.send(call)

        try:
            return asyncio.run(ask())
        except ProviderFailure as failure:
            return failure


def broken() -> ProviderFailure:
    return ProviderBroken(PROVIDER, "It failed.", retryable=True, upstream_status=500)


def limited(wait_ms: int | None) -> ProviderFailure:
    return RateLimited(PROVIDER, "Too much.", retry_after_ms=wait_ms, upstream_status=429)


@pytest.mark.parametrize("kind", READS)
def test_a_read_that_failed_is_sent_again(kind: CallKind) -> None:
    rig = Rig([broken(), broken()])

    assert rig.answer(kind) is REPLY
    assert len(rig.sender.calls) == 3
    assert rig.heard.all == [("retried", kind, ErrorCode.PROVIDER_ERROR)] * 2


def test_there_are_as_many_attempts_after_the_first_as_the_setting_says() -> None:
    last = broken()
    rig = Rig([broken(), broken(), broken(), last], retries=3)

    assert rig.answer() is last
    assert len(rig.sender.calls) == 4
    assert len(rig.heard.all) == 3


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("failure", [ProviderBroken, ReplyTimedOut, ReplyUnreadable])
def test_a_write_that_may_have_happened_is_never_repeated(kind: CallKind, failure: type[ProviderFailure]) -> None:
    """Even if something says that it could be."""
    unknown = failure(PROVIDER, "What now?", retryable=True)
    rig = Rig([unknown])

    assert unknown.outcome is WriteOutcome.UNKNOWN
    assert rig.answer(kind) is unknown
    assert len(rig.sender.calls) == 1
    assert (rig.heard.all, rig.time.slept) == ([], [])


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize(
    "failure",
    [
        ProviderUnreachable(PROVIDER, "No connection."),
        limited(0),
        ProviderUnavailable(PROVIDER, "Later.", retry_after_ms=0, upstream_status=503),
    ],
    ids=lambda failure: failure.code,
)
def test_a_write_that_surely_did_not_happen_is_sent_again(kind: CallKind, failure: ProviderFailure) -> None:
    rig = Rig([failure.anew()])

    assert rig.answer(kind) is REPLY
    assert len(rig.sender.calls) == 2


@pytest.mark.parametrize("kind", CallKind)
@pytest.mark.parametrize(
    "failure",
    [
        InputRefused(PROVIDER, "No.", retryable=True, upstream_status=400),
        CredentialsRefused(PROVIDER, "Who?", retryable=True, upstream_status=401),
        ReplyTimedOut(PROVIDER, "It gave up.", retryable=True, outcome=WriteOutcome.NOT_APPLIED, upstream_status=408),
        ProviderBroken(PROVIDER, "Odd.", retryable=True, outcome=WriteOutcome.NOT_APPLIED, upstream_status=499),
    ],
    ids=lambda failure: str(failure.fault.upstream_status),
)
def test_no_4xx_but_429_is_sent_again(kind: CallKind, failure: ProviderFailure) -> None:
    refused = failure.anew()
    rig = Rig([refused])

    assert rig.answer(kind) is refused
    assert len(rig.sender.calls) == 1


@pytest.mark.parametrize("failure", [BudgetSpent, CircuitOpen, ProviderCrowded, DeadlineExceeded])
def test_what_the_gateway_itself_refused_is_not_asked_again(failure: type[ProviderFailure]) -> None:
    refused = failure(PROVIDER, "Not now.", retry_after_ms=1)
    rig = Rig([refused])

    assert rig.answer() is refused
    assert len(rig.sender.calls) == 1


def test_what_is_not_retryable_is_final() -> None:
    final = ReplyUnreadable(PROVIDER, "Nonsense.", upstream_status=200)
    rig = Rig([final])

    assert rig.answer() is final
    assert len(rig.sender.calls) == 1


def test_an_error_of_ours_is_raised_as_it_is() -> None:
    rig = Rig([KeyError("mistake")])

    with pytest.raises(KeyError):
        rig.answer()
    assert len(rig.sender.calls) == 1


# The pause


def test_the_longest_pause_doubles_up_to_its_limit() -> None:
    rig = Rig([broken()] + [broken() for _ in range(4)], retries=5)
    rig.answer()

    assert rig.time.slept == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6])

    capped = Rig([broken() for _ in range(3)], retries=3, retry_backoff_seconds=3.0, retry_backoff_max_seconds=5.0)
    capped.answer()
    assert capped.time.slept == [3.0, 5.0, 5.0]


@pytest.mark.parametrize("jitter", [0.0, 0.25, 0.999])
def test_the_pause_is_a_random_part_of_the_longest(jitter: float) -> None:
    rig = Rig([broken(), broken()], jitter=jitter)
    rig.answer()

    assert rig.time.slept == pytest.approx([0.1 * jitter, 0.2 * jitter])


def test_the_pause_counts_as_waited() -> None:
    rig = Rig([broken(), broken()])
    rig.answer()

    assert rig.running.tally.of(PROVIDER).waited_ms == pytest.approx(300)


@pytest.mark.parametrize("wait_ms", [101, 7_000])
def test_a_provider_that_says_when_is_obeyed(wait_ms: int) -> None:
    rig = Rig([limited(wait_ms)])

    assert rig.answer() is REPLY
    assert rig.time.slept == [wait_ms / 1000]


@pytest.mark.parametrize("wait_ms", [0, 1])
def test_a_provider_that_wants_no_pause_gets_the_usual_one(wait_ms: int) -> None:
    """A date that has been, by a clock that is ahead, would else bring everybody back at once."""
    rig = Rig([limited(wait_ms)], jitter=0.5)

    assert rig.answer() is REPLY
    assert rig.time.slept == [0.05]


# The deadline


def test_a_wait_that_does_not_fit_fails_at_once_with_the_providers_own_failure() -> None:
    refusal = limited(8_000)
    rig = Rig([refusal])

    assert rig.answer(seconds=8) is refusal
    assert refusal.fault.retry_after_ms == 8_000
    assert (rig.time.slept, rig.heard.all, len(rig.sender.calls)) == ([], [], 1)


def test_a_wait_that_just_fits_is_waited() -> None:
    rig = Rig([limited(8_000)])

    assert rig.answer(seconds=8.001) is REPLY


def test_no_attempt_begins_after_the_deadline() -> None:
    last = broken()
    rig = Rig([broken(), last])

    assert rig.answer(seconds=0.3) is last
    assert (rig.time.slept, len(rig.sender.calls)) == ([0.1], 2)


def test_an_operation_without_calls_left_gets_the_providers_failure_and_not_ours() -> None:
    last = broken()
    rig = Rig([last])

    async def ask() -> None:
        with operation(deadline_seconds=60, clock=rig.time, max_calls=1):
            send = retried(settings(), rig.time.clocks, rig.heard)(PROVIDER, counted(PROVIDER, rig.sender))
            await send(Call("GET", "/contacts/1"))

    with pytest.raises(ProviderFailure) as caught:
        asyncio.run(ask())
    assert caught.value is last
    assert not isinstance(caught.value, CallLimitReached)


@pytest.mark.parametrize(("kind", "sent"), [(CallKind.CREATE, 1), (CallKind.READ, 2)])
def test_a_write_is_sent_again_only_where_a_whole_attempt_has_time(kind: CallKind, sent: int) -> None:
    """Cut off by the deadline, what surely did not happen would become what nobody knows."""
    rig = Rig([limited(6_000)], attempt_seconds=5)
    rig.answer(kind, seconds=10)

    assert len(rig.sender.calls) == sent


def test_a_write_with_time_for_a_whole_attempt_is_sent_again() -> None:
    rig = Rig([limited(6_000)], attempt_seconds=5)

    assert rig.answer(CallKind.CREATE, seconds=11) is REPLY


def test_without_a_deadline_nobody_waits_longer_than_half_a_minute() -> None:
    assert Rig([limited(30_000)]).answer(seconds=None) is REPLY

    refusal = limited(30_001)
    rig = Rig([refusal])
    assert rig.answer(seconds=None) is refusal
    assert rig.time.slept == []


def test_calls_at_the_same_time_do_not_count_each_others_attempts() -> None:
    time, sender = VirtualTime(), Scripted([broken() for _ in range(8)])
    send = retried(settings(), time.clocks, Heard())(PROVIDER, sender)

    async def many() -> list[Any]:
        with operation(deadline_seconds=60, clock=time):
            waiting = [asyncio.ensure_future(send(Call("GET", f"/contacts/{number}"))) for number in range(4)]
            await time.advance(1)
            return await asyncio.gather(*waiting)

    assert asyncio.run(many()) == [REPLY] * 4
    assert len(sender.calls) == 12


def test_a_call_that_is_cancelled_during_the_pause_is_over() -> None:
    time, sender = VirtualTime(), Scripted([broken()])
    send = retried(settings(), time.clocks, Heard())(PROVIDER, sender)

    async def leave() -> None:
        waiting = asyncio.ensure_future(send(Call("GET", "/contacts/1")))
        await time.advance(0.05)
        waiting.cancel()
        await time.advance(60)
        assert waiting.cancelled()

    asyncio.run(leave())
    assert len(sender.calls) == 1


def test_a_call_that_is_cancelled_during_an_attempt_is_over() -> None:
    held = Held()
    send = retried(settings(), VirtualTime().clocks, Heard())(PROVIDER, held)

    async def leave() -> None:
        waiting = asyncio.ensure_future(send(Call("GET", "/contacts/1")))
        await settled()
        waiting.cancel()
        await settled()
        assert waiting.cancelled()

    asyncio.run(leave())
    assert (len(held.calls), held.cancelled) == (1, 1)
