"""What each kind of answer says about a provider, and who gets to know of it."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from gateway.domain.contact import Provider
from gateway.domain.errors import (
    CredentialsRefused,
    InputRefused,
    ProviderBroken,
    ProviderCrowded,
    ProviderFailure,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
    RecordNotFound,
    ReplyTimedOut,
    ReplyUnreadable,
)
from gateway.domain.exchange import Call, Reply
from gateway.resilience.standing import Standing, StatusBoard
from gateway.resilience.status import ProviderState, Watch

GATELY = Provider.GATELY
START = datetime(2031, 1, 1, tzinfo=timezone.utc)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def answer(body: bytes = b"{}") -> Reply:
    return Reply(status=200, headers={}, body=body, latency_ms=1)


def failure(kind: type[ProviderFailure], **details: Any) -> ProviderFailure:
    return kind(GATELY, "It failed.", **details)


def after(watch: Watch, *events: Reply | BaseException) -> ProviderState:
    async def send_all() -> None:
        for event in events:

            async def send(_: Call, event: Reply | BaseException = event) -> Reply:
                if isinstance(event, BaseException):
                    raise event
                return event

            try:
                await watch.watched(GATELY, send)(Call("GET", "/"))
            except BaseException as error:
                if error is not event:
                    raise

    asyncio.run(send_all())
    return watch.present.state


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (answer(), "UP"),
        (answer(b""), "UP"),
        (answer(b"<html>"), "FAILING"),
        (answer(b'{"cut": '), "FAILING"),
        (failure(ProviderUnreachable), "FAILING"),
        (failure(ReplyTimedOut), "FAILING"),
        (failure(ReplyUnreadable), "FAILING"),
        (failure(ReplyUnreadable, upstream_status=302), "FAILING"),
        (failure(ProviderBroken, upstream_status=500), "FAILING"),
        (failure(RateLimited, upstream_status=429), "LIMITED"),
        (failure(ProviderUnavailable, upstream_status=503, retry_after_ms=1000), "LIMITED"),
        # Of our making.
        (failure(InputRefused, upstream_status=422), "UP"),
        (failure(RecordNotFound, upstream_status=404), "UP"),
        (failure(CredentialsRefused, upstream_status=401), "UP"),
        (failure(ProviderBroken, upstream_status=418), "UP"),
        # Nothing that the provider did.
        (RuntimeError("ours"), "UNKNOWN"),
        (asyncio.CancelledError(), "UNKNOWN"),
    ],
    ids=str,
)
def test_an_answer_says_how_the_provider_is(event: Any, state: str) -> None:
    watch = Watch(GATELY, Clock())

    assert after(watch, event) == state


def test_a_limit_ends_when_the_provider_said_and_leaves_nothing_known() -> None:
    clock = Clock()
    watch = Watch(GATELY, clock)
    after(watch, failure(RateLimited, retry_after_ms=2000))
    assert watch.present.limited_until == START + timedelta(seconds=2)

    clock.pass_seconds(1.9)
    assert watch.present.state is ProviderState.LIMITED
    clock.pass_seconds(0.1)

    present = watch.present
    assert (present.state, present.since, present.fault) == (ProviderState.UNKNOWN, START + timedelta(seconds=2), None)


def test_a_state_lasts_since_it_began_though_its_fault_changes() -> None:
    clock = Clock()
    watch = Watch(GATELY, clock)
    after(watch, failure(ReplyTimedOut))
    clock.pass_seconds(5)
    after(watch, failure(ProviderUnreachable))

    assert watch.present.since == START
    assert watch.present.fault
    assert watch.present.fault.code == "PROVIDER_UNREACHABLE"
    clock.pass_seconds(5)
    after(watch, answer())
    assert (watch.present.since, watch.present.fault) == (START + timedelta(seconds=10), None)


def test_what_the_gateway_itself_ended_says_nothing_about_the_provider() -> None:
    watch = Watch(GATELY, Clock())
    after(watch, answer())
    after(watch, failure(ProviderCrowded))

    assert watch.present.state is ProviderState.UP


class TestListening:
    def test_the_present_comes_at_once_and_the_same_answer_again_is_no_change(self) -> None:
        async def test() -> None:
            board, send = one_provider()
            changes = board.changes([GATELY])
            assert (await anext(changes)).state is ProviderState.UNKNOWN
            await send(answer())
            assert (await anext(changes)).state is ProviderState.UP
            await send(answer())
            await send(answer())
            coming = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            assert not coming.done()
            await send(failure(ReplyTimedOut))
            assert (await coming).state is ProviderState.FAILING
            await changes.aclose()

        asyncio.run(test())

    def test_who_is_slow_gets_the_latest_only(self) -> None:
        async def test() -> None:
            board, send = one_provider()
            changes = board.changes([GATELY])
            await anext(changes)
            for _ in range(500):
                await send(answer())
                await send(failure(ReplyTimedOut))
            await send(failure(ProviderUnreachable))
            latest = await anext(changes)
            assert latest.fault
            assert latest.fault.code == "PROVIDER_UNREACHABLE"
            coming = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            assert not coming.done()
            coming.cancel()

        asyncio.run(test())

    def test_the_end_of_a_limit_is_told_without_another_call(self) -> None:
        async def test() -> None:
            board = StatusBoard({GATELY: Standing(watch=(watch := Watch(GATELY)))})
            changes = board.changes([GATELY])
            await anext(changes)
            watch._note(ProviderState.LIMITED, failure(RateLimited, retry_after_ms=20).fault)
            assert (await anext(changes)).state is ProviderState.LIMITED
            async with asyncio.timeout(5):
                assert (await anext(changes)).state is ProviderState.UNKNOWN
            await changes.aclose()

        asyncio.run(test())

    def test_nobody_is_remembered_who_has_left(self) -> None:
        async def test() -> None:
            watch = Watch(GATELY)
            changes = StatusBoard({GATELY: Standing(watch=watch)}).changes([GATELY])
            await anext(changes)
            assert len(watch._listeners) == 1
            await changes.aclose()
            assert not watch._listeners

        asyncio.run(test())

    def test_a_change_of_one_does_not_tell_the_others_again(self) -> None:
        async def test() -> None:
            watches = {provider: Watch(provider) for provider in (GATELY, Provider.KLEN)}
            changes = StatusBoard({provider: Standing(watch=watch) for provider, watch in watches.items()}).changes(
                list(watches)
            )
            assert [(await anext(changes)).provider for _ in watches] == [GATELY, Provider.KLEN]
            watches[Provider.KLEN]._note(ProviderState.UP, None)
            assert (await anext(changes)).provider is Provider.KLEN
            coming = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            assert not coming.done()
            coming.cancel()

        asyncio.run(test())

    def test_a_provider_that_is_not_configured_is_unknown(self) -> None:
        board = StatusBoard({}, Clock())
        assert board.of(Provider.KLEN).state is ProviderState.UNKNOWN


def one_provider() -> tuple[StatusBoard, Callable[[Reply | Exception], Any]]:
    watch = Watch(GATELY, Clock())

    async def send(event: Reply | Exception) -> None:
        async def inner(_: Call) -> Reply:
            if isinstance(event, Exception):
                raise event
            return event

        await asyncio.gather(watch.watched(GATELY, inner)(Call("GET", "/")), return_exceptions=True)

    return StatusBoard({GATELY: Standing(watch=watch)}), send
