"""How many calls are under way at a time, who waits, and who is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.domain.errors import (
    DeadlineExceeded,
    ErrorCode,
    Fault,
    ProviderBroken,
    ProviderCrowded,
    ProviderFailure,
    WriteOutcome,
)
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.resilience.bulkhead import Bulkhead
from gateway.resilience.operation import Operation, running
from tests.resilience.provider import NAME, PROVIDER, REPLY, Heard, Held, settings
from tests.resilience.virtual_time import VirtualTime, settled

READ = CallKind.READ


class Rig:
    """A bulkhead with two places and three to wait on, unless a test says otherwise."""

    def __init__(self, **chosen: Any) -> None:
        self.time = VirtualTime()
        self.heard = Heard()
        self.held = Held()
        self.bulkhead = Bulkhead(
            PROVIDER,
            NAME,
            settings(**{"max_calls_at_once": 2, "max_waiting_calls": 3, **chosen}),
            clocks=self.time.clocks,
            events=self.heard,
        )
        self.send = self.bulkhead.bounded(PROVIDER, self.held)

    def operation(self, *, seconds: float | None = 60, background: bool = False) -> Operation:
        deadline = None if seconds is None else self.time.now + seconds
        return Operation(deadline=deadline, clock=self.time, background=background)

    async def begin(self, path: str = "/", *, operation: Operation | None = None) -> asyncio.Future[Reply]:
        with running(operation or self.operation()):
            call = asyncio.ensure_future(self.send(Call("GET", path)))
        await settled()
        return call

    @property
    def under_way(self) -> list[str]:
        return [call.path for call in self.held.calls]

    async def fill(self) -> list[asyncio.Future[Reply]]:
        return [await self.begin("first"), await self.begin("second")]

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


def test_more_than_so_many_are_never_under_way() -> None:
    async def test() -> None:
        rig = Rig()
        await rig.fill()
        third = await rig.begin("third")
        assert (rig.under_way, rig.bulkhead.waiting) == (["first", "second"], 1)
        await rig.end(0)
        assert rig.under_way == ["first", "second", "third"]
        await rig.end(2)
        assert await third is REPLY

    run(test())


@pytest.mark.parametrize("how", [ProviderBroken(PROVIDER, "No."), KeyError("mistake")], ids=type)
def test_a_place_is_given_back_however_a_call_ends(how: Exception) -> None:
    async def test() -> None:
        rig = Rig(max_calls_at_once=1)
        first = await rig.begin("first")
        await rig.begin("second")
        await rig.end(0, how)
        assert first.exception() is how
        assert rig.under_way == ["first", "second"]

    run(test())


def test_a_call_that_is_cancelled_gives_its_place_back() -> None:
    async def test() -> None:
        rig = Rig(max_calls_at_once=1)
        first = await rig.begin("first")
        await rig.begin("second")
        first.cancel()
        await settled()
        assert rig.under_way == ["first", "second"]

    run(test())


def test_who_came_first_goes_first() -> None:
    async def test() -> None:
        rig = Rig(max_calls_at_once=1)
        for path in ("a", "b", "c", "d"):
            await rig.begin(path)
        for number in range(4):
            await rig.end(number)
        assert rig.under_way == ["a", "b", "c", "d"]

    run(test())


def test_what_runs_in_the_background_goes_last() -> None:
    async def test() -> None:
        rig = Rig(max_calls_at_once=1)
        await rig.begin("a")
        await rig.begin("background", operation=rig.operation(background=True))
        await rig.begin("b")
        await rig.begin("c")
        for number in range(4):
            await rig.end(number)
        assert rig.under_way == ["a", "b", "c", "background"]

    run(test())


def test_what_somebody_in_a_hurry_has_joined_meanwhile_is_no_background_any_more() -> None:
    async def test() -> None:
        rig = Rig(max_calls_at_once=1)
        joined = rig.operation(background=True)
        await rig.begin("a")
        await rig.begin("joined", operation=joined)
        await rig.begin("b")
        joined.background = False
        await rig.end(0)
        assert rig.under_way == ["a", "joined"]

    run(test())


def test_whoever_finds_no_place_to_wait_is_refused_at_once() -> None:
    async def test() -> None:
        rig = Rig()
        await rig.fill()
        for path in ("a", "b", "c"):
            await rig.begin(path)
        refusal = failure_of(await rig.begin("too many"))
        assert (type(refusal), refusal.outcome, refusal.held_back) == (ProviderCrowded, WriteOutcome.NOT_APPLIED, True)
        assert refusal.fault == Fault(
            code=ErrorCode.PROVIDER_UNAVAILABLE,
            message="Too many calls to Cometly are under way in this gateway; try again in a moment.",
            provider=PROVIDER,
            retryable=True,
        )
        assert rig.heard.all == [("held back", READ, ErrorCode.PROVIDER_UNAVAILABLE)]
        assert failure_of(await rig.begin("too many")) is not refusal

    run(test())


def test_nobody_waits_longer_than_the_setting_says() -> None:
    async def test() -> None:
        rig = Rig(rate_wait_seconds=2)
        await rig.fill()
        operation = rig.operation()
        late = await rig.begin("late", operation=operation)
        await rig.time.advance(1.9)
        assert not late.done()
        await rig.time.advance(0.1)
        assert type(failure_of(late)) is ProviderCrowded
        assert operation.tally.of(PROVIDER).waited_ms == pytest.approx(2_000)
        (waited, held_back) = rig.heard.all
        assert waited == ("waited", READ, pytest.approx(2))
        assert held_back == ("held back", READ, ErrorCode.PROVIDER_UNAVAILABLE)
        assert rig.bulkhead.waiting == 0

    run(test())


def test_nobody_waits_longer_than_the_operation_has() -> None:
    async def test() -> None:
        rig = Rig()
        await rig.fill()
        late = await rig.begin("late", operation=rig.operation(seconds=0.5))
        await rig.time.advance(0.5)
        failure = failure_of(late)
        assert type(failure) is DeadlineExceeded
        assert failure.fault.message == "The operation ran out of time while it waited for other calls to Cometly."
        assert rig.under_way == ["first", "second"]

    run(test())


def test_outside_of_any_operation_the_setting_holds_too() -> None:
    async def test() -> None:
        rig = Rig(rate_wait_seconds=2)
        await rig.fill()
        late = await rig.begin("late", operation=rig.operation(seconds=None))
        await rig.time.advance(2)
        assert type(failure_of(late)) is ProviderCrowded

    run(test())


def test_who_waited_with_success_has_it_counted() -> None:
    async def test() -> None:
        rig = Rig()
        await rig.fill()
        operation = rig.operation()
        await rig.begin("third", operation=operation)
        await rig.time.advance(0.5)
        await rig.end(0)
        assert operation.tally.of(PROVIDER).waited_ms == pytest.approx(500)
        assert rig.heard.all == [("waited", READ, pytest.approx(0.5))]

    run(test())


def test_who_is_cancelled_while_waiting_leaves_the_queue() -> None:
    async def test() -> None:
        rig = Rig(max_calls_at_once=1)
        await rig.begin("first")
        gone = await rig.begin("gone")
        await rig.begin("third")
        gone.cancel()
        await settled()
        assert rig.bulkhead.waiting == 1
        await rig.end(0)
        assert rig.under_way == ["first", "third"]

    run(test())


def test_who_is_cancelled_as_its_turn_comes_loses_no_place() -> None:
    async def test() -> None:
        rig = Rig(max_calls_at_once=1)
        await rig.begin("first")
        gone = await rig.begin("gone")
        await rig.begin("third")
        rig.bulkhead._leave()
        gone.cancel()
        await settled()
        assert gone.cancelled()
        assert rig.under_way == ["first", "third"]
        assert rig.bulkhead.waiting == 0

    run(test())


def test_all_places_are_free_after_a_storm() -> None:
    async def test() -> None:
        rig = Rig(max_calls_at_once=3, max_waiting_calls=5)
        storm = [await rig.begin(str(number)) for number in range(20)]
        for call in storm[::3]:
            call.cancel()
        await settled()
        for number in range(len(rig.held.calls)):
            if not rig.held._ends[number].done():
                rig.held.end(number)
        await rig.time.advance(60)
        for end in rig.held._ends:
            if not end.done():
                end.set_result(REPLY)
        await settled()
        assert all(call.done() for call in storm)
        for call in storm:
            if not call.cancelled():
                call.exception()
        assert (rig.bulkhead._free, rig.bulkhead.waiting) == (3, 0)

    run(test())
