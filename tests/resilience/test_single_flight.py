"""Identical reads at the same time are one call; nobody gets what they should not, and nobody pays for another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.domain.contact import Provider
from gateway.domain.errors import (
    CallLimitReached,
    DeadlineExceeded,
    DuplicateRecord,
    ErrorCode,
    Fault,
    ProviderBroken,
    ProviderCrowded,
    ProviderFailure,
    ProviderUnreachable,
    RateLimited,
    ReplyTimedOut,
    WriteOutcome,
)
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.resilience.bulkhead import Bulkhead
from gateway.resilience.call_limit import counted
from gateway.resilience.operation import Operation, current_operation, running
from gateway.resilience.policy import Send
from gateway.resilience.single_flight import Flights
from tests.resilience.provider import NAME, PROVIDER, REPLY, Heard, Held, settings
from tests.resilience.virtual_time import VirtualTime, settled

READ = Call("GET", "/contacts/1")
ATTEMPT_SECONDS = 5.0


class Seen(Held):
    """Remembers in whose operation each call was made."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation] = []

    async def __call__(self, call: Call) -> Reply:
        self.operations.append(current_operation())
        return await super().__call__(call)


class Rig:
    def __init__(self) -> None:
        self.time = VirtualTime()
        self.heard = Heard()
        self.held = Seen()
        self.written_elsewhere: dict[Provider, int] = {}
        self.flights = Flights(
            attempt_seconds=ATTEMPT_SECONDS,
            clocks=self.time.clocks,
            events=self.heard,
            changes=lambda provider: self.written_elsewhere.get(provider, 0),
        )
        self.send = self.flights.joined(PROVIDER, counted(PROVIDER, self.held))

    def operation(self, *, seconds: float = 15, shares: bool = True, **more: Any) -> Operation:
        return Operation(deadline=self.time.now + seconds, clock=self.time, shares_reads=shares, **more)

    async def begin(
        self, call: Call = READ, *, operation: Operation | None = None, send: Send | None = None
    ) -> asyncio.Future[Reply]:
        with running(operation or self.operation()):
            begun = asyncio.ensure_future((send or self.send)(call))
        await settled()
        return begun

    async def end(self, number: int, how: Reply | Exception = REPLY) -> None:
        self.held.end(number, how)
        await settled()


def failure_of(call: asyncio.Future[Reply]) -> ProviderFailure:
    assert call.done()
    failure = call.exception()
    assert isinstance(failure, ProviderFailure)
    return failure


def run(test: Any) -> None:
    asyncio.run(test)


