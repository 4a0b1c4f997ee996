"""What no client of good will sends over a WebSocket: each is closed with a code that says why, without a stack."""

import asyncio
import socket as sockets
import struct
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from gateway.http.result import EventStream, GraphQLRequest
from tests.http.live import Live, closed, heard, say, until

pytestmark = pytest.mark.usefixtures("nothing_in_the_log")

INIT = '{"type": "connection_init"}'
SUBSCRIBE = '{{"id": "1", "type": "subscribe", "payload": {}}}'


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


MESSAGES = {
    "binary": INIT.encode(),
    "nothing": "",
    "no JSON": "hello",
    "cut JSON": INIT[:-1],
    "null": "null",
    "number": "1",
    "list": f"[{INIT}]",
    "text": '"connection_init"',
    "no type": "{}",
    "type null": '{"type": null}',
    "unknown type": '{"type": "start"}',
    "type of the older protocol": '{"type": "connection_terminate"}',
    "type of the server": '{"type": "connection_ack"}',
    "long type": f'{{"type": "{"x" * 500}"}}',
    "long type of other signs": f'{{"type": "{"ä" * 200}"}}',
    "type twice": '{"type": "ping", "type": "connection_init"}',
    "deep": f'{{"type": "ping", "payload": {{"a": {"[" * 10_000}{"]" * 10_000}}}}}',
    "over the depth": f'{{"type": "ping", "payload": {{"a": {"[" * 40}{"]" * 40}}}}}',
    "huge number": f'{{"type": "ping", "payload": {{"a": {"9" * 5000}e999}}}}',
    "NaN": '{"type": "ping", "payload": {"a": NaN}}',
    "lone surrogate": '{"type": "ping", "payload": {"a": "\\ud800"}}',
    "lone surrogate in the type": '{"type": "\\udfff"}',
    "NUL": '{"type": "ping\x00"}',
    "only NUL": "\x00",
    "payload is a list": '{"type": "ping", "payload": []}',
    "init with a text": '{"type": "connection_init", "payload": "x"}',
    "subscribe without id": '{"type": "subscribe", "payload": {"query": "{ __typename }"}}',
    "subscribe with a number as id": '{"id": 1, "type": "subscribe", "payload": {"query": "{ __typename }"}}',
    "subscribe with an empty id": '{"id": "", "type": "subscribe", "payload": {"query": "{ __typename }"}}',
    "subscribe without payload": '{"id": "1", "type": "subscribe"}',
    "subscribe without query": SUBSCRIBE.format("{}"),
    "subscribe with a list": SUBSCRIBE.format('[{"query": "{ __typename }"}]'),
    "subscribe with a number as query": SUBSCRIBE.format('{"query": 1}'),
    "subscribe with variables as text": SUBSCRIBE.format('{"query": "{ __typename }", "variables": "{}"}'),
    "complete without id": '{"type": "complete"}',
}


