"""One attempt: sent once, never redirected, bounded in time and size, and honest about what was sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from types import MappingProxyType
from typing import Any, TypeVar

import aiohttp
import httpx
import pytest

from gateway.domain.errors import (
    ProviderBroken,
    ProviderCrowded,
    ProviderFailure,
    ProviderUnreachable,
    RateLimited,
    ReplyTimedOut,
    ReplyUnreadable,
    WriteOutcome,
)
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.resilience.operation import operation
from gateway.resilience.reply_memory import ReplyMemory
from gateway.upstream.attempt import MAX_BODY_BYTES, MAX_ERROR_BODY_BYTES, Attempt
from gateway.upstream.endpoint import Endpoint, Timeouts
from gateway.upstream.http_client import AiohttpClient, HttpClient
from tests.upstream.conftest import PlainDialect
from tests.upstream.loopback import Answer, Loopback, reply, saying, serving
from tests.upstream.over_httpx import Body, OverHttpx

T = TypeVar("T")
CREATE = Call("POST", "/contacts", {"name": "Ines"}, kind=CallKind.CREATE)
READ = Call("GET", "/contacts/1")
ATTEMPT_SECONDS = 0.2


def over(
    client: HttpClient,
    dialect: PlainDialect,
    *,
    base_url: str = "http://crm.test/api/v1",
    headers: Mapping[str, str] = MappingProxyType({}),
    memory: ReplyMemory | None = None,
    **seconds: float,
) -> Attempt:
    timeouts = Timeouts(**{"connect_seconds": 5, "attempt_seconds": ATTEMPT_SECONDS, **seconds})
    memory = memory or ReplyMemory(MAX_BODY_BYTES * 2)
    return Attempt(client, Endpoint(base_url=base_url, headers=headers), dialect, timeouts=timeouts, memory=memory)


def send_over(handler: Callable[[httpx.Request], Any], call: Call, dialect: PlainDialect) -> Reply:
    return asyncio.run(over(OverHttpx(handler), dialect).send(call))


def at_loopback(
    answer: Answer | None,
    use: Callable[[Attempt, Loopback], Awaitable[T]],
    dialect: PlainDialect,
    *,
    keeps_open: bool = False,
    connections: int = 100,
    scheme: str = "http",
    **seconds: float,
) -> T:
    """What `use` makes of an attempt at a real socket."""

    async def run() -> T:
        client = AiohttpClient(connections=connections, connect_seconds=seconds.get("connect_seconds", 5), verify=False)
        async with serving(answer, keeps_open=keeps_open) as loopback, aclosing(client):
            base_url = loopback.base_url.replace("http:", f"{scheme}:")
            return await use(over(client, dialect, base_url=base_url, **seconds), loopback)

    return asyncio.run(run())


async def failing(attempt: Attempt, call: Call) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as caught:
        await attempt.send(call)
    return caught.value


# What was sent


def test_a_call_becomes_one_request_below_the_base_url(dialect: PlainDialect) -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(201, content=b'{"id": 1}', headers={"X-Thing": "yes"})

    call = Call("POST", "/contacts/a%2Fb", {"name": "Zoë", "gone": None}, query={"q": "a b&c"}, kind=CallKind.CREATE)
    answered = send_over(handler, call, dialect)
    (request,) = requests
    assert (request.method, str(request.url)) == ("POST", "http://crm.test/api/v1/contacts/a%2Fb?q=a+b%26c")
    assert request.content == '{"name":"Zoë","gone":null}'.encode()
    assert request.headers["content-type"] == "application/json"
    assert (answered.status, answered.body, answered.headers["x-thing"]) == (201, b'{"id": 1}', "yes")
    assert answered.latency_ms >= 0


def test_a_call_without_a_body_sends_none(dialect: PlainDialect) -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200)

    send_over(handler, READ, dialect)
    assert (requests[0].content, "content-type" in requests[0].headers) == (b"", False)


def test_a_redirect_is_answered_with_a_failure_and_not_followed(dialect: PlainDialect) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(307, headers={"Location": "http://crm.test/elsewhere"})

    with pytest.raises(ReplyUnreadable) as caught:
        send_over(handler, CREATE, dialect)
    assert (caught.value.outcome, asked) == (WriteOutcome.NOT_APPLIED, ["/api/v1/contacts"])


# How much is read


class Counting(Body):
    """An endless body, of which each test sees how much was taken."""

    def __init__(self, size: int = 2**60) -> None:
        self.sent = 0
        self._size = size

    async def __aiter__(self) -> Any:
        while self.sent < self._size:
            piece = b"x" * min(65_536, self._size - self.sent)
            self.sent += len(piece)
            yield piece


def test_an_answer_of_exactly_the_limit_is_read(dialect: PlainDialect) -> None:
    stream = Counting(MAX_BODY_BYTES)
    answered = send_over(lambda _: httpx.Response(200, stream=stream), READ, dialect)
    assert (MAX_BODY_BYTES, len(answered.body)) == (8 * 1024 * 1024, MAX_BODY_BYTES)


@pytest.mark.parametrize("call", [READ, CREATE])
def test_an_answer_past_the_limit_is_refused_and_not_read_on(call: Call, dialect: PlainDialect) -> None:
    stream = Counting()
    with pytest.raises(ReplyUnreadable) as caught:
        send_over(lambda _: httpx.Response(201, stream=stream), call, dialect)
    fault = caught.value.fault
    assert (fault.message, fault.retryable, fault.upstream_status) == (
        "Sample CRM answered with more than 8 MiB.",
        False,
        201,
    )
    assert caught.value.outcome is WriteOutcome.UNKNOWN
    assert stream.sent <= MAX_BODY_BYTES + 65_536
    assert stream.closed


def test_one_byte_past_the_limit_is_too_much(dialect: PlainDialect) -> None:
    with pytest.raises(ReplyUnreadable):
        send_over(lambda _: httpx.Response(200, stream=Counting(MAX_BODY_BYTES + 1)), READ, dialect)


def test_only_the_beginning_of_an_errors_body_is_read(dialect: PlainDialect) -> None:
    stream = Counting()
    with pytest.raises(ProviderBroken):
        send_over(lambda _: httpx.Response(500, stream=stream), READ, dialect)
    assert stream.sent <= MAX_ERROR_BODY_BYTES + 65_536
    assert len(dialect.bodies[0]) <= MAX_ERROR_BODY_BYTES + 65_536
    assert stream.closed


class Breaking(Body):
    async def __aiter__(self) -> Any:
        yield b'{"message": '
        raise aiohttp.ClientPayloadError("reset")


def test_an_error_whose_body_breaks_off_is_known_by_its_status(dialect: PlainDialect) -> None:
    with pytest.raises(ProviderBroken) as caught:
        send_over(lambda _: httpx.Response(502, stream=Breaking()), CREATE, dialect)
    assert (caught.value.fault.upstream_status, dialect.bodies) == (502, [b'{"message": '])


def test_a_success_whose_body_breaks_off_may_have_been_applied(dialect: PlainDialect) -> None:
    with pytest.raises(ReplyTimedOut) as caught:
        send_over(lambda _: httpx.Response(201, stream=Breaking()), CREATE, dialect)
    assert (caught.value.outcome, caught.value.fault.retryable) == (WriteOutcome.UNKNOWN, False)


def test_a_key_that_the_provider_repeats_never_reaches_its_dialect(dialect: PlainDialect) -> None:
    async def run() -> None:
        client = OverHttpx(lambda _: httpx.Response(403, content=b'{"message": "key k-123 is wrong"}'))
        await failing(over(client, dialect, headers={"Authorization": "Bearer k-123"}), READ)

    asyncio.run(run())
    assert dialect.bodies == [b'{"message": "key *** is wrong"}']


# What is known to have been sent


def test_an_answer_over_a_real_socket(dialect: PlainDialect) -> None:
    async def use(attempt: Attempt, loopback: Loopback) -> Reply:
        return await attempt.send(CREATE)

    answered = at_loopback(saying(reply(201, b'{"id": 1}')), use, dialect)
    assert (answered.status, answered.body) == (201, b'{"id": 1}')


@pytest.mark.parametrize(("call", "retryable"), [(READ, True), (CREATE, False)])
def test_no_answer_after_the_request_was_sent_is_a_time_out(call: Call, retryable: bool, dialect: PlainDialect) -> None:
    async def use(attempt: Attempt, loopback: Loopback) -> tuple[ProviderFailure, float]:
        began = time.monotonic()
        return await failing(attempt, call), time.monotonic() - began

    failure, took = at_loopback(None, use, dialect)
    assert (type(failure), failure.outcome) == (ReplyTimedOut, WriteOutcome.UNKNOWN)
    assert failure.fault.retryable is retryable
    assert ATTEMPT_SECONDS <= took < 10 * ATTEMPT_SECONDS


def test_half_an_answer_is_a_time_out(dialect: PlainDialect) -> None:
    async def use(attempt: Attempt, loopback: Loopback) -> ProviderFailure:
        return await failing(attempt, CREATE)

    for half in (b"HTTP/1.1 20", reply(201, b"{}")[:-1]):
        failure = at_loopback(saying(half), use, dialect, keeps_open=True)
        assert (type(failure), failure.outcome) == (ReplyTimedOut, WriteOutcome.UNKNOWN)


@pytest.mark.parametrize("pieces", [(), (b"HTTP/1.1 ",), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",)])
def test_a_connection_that_is_lost_after_sending_leaves_a_write_unknown(
    pieces: tuple[bytes, ...], dialect: PlainDialect
) -> None:
    async def hang_up(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
        await writer.drain()
        writer.transport.abort()

    async def use(attempt: Attempt, loopback: Loopback) -> ProviderFailure:
        return await failing(attempt, CREATE)

    failure = at_loopback(hang_up, use, dialect)
    assert (type(failure), failure.outcome, failure.fault.retryable) == (ReplyTimedOut, WriteOutcome.UNKNOWN, False)


def test_a_refused_connection_sent_nothing(dialect: PlainDialect) -> None:
    async def run() -> ProviderFailure:
        async with aclosing(AiohttpClient(connections=1, connect_seconds=5)) as client:
            return await failing(over(client, dialect, base_url="http://127.0.0.1:1", attempt_seconds=5), CREATE)

    failure = asyncio.run(run())
    assert (type(failure), failure.outcome, failure.fault.retryable) == (
        ProviderUnreachable,
        WriteOutcome.NOT_APPLIED,
        True,
    )


def test_a_connection_that_never_comes_about_sent_nothing(dialect: PlainDialect) -> None:
    """The handshake is not answered."""

    async def use(attempt: Attempt, loopback: Loopback) -> tuple[ProviderFailure, list[str]]:
        return await failing(attempt, CREATE), loopback.requests

    failure, requests = at_loopback(None, use, dialect, scheme="https", connect_seconds=0.1, attempt_seconds=20)
    assert (type(failure), failure.outcome, requests) == (ProviderUnreachable, WriteOutcome.NOT_APPLIED, [])


def test_a_deadline_that_passes_before_a_connection_is_free_sent_nothing(dialect: PlainDialect) -> None:
    arrived = asyncio.Event()

    async def never(writer: asyncio.StreamWriter) -> None:
        arrived.set()

    async def use(attempt: Attempt, loopback: Loopback) -> tuple[ProviderFailure, int]:
        first = asyncio.ensure_future(failing(attempt, READ))
        await arrived.wait()
        with operation(deadline_seconds=ATTEMPT_SECONDS / 2):
            second = await failing(attempt, CREATE)
        await first
        return second, len(loopback.requests)

    failure, requests = at_loopback(never, use, dialect, keeps_open=True, connections=1)
    assert (type(failure), failure.outcome, requests) == (ProviderUnreachable, WriteOutcome.NOT_APPLIED, 1)
    assert (failure.fault.retryable, failure.cut_short) == (True, True)


def test_a_hurried_operation_that_gets_no_connection_says_nothing_of_the_provider(dialect: PlainDialect) -> None:
    """The handshake is not answered."""

    async def use(attempt: Attempt, loopback: Loopback) -> ProviderFailure:
        with operation(deadline_seconds=ATTEMPT_SECONDS / 4):
            return await failing(attempt, READ)

    failure = at_loopback(None, use, dialect, scheme="https")
    assert (type(failure), failure.cut_short) == (ProviderUnreachable, True)


def test_an_operation_whose_time_is_over_is_told_so_at_once(dialect: PlainDialect) -> None:
    async def use(attempt: Attempt, loopback: Loopback) -> ProviderFailure:
        with operation(deadline_seconds=0):
            return await asyncio.wait_for(failing(attempt, READ), 5)

    failure = at_loopback(None, use, dialect, scheme="https")
    assert (type(failure), failure.cut_short) == (ProviderUnreachable, True)


def test_an_error_whose_body_does_not_come_in_time_is_a_time_out(dialect: PlainDialect) -> None:
    async def use(attempt: Attempt, loopback: Loopback) -> ProviderFailure:
        return await failing(attempt, CREATE)

    failure = at_loopback(saying(reply(400, b"{}")[:-1]), use, dialect, keeps_open=True)
    assert (type(failure), failure.outcome) == (ReplyTimedOut, WriteOutcome.UNKNOWN)


def test_a_call_that_waits_for_a_free_connection_in_vain_sent_nothing(dialect: PlainDialect) -> None:
    async def use(attempt: Attempt, loopback: Loopback) -> tuple[list[str], int]:
        both = await asyncio.gather(attempt.send(CREATE), attempt.send(CREATE), return_exceptions=True)
        return sorted(type(one).__name__ for one in both), len(loopback.requests)

    names, requests = at_loopback(None, use, dialect, connections=1, connect_seconds=0.025)
    assert (names, requests) == (["ProviderUnreachable", "ReplyTimedOut"], 1)


def test_the_attempt_is_cut_off_at_the_deadline_of_the_operation(dialect: PlainDialect) -> None:
    async def use(attempt: Attempt, loopback: Loopback) -> tuple[ProviderFailure, float]:
        began = time.monotonic()
        with operation(deadline_seconds=0.1):
            failure = await failing(attempt, CREATE)
        return failure, time.monotonic() - began

    failure, took = at_loopback(None, use, dialect, attempt_seconds=20)
    assert (type(failure), failure.outcome) == (ReplyTimedOut, WriteOutcome.UNKNOWN)
    assert took < 2


def test_the_attempts_time_begins_anew_with_each_attempt(dialect: PlainDialect) -> None:
    """The same connection is used again; the first answer's time is not the second one's."""

    async def use(attempt: Attempt, loopback: Loopback) -> list[str]:
        for _ in range(3):
            await attempt.send(READ)
        return loopback.requests

    assert len(at_loopback(saying(reply(200, b"{}")), use, dialect)) == 3


def test_a_cancelled_attempt_is_no_failure_of_the_provider(dialect: PlainDialect) -> None:
    arrived = asyncio.Event()

    async def never(writer: asyncio.StreamWriter) -> None:
        arrived.set()

    async def use(attempt: Attempt, loopback: Loopback) -> None:
        task = asyncio.ensure_future(attempt.send(CREATE))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    at_loopback(never, use, dialect, keeps_open=True)


# The memory for all answers together


def under_memory(memory: ReplyMemory, status: int, call: Call, dialect: PlainDialect) -> Reply | ProviderFailure:
    """How an attempt ends whose body has 100 bytes."""
    client = OverHttpx(lambda _: httpx.Response(status, stream=Counting(100)))

    async def run() -> Reply | ProviderFailure:
        try:
            return await over(client, dialect, memory=memory).send(call)
        except ProviderFailure as failure:
            return failure

    return asyncio.run(run())


def test_an_answer_that_fits_beside_the_others_is_read_and_its_memory_given_back(dialect: PlainDialect) -> None:
    memory = ReplyMemory(1_000)
    with memory.share() as others:
        others.take(900)
        assert isinstance(under_memory(memory, 200, READ, dialect), Reply)
        assert memory.held_bytes == 900
    assert memory.held_bytes == 0


def test_a_read_whose_answer_does_not_fit_is_broken_off(dialect: PlainDialect) -> None:
    memory = ReplyMemory(1_000)
    with memory.share() as others:
        others.take(901)
        failure = under_memory(memory, 200, READ, dialect)
        assert memory.held_bytes == 901
    assert isinstance(failure, ProviderCrowded)
    # The status tells the rate budget that the provider has counted this call.
    assert (failure.fault.message, failure.retryable, failure.held_back, failure.fault.upstream_status) == (
        "Answers of Sample CRM take too much memory just now; try again in a moment.",
        True,
        True,
        200,
    )


@pytest.mark.parametrize("status", [201, 409])
def test_the_answer_to_a_write_is_read_all_the_same(status: int, dialect: PlainDialect) -> None:
    memory = ReplyMemory(1_000)
    with memory.share() as others:
        others.take(1_000)
        ended = under_memory(memory, status, CREATE, dialect)
    assert ended.status == 201 if isinstance(ended, Reply) else ended.fault.upstream_status == 409


def test_an_error_is_read_all_the_same(dialect: PlainDialect) -> None:
    memory = ReplyMemory(1_000)
    with memory.share() as others:
        others.take(1_000)
        failure = under_memory(memory, 429, READ, dialect)
    assert isinstance(failure, RateLimited)


@pytest.mark.parametrize(("seconds", "cut_short"), [(0.06, True), (0.15, False), (60, False)])
def test_an_attempt_without_half_of_its_time_is_no_trial(
    seconds: float, cut_short: bool, dialect: PlainDialect
) -> None:
    async def use(attempt: Attempt, _: Loopback) -> ProviderFailure:
        # Its time stands still, so that a slow connection on a busy machine takes nothing from it.
        with operation(deadline_seconds=seconds, clock=lambda: 0.0):
            return await failing(attempt, READ)

    assert at_loopback(None, use, dialect).cut_short is cut_short
