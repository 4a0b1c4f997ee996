"""What a provider may put on the wire: each form of an answer, what is none, and what it costs the connection."""

from __future__ import annotations

import asyncio
import gc
import gzip
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Any, TypeVar

import aiohttp
import pytest
import uvloop

from gateway.domain.contact import Provider
from gateway.domain.errors import ReplyUnreadable
from gateway.domain.exchange import CallKind
from gateway.upstream.foreign_errors import foreign_errors
from gateway.upstream.http_answer import MAX_FIELDS, MAX_UNREAD_BYTES, MAX_WAITING_BYTES, HttpAnswer
from gateway.upstream.http_client import AiohttpClient, Question
from gateway.upstream.unpacking import MAX_PIECE_BYTES
from tests.upstream.loopback import Answer, Loopback, read_whole, reply, saying, serving

T = TypeVar("T")
Use = Callable[[AiohttpClient, Loopback], Awaitable[T]]
OK = reply(200, b"{}")


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"], autouse=True)
def loop_of(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway runs on one, and on the other where there is none."""

    def run(use: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(use)

    monkeypatch.setattr(asyncio, "run", run)


def at_loopback(answer: Answer | None, use: Use[T], *, keeps_open: bool = False) -> T:
    async def run() -> T:
        client = AiohttpClient(connections=2, connect_seconds=5)
        async with serving(answer, keeps_open=keeps_open) as loopback, aclosing(client):
            return await asyncio.wait_for(use(client, loopback), 20)

    return asyncio.run(run())


async def ask(over: AiohttpClient, loopback: Loopback, method: str = "GET") -> tuple[int, bytes]:
    answer = await over.ask(Question(method, loopback.base_url, {}), lambda: None)
    return answer.status, await read_whole(answer)


def twice(
    answer: Answer, method: str = "GET", *, behind: asyncio.Event | None = None
) -> tuple[tuple[int, bytes], tuple[int, bytes], int]:
    """Two answers, and how many connections they took."""

    async def use(over: AiohttpClient, loopback: Loopback) -> tuple[tuple[int, bytes], tuple[int, bytes], int]:
        first = await ask(over, loopback, method)
        # Whatever comes behind the answer has come.
        if behind is not None:
            await behind.wait()
        await asyncio.sleep(0.02)
        return first, await ask(over, loopback, method), loopback.connections

    return at_loopback(answer, use)


def and_close(*pieces: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.writelines(pieces)
        await writer.drain()
        writer.close()

    return answer


def head(*lines: str) -> bytes:
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


CHUNKED = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")


@pytest.mark.parametrize(
    ("said", "expected", "connections"),
    [
        (saying(OK), (200, b"{}"), 1),
        (saying(*(bytes([byte]) for byte in OK)), (200, b"{}"), 1),
        (saying(CHUNKED, b"1\r\n{\r\n", b"1\r\n}\r\n0\r\n\r\n"), (200, b"{}"), 1),
        (saying(CHUNKED, b"2;name=x\r\n{}\r\n0\r\nX-Late: 1\r\n\r\n"), (200, b"{}"), 1),
        (saying(head("HTTP/1.1 204 Nothing")), (204, b""), 1),
        (saying(head("HTTP/1.1 304 As before", "Content-Length: 7")), (304, b""), 1),
        (saying(head("HTTP/1.1 100 Go on"), head("HTTP/1.1 103 Hints", "X: 1"), OK), (200, b"{}"), 1),
        (saying(reply(200, b"{}", "Connection: close")), (200, b"{}"), 2),
        (saying(head("HTTP/1.0 200 OK", "Content-Length: 2") + b"{}"), (200, b"{}"), 2),
        (and_close(head("HTTP/1.1 200 OK"), b"{", b"}"), (200, b"{}"), 2),
        (saying(head("HTTP/1.1 101 Other", "Upgrade: x", "Connection: upgrade") + b"x"), (101, b""), 2),
        (saying(head("HTTP/1.1 200", "Content-Length: 2") + b"{}"), (200, b"{}"), 1),
    ],
    ids=[
        *("length", "byte-by-byte", "chunks", "chunks-with-more", "no-content", "not-modified"),
        *("interim", "close", "http-1.0", "until-the-end", "another-protocol", "no-reason"),
    ],
)
def test_each_form_of_an_answer(said: Answer, expected: tuple[int, bytes], connections: int) -> None:
    assert twice(said) == (expected, expected, connections)


def test_headers_that_come_before_or_behind_an_answer_are_not_its_own() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        answer = await over.ask(Question("GET", loopback.base_url, {}), lambda: None)
        while await answer.piece():
            pass
        assert answer.headers == {"transfer-encoding": "chunked"}

    at_loopback(saying(head("HTTP/1.1 103 Hints", "X-Early: 1"), CHUNKED, b"2\r\n{}\r\n0\r\nX-Late: 1\r\n\r\n"), use)


def test_an_answer_to_head_has_no_body() -> None:
    assert twice(saying(head("HTTP/1.1 200 OK", "Content-Length: 7")), "HEAD") == ((200, b""), (200, b""), 2)


@pytest.mark.parametrize("late", [0, 0.01], ids=["with-it", "after-it"])
def test_what_stands_behind_an_answer_is_not_the_next_one(late: float) -> None:
    """An answer that nobody asked for may be somebody else's."""
    sent = asyncio.Event()

    async def two(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + (b"" if late else reply(200, b"[1]")))
        await writer.drain()
        if late:
            await asyncio.sleep(late)
            writer.write(reply(200, b"[1]"))
            await writer.drain()
        sent.set()

    assert twice(two, behind=sent) == ((200, b"{}"), (200, b"{}"), 2)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", aiohttp.ServerDisconnectedError),
        (b"HTTP/1.1 200 OK\r\nContent-Le", aiohttp.ServerDisconnectedError),
        (head("HTTP/1.1 200 OK", "Content-Length: 3") + b"{}", aiohttp.ClientPayloadError),
        (CHUNKED + b"2\r\n{}\r\n", aiohttp.ClientPayloadError),
        (CHUNKED + b"x\r\n", aiohttp.ClientPayloadError),
        (b"220 mail.test\r\n", aiohttp.ClientPayloadError),
        (head("HTTP/1.1 200 OK", "Content-Length: 2", "Transfer-Encoding: chunked"), aiohttp.ClientPayloadError),
        (head("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 3"), aiohttp.ClientPayloadError),
        (head("HTTP/1.1 200 OK", "X: " + "x" * 8_200), aiohttp.ClientPayloadError),
        (head("HTTP/1.1 200 OK", *(f"X-{n}: x" for n in range(MAX_FIELDS + 1))), aiohttp.ClientPayloadError),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (MAX_UNREAD_BYTES + 1), aiohttp.ClientPayloadError),
        (CHUNKED + b"2\r\n{}\r\n0\r\nX: " + b"x" * (MAX_UNREAD_BYTES + 2**18), aiohttp.ClientPayloadError),
    ],
    ids=[
        *("nothing", "half-a-head", "half-a-body", "no-last-chunk", "no-chunk", "no-http", "two-lengths-of-two-kinds"),
        *("two-lengths", "long-field", "many-fields", "endless-field", "endless-field-behind-the-body"),
    ],
)
def test_what_is_no_whole_answer_is_an_error_and_costs_the_connection(said: bytes, error: type[Exception]) -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> int:
        for _ in range(2):
            with pytest.raises(error):
                await ask(over, loopback)
        return loopback.connections

    assert at_loopback(and_close(said), use) == 2


