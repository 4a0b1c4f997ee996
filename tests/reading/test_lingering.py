"""What becomes of calls that an answer did not wait for."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from gateway.contacts.lingering import Lingering
from gateway.contacts.terms import Terms
from gateway.domain.contact import Provider
from gateway.domain.errors import AnswerPending, ErrorCode
from tests.reading.bench import FakeTime


class Call:
    """A call that ends when it is let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.end = "still going on"

    async def __call__(self) -> str:
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.end = "broken off"
            raise
        self.end = "answered"
        return self.end


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def request(lingering: Lingering, *calls: Call, then: Callable[[], Awaitable[object]] = turns) -> None:
    """Begins these calls, and ends as `then` does, without having waited for them."""
    started = lingering.calls()
    for call in calls:
        started.start(call())
    try:
        await then()
    except BaseException:
        await started.break_off()
        raise
    started.hand_over()


async def in_vain() -> None:
    raise ZeroDivisionError


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def test_a_call_goes_on_after_the_answer() -> None:
    async def test() -> None:
        lingering, call = Lingering(FakeTime().clocks), Call()
        await asyncio.create_task(request(lingering, call))
        await turns()
        assert call.end == "still going on"

        call.let_go.set()
        await turns()
        assert call.end == "answered"

    run(test())


def test_a_request_that_is_broken_off_breaks_its_calls_off() -> None:
    async def test() -> None:
        lingering, call = Lingering(FakeTime().clocks), Call()
        task = asyncio.create_task(request(lingering, call, then=asyncio.Event().wait))
        await turns()
        task.cancel()
        await turns()
        assert call.end == "broken off"

    run(test())


def test_so_does_one_that_fails() -> None:
    async def test() -> None:
        lingering, call = Lingering(FakeTime().clocks), Call()

        async def failing() -> None:
            await turns()
            await in_vain()

        await asyncio.gather(asyncio.create_task(request(lingering, call, then=failing)), return_exceptions=True)
        await turns()
        assert call.end == "broken off"

    run(test())


def test_no_more_than_so_many_go_on() -> None:
    async def test() -> None:
        lingering, calls = Lingering(FakeTime().clocks, at_most=2), [Call(), Call(), Call()]
        for call in calls:
            await asyncio.create_task(request(lingering, call))
        await turns()
        assert [call.end for call in calls] == ["still going on", "still going on", "broken off"]

        calls[0].let_go.set()
        await turns()
        one_more = Call()
        await asyncio.create_task(request(lingering, one_more))
        await turns()
        assert one_more.end == "still going on"
        await lingering.aclose()

    run(test())


def test_they_end_with_the_gateway() -> None:
    async def test() -> None:
        lingering, call = Lingering(FakeTime().clocks), Call()
        await asyncio.create_task(request(lingering, call))
        await turns()

        await lingering.aclose()
        assert call.end == "broken off"

    run(test())


def test_a_late_call_of_a_request_that_is_over_is_held_too() -> None:
    async def test() -> None:
        lingering, call = Lingering(FakeTime().clocks), Call()
        calls = lingering.calls()
        calls.hand_over()
        calls.start(call())
        await turns()
        await lingering.aclose()
        assert call.end == "broken off"

    run(test())


def test_a_call_that_fails_while_nobody_waits_disturbs_nobody() -> None:
    async def test() -> None:
        heard: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
        lingering = Lingering(FakeTime().clocks)

        calls = lingering.calls()
        calls.start(in_vain())
        calls.hand_over()
        await turns()
        gc.collect()
        assert heard == []

    run(test())


def test_waiting_ends_with_the_time_and_the_call_goes_on() -> None:
    async def test() -> None:
        time, call = FakeTime(), Call()
        terms = Terms(calls=Lingering(time.clocks).calls(), until=time.now + 2)
        asking = asyncio.create_task(terms.ask(Provider.KLEN, call()))
        await turns()
        time.advance(1.9)
        await turns()
        assert not asking.done()

        time.advance(0.1)
        await turns()
        failure = asking.exception()
        assert isinstance(failure, AnswerPending)
        assert (failure.code, failure.retryable, call.end) == (ErrorCode.DEADLINE_EXCEEDED, True, "still going on")

    run(test())


def test_what_needs_no_call_is_there_even_without_waiting() -> None:
    async def test() -> None:
        time = FakeTime()
        terms = Terms(calls=Lingering(time.clocks).calls(), until=time.now)

        async def known() -> str:
            return "known"

        assert await terms.ask(Provider.KLEN, known()) == "known"

    run(test())