class TestJoining:
    @pytest.mark.parametrize("kind", [CallKind.READ, CallKind.LIST, CallKind.FIND_BY_EMAIL])
    def test_identical_reads_are_one_call_and_everybody_gets_its_reply(self, kind: CallKind) -> None:
        async def test() -> None:
            rig = Rig()
            operations = [rig.operation() for _ in range(5)]
            call = Call("GET", "/contacts", query={"page": "1", "search": "a"}, kind=kind)
            same = Call("GET", "/contacts", query={"search": "a", "page": "1"}, kind=kind)
            begun = [await rig.begin(call if one is operations[0] else same, operation=one) for one in operations]
            assert len(rig.held.calls) == 1
            await rig.end(0)
            assert [await one for one in begun] == [REPLY] * 5
            assert [one.tally.of(PROVIDER).shared for one in operations] == [0, 1, 1, 1, 1]
            assert rig.heard.all == [("shared", kind)] * 4
            assert rig.flights.under_way == 0

        run(test())

    @pytest.mark.parametrize(
        "other",
        [
            Call("GET", "/contacts/2"),
            Call("HEAD", "/contacts/1"),
            Call("GET", "/contacts/1", query={"page": "1"}),
            Call("GET", "/contacts/1", kind=CallKind.LIST),
            Call("GET", "/contacts/1", body={"a": 1}),
        ],
        ids=["path", "method", "query", "kind", "body"],
    )
    def test_what_differs_is_a_call_of_its_own(self, other: Call) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.begin()
            await rig.begin(other)
            assert rig.held.calls == [READ, other]

        run(test())

    def test_who_does_not_share_neither_joins_nor_is_joined(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.begin()
            await rig.begin(operation=rig.operation(shares=False))
            await rig.begin(operation=rig.operation(shares=False))
            assert len(rig.held.calls) == 3
            await rig.begin()
            assert len(rig.held.calls) == 3

        run(test())

    def test_what_has_ended_is_not_joined(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.begin()
            await rig.end(0)
            await rig.begin()
            assert len(rig.held.calls) == 2

        run(test())

    @pytest.mark.parametrize("kind", [kind for kind in CallKind if kind.writes])
    def test_nobody_joins_across_the_beginning_or_the_end_of_a_write(self, kind: CallKind) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.begin()
            await rig.begin(Call("POST", "/contacts", kind=kind), operation=rig.operation(shares=False))
            during = await rig.begin()
            also_during = await rig.begin()
            assert len(rig.held.calls) == 3
            await rig.end(1)
            await rig.begin()
            assert len(rig.held.calls) == 4
            await rig.end(2)
            assert (await during, await also_during) == (REPLY, REPLY)

        run(test())

    def test_nobody_joins_what_began_before_a_write_of_another_process(self) -> None:
        async def test() -> None:
            rig = Rig()
            first = await rig.begin()
            rig.written_elsewhere = {PROVIDER: 1, Provider.KLEN: 5}
            second, third = await rig.begin(), await rig.begin()
            rig.written_elsewhere[Provider.KLEN] = 6
            await rig.begin()
            assert len(rig.held.calls) == 2
            await rig.end(0)
            assert (first.done(), second.done()) == (True, False)
            await rig.end(1)
            assert (second.done(), third.done(), rig.flights.under_way) == (True, True, 0)

        run(test())

    def test_a_write_that_fails_ends_the_joining_too(self) -> None:
        async def test() -> None:
            rig = Rig()
            writing = await rig.begin(Call("POST", "/contacts", kind=CallKind.CREATE))
            await rig.begin()
            await rig.end(0, ReplyTimedOut(PROVIDER, "No answer."))
            await rig.begin()
            assert len(rig.held.calls) == 3
            writing.exception()

        run(test())


class TestFailing:
    def test_everybody_gets_an_equal_failure_of_their_own(self) -> None:
        async def test() -> None:
            rig = Rig()
            begun = [await rig.begin() for _ in range(3)]
            original = RateLimited(
                PROVIDER,
                "Too much.",
                retryable=False,
                outcome=WriteOutcome.UNKNOWN,
                retry_after_ms=70,
                upstream_status=429,
                upstream_code="slow_down",
                field=("input", "name"),
            )
            original.cut_short = True
            await rig.end(0, original)
            failures = [failure_of(one) for one in begun]
            assert len({id(one) for one in [*failures, original]}) == 4
            for failure in failures:
                assert type(failure) is RateLimited
                assert (failure.fault, str(failure)) == (original.fault, "Too much.")
                assert (failure.outcome, failure.retryable, failure.cut_short) == (WriteOutcome.UNKNOWN, False, True)

        run(test())

    @pytest.mark.parametrize("leaf", [ProviderCrowded, DuplicateRecord, ProviderBroken, CallLimitReached])
    def test_a_failure_made_anew_is_of_the_same_class_and_says_the_same(self, leaf: type[ProviderFailure]) -> None:
        failure = leaf(PROVIDER, "No.")
        made = failure.anew()

        assert (type(made), made.fault, made.outcome, made.held_back) == (
            leaf,
            failure.fault,
            failure.outcome,
            failure.held_back,
        )

    def test_a_mistake_of_ours_keeps_its_class_and_its_place(self) -> None:
        class Odd(Exception):
            def __init__(self, one: str, two: str) -> None:
                super().__init__(one + two)

        async def test() -> None:
            for mistake, shown in ((KeyError("mistake"), KeyError), (Odd("a", "b"), RuntimeError)):
                rig = Rig()
                begun = [await rig.begin() for _ in range(2)]
                await rig.end(0, mistake)
                errors = [one.exception() for one in begun]
                assert [type(one) for one in errors] == [shown, shown]
                assert errors[0] is not errors[1]
                assert all(error.__traceback__ for error in errors if error)

        run(test())


class TestTime:
    def test_each_waits_until_their_own_deadline_only(self) -> None:
        async def test() -> None:
            rig = Rig()
            patient = await rig.begin(operation=rig.operation(seconds=20))
            hasty = await rig.begin(operation=rig.operation(seconds=3))
            await rig.time.advance(3)
            failure = failure_of(hasty)
            assert type(failure) is DeadlineExceeded
            assert failure.fault == Fault(
                code=ErrorCode.DEADLINE_EXCEEDED,
                message="The operation ran out of time before this provider answered.",
                provider=PROVIDER,
                retryable=True,
            )
            await rig.end(0)
            assert await patient is REPLY

        run(test())

    def test_a_later_deadline_extends_the_call_and_an_earlier_one_does_not_cut_it(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.begin(operation=rig.operation(seconds=10))
            (flying,) = rig.held.operations
            await rig.time.advance(2)
            await rig.begin(operation=rig.operation(seconds=4))
            assert flying.seconds_left == 8
            await rig.begin(operation=rig.operation(seconds=15))
            assert flying.seconds_left == 15
            await rig.begin(operation=Operation(deadline=None, shares_reads=True))
            assert flying.seconds_left is None

        run(test())

    def test_nobody_joins_a_call_that_somebody_elses_hurry_may_cut_off(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.begin(operation=rig.operation(seconds=ATTEMPT_SECONDS - 0.1))
            await rig.begin(operation=rig.operation(seconds=1))
            assert len(rig.held.calls) == 1
            await rig.begin(operation=rig.operation(seconds=15))
            await rig.begin(operation=rig.operation(seconds=16))
            assert len(rig.held.calls) == 2

        run(test())

    def test_the_last_who_waits_hears_what_the_attempt_says_at_the_deadline(self) -> None:
        async def test() -> None:
            rig = Rig()
            last = await rig.begin(operation=rig.operation(seconds=3))
            await rig.time.advance(3)
            assert not last.done()
            await rig.end(0, ReplyTimedOut(PROVIDER, "No answer."))
            assert type(failure_of(last)) is ReplyTimedOut

        run(test())

    def test_but_does_not_wait_for_it_for_ever(self) -> None:
        async def test() -> None:
            rig = Rig()
            last = await rig.begin(operation=rig.operation(seconds=3))
            await rig.time.advance(3.25)
            assert type(failure_of(last)) is DeadlineExceeded
            assert (rig.held.cancelled, rig.flights.under_way) == (1, 0)

        run(test())


class TestLeaving:
    def test_who_is_cancelled_leaves_the_others_their_call(self) -> None:
        async def test() -> None:
            rig = Rig()
            starter, other = await rig.begin(), await rig.begin()
            starter.cancel()
            await settled()
            assert (starter.cancelled(), rig.held.cancelled) == (True, 0)
            await rig.end(0)
            assert await other is REPLY

        run(test())

    def test_with_the_last_who_waits_the_call_is_cancelled(self) -> None:
        async def test() -> None:
            rig = Rig()
            begun = [await rig.begin() for _ in range(3)]
            for one in begun:
                assert rig.held.cancelled == 0
                one.cancel()
                await settled()
            assert (rig.held.cancelled, rig.flights.under_way) == (1, 0)

        run(test())

    def test_who_comes_after_that_begins_anew(self) -> None:
        async def test() -> None:
            rig = Rig()
            (await rig.begin()).cancel()
            again = await rig.begin()
            await rig.end(1)
            assert await again is REPLY

        run(test())

    def test_a_call_that_is_given_up_at_once_leaves_nothing(self) -> None:
        async def test() -> None:
            rig = Rig()
            with running(rig.operation()):
                begun = asyncio.ensure_future(rig.send(READ))
            await asyncio.sleep(0)
            begun.cancel()
            await settled()
            assert (rig.held.cancelled, rig.flights.under_way, rig.flights._open) == (1, 0, {})

        run(test())

    def test_at_the_end_of_the_gateway_what_is_left_is_broken_off(self) -> None:
        async def test() -> None:
            rig = Rig()
            begun = [await rig.begin() for _ in range(2)]
            await rig.flights.aclose()
            await settled()
            assert (rig.held.cancelled, rig.flights.under_way) == (1, 0)
            failures = [failure_of(one) for one in begun]
            assert [type(one) for one in failures] == [ProviderUnreachable] * 2
            assert failures[0] is not failures[1]
            assert failures[0].fault.message == "The gateway is being stopped; try again."

        run(test())


class TestPaying:
    def test_only_who_began_it_is_charged(self) -> None:
        async def test() -> None:
            rig = Rig()
            starter, joiner = rig.operation(), rig.operation()
            await rig.begin(operation=starter)
            await rig.begin(operation=joiner)
            await rig.end(0)
            assert (starter.calls_left, joiner.calls_left) == (99, 100)

        run(test())

    def test_many_at_the_same_time_do_not_slip_past_the_limit(self) -> None:
        async def test() -> None:
            rig = Rig()
            operation = rig.operation(calls_left=2)
            begun = [await rig.begin(Call("GET", f"/{number}"), operation=operation) for number in range(5)]
            assert [type(failure_of(one)) for one in begun[2:]] == [CallLimitReached] * 3
            assert (len(rig.held.calls), operation.calls_left) == (2, 0)

        run(test())

    def test_it_is_made_for_the_caller_and_the_account_of_who_began_it(self) -> None:
        async def test() -> None:
            rig = Rig()
            starter = rig.operation()
            await rig.begin(operation=starter)
            (flying,) = rig.held.operations
            assert flying is not starter
            assert (flying.caller, flying.payer) == (starter.caller, starter)
            assert flying.tally is starter.tally

        run(test())

    def test_somebody_in_a_hurry_takes_it_out_of_the_background(self) -> None:
        async def test() -> None:
            rig = Rig()
            await rig.begin(operation=rig.operation(background=True))
            (flying,) = rig.held.operations
            await rig.begin(operation=rig.operation(background=True))
            assert flying.background
            await rig.begin()
            assert not flying.background

        run(test())


class TestBounds:
    def test_there_are_never_more_calls_than_the_bulkhead_lets_in(self) -> None:
        async def test() -> None:
            rig = Rig()
            chosen = settings(max_calls_at_once=2, max_waiting_calls=3)
            bulkhead = Bulkhead(Provider.COMETLY, NAME, chosen, clocks=rig.time.clocks, events=rig.heard)
            send = rig.flights.joined(PROVIDER, bulkhead.bounded(PROVIDER, rig.held))
            begun = [await rig.begin(Call("GET", f"/{number}"), send=send) for number in range(100)]
            assert (len(rig.held.calls), bulkhead.waiting, rig.flights.under_way) == (2, 3, 5)
            assert [type(failure_of(one)) for one in begun[5:]] == [ProviderCrowded] * 95
            for one in begun[:5]:
                one.cancel()
            await settled()
            assert (rig.flights.under_way, rig.flights._open) == (0, {})

        run(test())