def test_a_connection_that_is_reset_is_no_end_of_a_body() -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.write(head("HTTP/1.1 200 OK") + b"{")
        await writer.drain()
        await asyncio.sleep(0.05)
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        answer = await over.ask(Question("GET", loopback.base_url, {}), lambda: None)
        assert await answer.piece() == b"{"
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.piece()

    at_loopback(reset, use)


def test_a_provider_waits_until_its_answer_is_taken() -> None:
    whole = b"x" * 8 * 2**20
    sent = 0

    async def in_pieces(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(head("HTTP/1.1 200 OK", f"Content-Length: {len(whole)}"))
        for first in range(0, len(whole), 2**16):
            writer.write(whole[first : first + 2**16])
            await writer.drain()
            sent += 2**16

    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        answer = await over.ask(Question("GET", loopback.base_url, {}), lambda: None)
        assert isinstance(answer, HttpAnswer)
        await asyncio.sleep(0.2)
        held = sum(map(len, answer._pieces))
        assert MAX_WAITING_BYTES < held < 2 * MAX_WAITING_BYTES + 2**18
        assert sent < len(whole)
        body = b""
        while piece := await answer.piece():
            body += piece
        answer.close()
        assert body == whole
        # Nobody holds the connection back any more.
        assert len((await ask(over, loopback))[1]) == len(whole)
        assert loopback.connections == 1

    at_loopback(in_pieces, use)


def test_a_connection_is_not_given_back_while_it_is_held_back() -> None:
    """A transport may hand on what it had read before it was told to wait."""
    said: list[str] = []

    class Connection:
        """Of the transport too."""

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_: said.append(name)

        def is_closing(self) -> bool:
            return False

    connection: Any = Connection()
    connection.protocol, connection.transport = object(), connection
    answer = HttpAnswer(connection, "GET")
    size = MAX_WAITING_BYTES + 1
    answer.data_received(head("HTTP/1.1 200 OK", f"Content-Length: {size + 1}") + b"x" * size)
    answer.data_received(b"x")
    assert said == ["pause_reading", "resume_reading", "set_protocol", "release"]


def test_a_question_that_is_called_off_costs_its_connection() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        for _ in range(3):
            # More often than there are connections: none is lost.
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ask(over, loopback), 0.05)
        assert loopback.connections == 3

    at_loopback(None, use)