class TestMessages:
    @pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
    @pytest.mark.parametrize("acknowledged", [False, True], ids=["at first", "acknowledged"])
    def test_it_is_4400_with_a_reason(self, live: Live, message: Any, acknowledged: bool) -> None:
        async def test() -> None:
            async with live.socket() as socket:
                if acknowledged:
                    await say(socket, INIT)
                    await heard(socket)
                await say(socket, message)
                code, reason = await closed(socket)
                assert code == 4400
                assert 0 < len(reason.encode()) <= 123
                assert "Traceback" not in reason

        run(test())

    def test_text_that_is_no_utf_8_is_1007(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                await socket.send(b"\xff\xfe{}", text=True)
                assert (await closed(socket))[0] == 1007

        run(test())

    def test_text_in_fragments_that_is_no_utf_8_is_1007(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                await socket.send([b"\xc3", b"\x28"], text=True)
                assert (await closed(socket))[0] == 1007

        run(test())

    def test_a_letter_that_is_cut_by_a_fragment_is_read(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                whole = '{"type": "ping", "payload": {"a": "ä"}}'.encode()
                await socket.send([whole[:35], whole[35:]], text=True)
                assert await heard(socket) == {"type": "pong", "payload": {"a": "ä"}}

        run(test())

    def test_a_whole_number_of_many_digits_is_read(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, f'{{"type": "ping", "payload": {{"a": {"9" * 30}}}}}')
                told = await closed_or_heard(socket)
                assert told in ((4400,), ("pong",))

        run(test())


async def closed_or_heard(socket: Any) -> tuple[Any]:
    try:
        return ((await heard(socket))["type"],)
    except Exception:
        return ((await closed(socket))[0],)


class TestSize:
    @pytest.mark.parametrize("fragments", [1, 40])
    def test_a_message_that_is_too_large_is_1009(self, serve: Callable[..., Live], fragments: int) -> None:
        live = serve(max_body_bytes=4096)

        async def test() -> None:
            async with live.acknowledged() as socket:
                part = "x" * (1_000_000 // fragments)
                try:
                    await socket.send([part] * fragments if fragments > 1 else part)
                finally:
                    assert (await closed(socket))[0] == 1009

        run(test())

    def test_one_within_the_size_is_read(self, serve: Callable[..., Live]) -> None:
        live = serve(max_body_bytes=4096)

        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, {"type": "ping", "payload": {"a": "x" * 4000}})
                assert (await heard(socket))["type"] == "pong"

        run(test())

    def test_nothing_is_compressed(self, live: Live) -> None:
        """A small message could grow past every limit."""

        async def test() -> None:
            async with live.acknowledged(compression="deflate") as socket:
                assert socket.protocol.extensions == []

        run(test())


class Flood:
    """A subscription that has more to tell whenever it is asked; `told` counts how often it was."""

    def __init__(self, *, length: int = 10_000, times: int | None = None) -> None:
        self._body = {"data": {"a": "x" * length}}
        self._times = times
        self.told = 0
        self.ended = False

    async def __call__(self, _: GraphQLRequest) -> EventStream:
        return EventStream(self._events())

    async def _events(self) -> AsyncGenerator[dict[str, Any], None]:
        try:
            while self.told != self._times:
                self.told += 1
                yield self._body
            await asyncio.Event().wait()
        finally:
            self.ended = True


class TestSlowReaders:
    def test_who_does_not_read_is_cut_off_and_costs_little(self, serve: Callable[..., Live]) -> None:
        flood = Flood()
        live = serve(lambda services: replace(services, execute=flood), send_timeout_seconds=0.3)

        with raw_socket(live) as client:
            client.sendall(frame('{"id": "1", "type": "subscribe", "payload": {"query": "{ a }"}}'))

            run(until(lambda: flood.ended))
            # Both systems' own buffers, and one message.
            assert flood.told < 1_500
            told = flood.told
            # Nothing is left of the connection: what is still to be read ends in a reset, not in a wait for us.
            assert drained(client)
            assert flood.told == told

    def test_a_large_result_that_is_never_read_is_not_kept(self, serve: Callable[..., Live]) -> None:
        """Nothing more is sent, so that only the server's ping finds out."""
        flood = Flood(length=20_000_000, times=1)
        live = serve(lambda services: replace(services, execute=flood), ping_seconds=0.2)

        with raw_socket(live) as client:
            client.sendall(frame('{"id": "1", "type": "subscribe", "payload": {"query": "{ a }"}}'))
            run(until(lambda: flood.ended))

    def test_who_answers_no_ping_of_the_server_is_cut_off(self, serve: Callable[..., Live]) -> None:
        """Nothing comes and nothing goes: the line is dead, and the send time-out would never strike."""
        live = serve(ping_seconds=0.2)

        with raw_socket(live) as client:
            watch = "subscription { providerStatusChanged(providers: [KLEN]) { state } }"
            payload = f'{{"query": "{watch}"}}'
            client.sendall(frame(f'{{"id": "1", "type": "subscribe", "payload": {payload}}}'))
            run(until(lambda: live.listeners == 1))
            run(until(lambda: live.listeners == 0))
            assert drained(client)

    def test_who_answers_them_is_kept(self, serve: Callable[..., Live]) -> None:
        live = serve(ping_seconds=0.1)

        async def test() -> None:
            async with live.acknowledged() as socket:
                await asyncio.sleep(0.5)
                await say(socket, {"type": "ping"})
                assert await heard(socket) == {"type": "pong"}

        run(test())

    def test_pings_of_who_does_not_read_are_not_gathered(self, serve: Callable[..., Live]) -> None:
        live = serve(send_timeout_seconds=0.3)
        ping = frame('{"type": "ping", "payload": {"a": "' + "x" * 10_000 + '"}}')

        with raw_socket(live) as client:
            client.settimeout(10)
            sent = 0
            with suppress(ConnectionError):
                while sent < 100_000_000:
                    client.sendall(ping)
                    sent += len(ping)
            assert sent < 100_000_000


def raw_socket(live: Live) -> sockets.socket:
    """A connection that has been acknowledged and reads no more; its receive buffer is small."""
    client = sockets.socket()
    client.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 8192)
    client.connect(("127.0.0.1", live.port))
    client.sendall(
        b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    client.settimeout(10)
    assert b" 101 " in client.recv(1000)
    client.sendall(frame(INIT))
    assert b"connection_ack" in client.recv(1000)
    return client


def frame(text: str) -> bytes:
    """A masked text frame, its mask being zero."""
    body = text.encode()
    if len(body) < 126:
        return struct.pack("!BB", 0x81, 0x80 | len(body)) + bytes(4) + body
    return struct.pack("!BBH", 0x81, 0xFE, len(body)) + bytes(4) + body


def drained(client: sockets.socket) -> bool:
    """Whether the connection ends while nothing is sent any more."""
    client.settimeout(10)
    try:
        while client.recv(1_000_000):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True
