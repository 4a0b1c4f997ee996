"""When a circuit opens, what it lets through meanwhile, and when it closes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.domain.errors import (
    BudgetSpent,
    CircuitOpen,
    CredentialsRefused,
    DeadlineExceeded,
    DuplicateRecord,
    ErrorCode,
    Fault,
    InputRefused,
    PermissionDenied,
    ProviderBroken,
    ProviderCrowded,
    ProviderFailure,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
    RecordNotFound,
    ReplyTimedOut,
    ReplyUnreadable,
    WriteOutcome,
)
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.resilience.breaker import Breaker
from gateway.resilience.circuit import Circuit
from gateway.resilience.events import CircuitState
from tests.resilience.provider import NAME, PROVIDER, REPLY, Heard, Held, settings
from tests.resilience.virtual_time import VirtualTime, settled

CLOSED = Circuit(state=CircuitState.CLOSED)
HALF_OPEN = Circuit(state=CircuitState.HALF_OPEN)
READ = CallKind.READ


def opened(seconds: float) -> Circuit:
    return Circuit(state=CircuitState.OPEN, probe_in_seconds=seconds)


def broken() -> ProviderFailure:
    return ProviderBroken(PROVIDER, "It failed.", upstream_status=500)


class Rig:
    """A breaker before a provider whose calls end when a test says."""

    def __init__(self, **chosen: Any) -> None:
        self.time = VirtualTime()
        self.heard = Heard()
        self.held = Held()
        self.breaker = Breaker(PROVIDER, NAME, settings(**chosen), clock=self.time, events=self.heard)
        self.send = self.breaker.guarded(PROVIDER, self.held)

    async def begin(self, kind: CallKind = READ) -> asyncio.Future[Reply]:
        call = asyncio.ensure_future(self.send(Call("GET", "/contacts/1", kind=kind)))
        await settled()
        return call

    async def end(self, how: Reply | Exception, *, times: int = 1, kind: CallKind = READ) -> None:
        """So many calls one after the other."""
        for _ in range(times):
            call = await self.begin(kind)
            self.held.end(-1, how.anew() if isinstance(how, ProviderFailure) else how)
            await asyncio.wait({call})
            call.exception()

    async def refusal(self, kind: CallKind = READ) -> ProviderFailure:
        before = len(self.held.calls)
        call = await self.begin(kind)
        assert len(self.held.calls) == before
        failure = call.exception()
        assert isinstance(failure, ProviderFailure)
        return failure

    async def open(self) -> None:
        await self.end(broken(), times=5)

    @property
    def circuit(self) -> Circuit:
        return self.breaker.circuit(READ)


def run(test: Any) -> None:
    asyncio.run(test)


class TestOpening:
    def test_so_many_failures_in_a_row(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.end(broken(), times=4)
            assert rig.circuit == CLOSED
            await rig.end(broken())
            assert rig.circuit == opened(5)

        run(test())

    def test_an_answer_between_them_begins_the_row_anew(self) -> None:
        async def test() -> None:
            rig = Rig()
            for _ in range(3):
                await rig.end(broken(), times=4)
                await rig.end(REPLY)
            assert rig.circuit == CLOSED

        run(test())

    def test_a_share_of_the_calls_in_the_window_once_there_are_enough(self) -> None:
        async def test() -> None:
            rig = Rig(breaker_failures=1_000)
            for _ in range(9):
                await rig.end(REPLY)
                await rig.end(broken())
            await rig.end(REPLY)
            assert rig.circuit == CLOSED
            await rig.end(broken())
            assert rig.circuit == opened(5)

        run(test())

    def test_less_than_the_share_does_not(self) -> None:
        async def test() -> None:
            rig = Rig(breaker_failures=1_000)
            for _ in range(40):
                await rig.end(REPLY, times=2)
                await rig.end(broken())
            assert rig.circuit == CLOSED

        run(test())

    def test_what_lies_before_the_window_does_not_count(self) -> None:
        async def test() -> None:
            rig = Rig(breaker_failures=1_000)
            await rig.end(broken(), times=19)
            await rig.time.advance(10)
            await rig.end(broken())
            assert rig.circuit == CLOSED

        run(test())

    def test_the_window_slides(self) -> None:
        async def test() -> None:
            rig = Rig(breaker_failures=1_000)
            await rig.end(broken(), times=10)
            await rig.time.advance(8.5)
            await rig.end(broken(), times=9)
            assert rig.circuit == CLOSED
            await rig.end(broken())
            assert rig.circuit.state is CircuitState.OPEN

        run(test())

    def test_a_million_calls_take_no_more_memory_than_a_hundred(self) -> None:
        async def test() -> None:
            rig = Rig(breaker_failures=1_000)
            for _ in range(200):
                await rig.end(REPLY)
                await rig.time.advance(0.7)
            assert len(rig.breaker._switches[READ]._window._buckets) <= 10

        run(test())

    def test_one_that_has_closed_again_opens_as_before(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.open()
            await rig.time.advance(5)
            await rig.end(REPLY)
            assert rig.circuit == CLOSED
            await rig.open()
            assert rig.circuit == opened(5)

        run(test())

    def test_each_kind_of_call_has_its_own_circuit(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.open()
            await rig.end(REPLY, kind=CallKind.LIST)
            assert {kind: rig.breaker.circuit(kind) for kind in CallKind} == {
                **dict.fromkeys(CallKind, CLOSED),
                READ: opened(5),
            }

        run(test())


FAILS = [
    ProviderUnreachable(PROVIDER, "No connection."),
    ReplyTimedOut(PROVIDER, "No answer."),
    ProviderBroken(PROVIDER, "It failed.", upstream_status=500),
    ReplyUnreadable(PROVIDER, "Too much.", upstream_status=200),
    ProviderUnavailable(PROVIDER, "Later.", retry_after_ms=1, upstream_status=503),
]
WORKS = [
    InputRefused(PROVIDER, "No.", upstream_status=400),
    CredentialsRefused(PROVIDER, "Who?", upstream_status=401),
    PermissionDenied(PROVIDER, "Not you.", upstream_status=403),
    RecordNotFound(PROVIDER, "What?", upstream_status=404),
    ReplyTimedOut(PROVIDER, "It gave up.", outcome=WriteOutcome.NOT_APPLIED, upstream_status=408),
    DuplicateRecord(PROVIDER, "Again?", upstream_status=409),
    RateLimited(PROVIDER, "Too much.", upstream_status=429),
    ProviderBroken(PROVIDER, "Odd.", upstream_status=418),
    ReplyUnreadable(PROVIDER, "Elsewhere.", upstream_status=302),
]
NEUTRAL = [
    BudgetSpent(PROVIDER, "Not now."),
    ProviderCrowded(PROVIDER, "Not now."),
    DeadlineExceeded(PROVIDER, "Too late."),
]


def _cut_short() -> ProviderFailure:
    failure = ReplyTimedOut(PROVIDER, "No answer.")
    failure.cut_short = True
    return failure


def _named(failure: Any) -> str:
    return f"{type(failure).__name__} {failure.fault.upstream_status}"


class TestWhatCounts:
    @pytest.mark.parametrize("failure", FAILS, ids=_named)
    def test_a_failure_of_the_provider(self, failure: ProviderFailure) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.end(failure, times=5)
            assert rig.circuit == opened(5)

        run(test())

    def test_a_page_in_the_place_of_an_answer(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.end(Reply(status=200, headers={}, body=b" <html>Sign in</html>", latency_ms=1), times=5)
            assert rig.circuit == opened(5)

        run(test())

    @pytest.mark.parametrize("failure", WORKS, ids=_named)
    def test_a_refusal_is_an_answer(self, failure: ProviderFailure) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.end(failure, times=30)
            assert rig.circuit == CLOSED
            await rig.end(broken(), times=4)
            await rig.end(failure)
            await rig.end(broken(), times=4)
            assert rig.circuit == CLOSED

        run(test())

    @pytest.mark.parametrize("failure", [*NEUTRAL, _cut_short(), KeyError("mistake")], ids=type)
    def test_what_says_nothing_neither_opens_nor_begins_the_row_anew(self, failure: Exception) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.end(failure, times=30)
            assert rig.circuit == CLOSED
            await rig.end(broken(), times=4)
            await rig.end(failure)
            await rig.end(broken())
            assert rig.circuit == opened(5)

        run(test())


class TestOpen:
    def test_nobody_calls_and_everybody_is_told_when_to_come_back(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.open()
            await rig.time.advance(3.25)
            refusal = await rig.refusal()
            assert (type(refusal), refusal.outcome, refusal.held_back) == (CircuitOpen, WriteOutcome.NOT_APPLIED, True)
            assert refusal.fault == Fault(
                code=ErrorCode.PROVIDER_UNAVAILABLE,
                message="Cometly failed too often just now, so it is not called for a while; try again in 2 seconds.",
                provider=PROVIDER,
                retryable=True,
                retry_after_ms=1_750,
            )
            assert rig.heard.all[-1] == ("held back", READ, ErrorCode.PROVIDER_UNAVAILABLE)

        run(test())

    def test_the_time_to_come_back_is_never_none_at_all(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.open()
            await rig.time.advance(4.999_999)
            refusal = await rig.refusal()
            assert refusal.fault.retry_after_ms == 1
            assert "again in 1 second." in refusal.fault.message

        run(test())

    def test_every_refusal_is_an_exception_of_its_own(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.open()
            assert await rig.refusal() is not await rig.refusal()

        run(test())

    def test_calls_that_began_before_neither_close_it_nor_open_it_anew(self) -> None:
        async def test() -> None:
            rig = Rig()
            early = [await rig.begin() for _ in range(11)]
            await rig.open()
            await rig.time.advance(4)
            rig.held.end(0)
            for number in range(1, 6):
                rig.held.end(number, broken())
            await settled()
            assert rig.circuit == opened(1)
            await rig.time.advance(1)
            await rig.end(REPLY)
            for number in range(6, 11):
                rig.held.end(number, broken())
            await asyncio.gather(*early, return_exceptions=True)
            assert rig.circuit == CLOSED

        run(test())


class TestProbing:
    def test_after_a_while_one_call_is_let_through_at_a_time(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.open()
            await rig.time.advance(5)
            assert rig.circuit == HALF_OPEN
            probe = await rig.begin()
            assert (await rig.refusal()).fault.retry_after_ms == 1_000
            assert not probe.done()
            rig.held.end(-1)
            await probe

        run(test())

    def test_a_probe_that_is_answered_closes_it_and_nothing_is_held_against_the_provider(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.open()
            await rig.time.advance(5)
            await rig.end(RateLimited(PROVIDER, "Too much.", upstream_status=429))
            assert rig.circuit == CLOSED
            await rig.end(broken(), times=4)
            assert rig.circuit == CLOSED

        run(test())

    def test_a_probe_that_fails_opens_it_anew_for_the_whole_time(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.open()
            await rig.time.advance(7)
            await rig.end(broken())
            assert rig.circuit == opened(5)

        run(test())

    @pytest.mark.parametrize("failure", [*NEUTRAL, _cut_short(), KeyError("mistake")], ids=type)
    def test_a_probe_that_says_nothing_leaves_its_place_to_the_next(self, failure: Exception) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.open()
            await rig.time.advance(5)
            await rig.end(failure)
            assert rig.circuit == HALF_OPEN
            await rig.end(REPLY)
            assert rig.circuit == CLOSED

        run(test())

    def test_so_does_one_that_is_cancelled(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.open()
            await rig.time.advance(5)
            probe = await rig.begin()
            probe.cancel()
            await asyncio.wait({probe})
            assert rig.circuit == HALF_OPEN
            await rig.end(REPLY)
            assert rig.circuit == CLOSED

        run(test())

    def test_a_call_from_before_does_not_end_somebody_elses_probe(self) -> None:
        async def test() -> None:
            rig = Rig()
            early = await rig.begin()
            await rig.open()
            await rig.time.advance(5)
            await rig.begin()
            rig.held.end(0)
            await early
            assert rig.circuit == HALF_OPEN
            await rig.refusal()

        run(test())


class TestTelling:
    def test_every_change_is_told_once(self) -> None:
        async def test() -> None:
            rig = Rig()
            changes: list[CircuitState] = []

            def listener() -> None:
                changes.append(rig.circuit.state)

            rig.breaker.listen(listener)
            await rig.open()
            await rig.refusal()
            await rig.time.advance(5)
            await rig.end(broken())
            await rig.time.advance(5)
            await rig.end(NEUTRAL[0])
            await rig.end(REPLY, times=2)
            told = [CircuitState.OPEN, CircuitState.HALF_OPEN] * 2 + [CircuitState.CLOSED]
            assert changes == told
            assert [event for event in rig.heard.all if event[0] == "circuit"] == [
                ("circuit", READ, state) for state in told
            ]
            rig.breaker.ignore(listener)
            await rig.open()
            assert changes == told

        run(test())

    def test_the_worst_of_all_circuits_is_the_one_that_holds_the_most_back(self) -> None:
        async def test() -> None:
            rig = Rig()
            assert rig.breaker.worst == CLOSED
            await rig.open()
            await rig.time.advance(5)
            assert rig.breaker.worst == HALF_OPEN
            await rig.end(broken(), times=5, kind=CallKind.LIST)
            await rig.time.advance(1)
            await rig.end(broken(), times=5, kind=CallKind.CREATE)
            assert rig.breaker.worst == opened(5)

        run(test())