def test_a_client_that_is_closed_breaks_its_questions_off() -> None:
    arrived = asyncio.Event()

    async def never(writer: asyncio.StreamWriter) -> None:
        arrived.set()

    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        asking = asyncio.ensure_future(ask(over, loopback))
        await arrived.wait()
        await over.aclose()
        with pytest.raises(aiohttp.ClientError):
            await asking

    at_loopback(never, use, keeps_open=True)


@pytest.mark.parametrize(
    "said",
    [OK, b"", b"no", head("HTTP/1.1 200 OK", "Content-Length: 3"), reply(200, b"no", "Content-Encoding: gzip")],
    ids=["answer", "nothing", "no-http", "half-an-answer", "not-packed"],
)
def test_nothing_is_left_to_the_collector(said: bytes) -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> int:
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                with suppress(aiohttp.ClientError):
                    await ask(over, loopback)
                # The transport lets go of it when it is closed, a turn later.
                await asyncio.sleep(0.01)
            return sum(isinstance(one, HttpAnswer) for one in gc.get_objects())
        finally:
            gc.enable()

    assert at_loopback(and_close(said), use) == 0


# Packed all the same


def packed(body: bytes, coding: str) -> Answer:
    return saying(reply(200, body, f"Content-Encoding: {coding}"))


RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(b"{}"), "gzip"),
        (gzip.compress(b"{}"), "X-Gzip"),
        (zlib.compress(b"{}"), "deflate"),
        (RAW.compress(b"{}") + RAW.flush(), "deflate"),
        (b"{}", "identity"),
    ],
    ids=["gzip", "x-gzip", "deflate", "raw-deflate", "identity"],
)
def test_a_packed_answer_is_read(body: bytes, coding: str) -> None:
    assert twice(packed(body, coding)) == ((200, b"{}"), (200, b"{}"), 1)


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"no gzip", "gzip"),
        (gzip.compress(b"{}")[:-3], "gzip"),
        (gzip.compress(b"{}") + b"x", "gzip"),
        (b"\xff\xff", "deflate"),
        (b"{}", "br"),
        (gzip.compress(b"{}"), "gzip, br"),
    ],
    ids=["other", "breaks-off", "more", "no-deflate", "unknown", "two"],
)
def test_what_cannot_be_unpacked_is_told_as_such(body: bytes, coding: str) -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        with pytest.raises(ReplyUnreadable), foreign_errors(Provider.KLEN, "Sample CRM", CallKind.READ):
            await ask(over, loopback)

    at_loopback(packed(body, coding), use)


def test_what_a_small_answer_unpacks_to_comes_in_pieces() -> None:
    whole = b"x" * 4 * 2**20

    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        answer = await over.ask(Question("GET", loopback.base_url, {}), lambda: None)
        sizes = []
        while piece := await answer.piece():
            sizes.append(len(piece))
        answer.close()
        assert (sum(sizes), max(sizes)) == (len(whole), MAX_PIECE_BYTES)

    at_loopback(packed(gzip.compress(whole), "gzip"), use)
