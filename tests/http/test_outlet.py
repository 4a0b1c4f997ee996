"""Answers that a turn of the event loop made go out at its end, in order, and before their connection is closed."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar

import pytest
from starlette.types import Receive, Scope, Send

from gateway.http.connection import Connection
from gateway.http.outlet import Outlet, Turn
from tests.http.lines import Line, Memory
from tests.http.sockets import get
from tests.http.test_exchange import BODY, START, piece, started
from tests.http.test_websocket_refusals import handshake

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def test_what_a_turn_made_goes_out_at_its_end() -> None:
    async def test() -> None:
        turn, loop = Turn(), asyncio.get_running_loop()
        transports = [Memory() for _ in range(3)]
        outlets = [Outlet(transport, turn, loop) for transport in transports]
        for outlet in outlets[:2]:
            outlet.write_soon(b"one")
        outlets[0].write_soon(b"two")
        assert [transport.writes for transport in transports] == [[], [], []]
        await asyncio.sleep(0)
        assert [transport.writes for transport in transports] == [[b"onetwo"], [b"one"], []]
        outlets[2].write_soon(b"three")
        await asyncio.sleep(0)
        assert [transport.writes for transport in transports] == [[b"onetwo"], [b"one"], [b"three"]]

    asyncio.run(test())


def test_what_is_set_off_by_going_out_is_in_nobodys_name() -> None:
    """An alarm for a client that does not read would hold on to the request of whoever came first in its turn."""
    request, seen = ContextVar("request", default="nobody's"), list[str]()

    class Full(Memory):
        def write(self, data: bytes) -> None:
            seen.append(request.get())

    async def test() -> None:
        request.set("somebody's")
        Outlet(Full(), Turn(), asyncio.get_running_loop()).write_soon(b"an answer")
        await asyncio.sleep(0)
        assert seen == ["nobody's"]

    asyncio.run(test())


def test_nothing_overtakes_what_waits() -> None:
    async def test() -> None:
        transport = Memory()
        outlet = Outlet(transport, Turn(), asyncio.get_running_loop())
        outlet.write_soon(b"first")
        outlet.write(b"second")
        assert transport.writes == [b"first", b"second"]
        await asyncio.sleep(0)
        assert transport.writes == [b"first", b"second"]

    asyncio.run(test())


def test_nothing_goes_to_one_that_is_closed() -> None:
    async def test() -> None:
        gone, there, turn = Memory(), Memory(), Turn()
        for transport in (gone, there):
            Outlet(transport, turn, asyncio.get_running_loop()).write_soon(b"an answer")
        gone.abort()
        await asyncio.sleep(0)
        assert (gone.writes, there.writes) == ([], [b"an answer"])

    asyncio.run(test())


def test_nothing_comes_behind_the_end_and_others_get_theirs_all_the_same() -> None:
    async def test() -> None:
        over, there, turn = Memory(), Memory(), Turn()
        outlets = [Outlet(transport, turn, asyncio.get_running_loop()) for transport in (over, there)]
        outlets[0].write_soon(b"an answer")
        outlets[0].end()
        outlets[0].write(b" and more")
        for outlet in outlets:
            outlet.write_soon(b"another answer")
        await asyncio.sleep(0)
        assert (over.writes, there.writes) == ([b"an answer"], [b"another answer"])
        assert over.half_closed

    asyncio.run(test())


def test_answers_to_requests_behind_one_another_stay_in_their_order() -> None:
    """The second is in pieces, which go out as they come."""
    parts = [started(), piece(b"a", more=True), piece(b"b")]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in parts if scope["path"] == "/parts" else [START, BODY]:
            await send(message)

    async def test() -> None:
        line = Line(app)
        in_parts = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
        assert await line.ask(get() + get(b"/parts") + get()) == OK + in_parts + OK

    asyncio.run(test())


@pytest.mark.parametrize(
    "end",
    [Connection.shutdown, Connection._head_is_late, lambda line: line._idle_alarm._ring()],
    ids=["the server ends", "the next head is late", "the connection rests"],
)
def test_an_answer_is_out_before_its_connection_is_closed(end: Callable[[Connection], None]) -> None:
    """Nothing else runs between its last byte and the end."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(BODY)
        before.append(line.transport.written)
        end(line.connection)

    async def test() -> None:
        nonlocal line
        line = Line(app)
        assert await line.ask(get()) == OK
        assert (before, line.transport.closed) == ([b""], True)

    line: Line
    before: list[bytes] = []
    asyncio.run(test())


def test_an_answer_is_out_before_a_websocket_takes_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for by a client that did not wait for it."""
    handed_over: list[bytes] = []
    monkeypatch.setattr(Connection, "_should_upgrade", lambda _: True)
    monkeypatch.setattr(Connection, "handle_websocket_upgrade", lambda line: handed_over.append(line.transport.written))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(BODY)
        line.connection.data_received(handshake())

    async def test() -> None:
        nonlocal line
        line = Line(app)
        await line.ask(get())
        assert handed_over == [OK]

    line: Line
    asyncio.run(test())


def test_an_answer_is_out_before_one_that_breaks_off_behind_it_ends_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """More was asked behind it, so that the connection is only half closed at first."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/first":
            await asyncio.Event().wait()
        await send(START)
        await send(BODY)
        raise KeyError

    async def test() -> None:
        line = Line(app)
        line.connection.data_received(get(b"/first") + get() + get())
        await asyncio.wait(set(line.connection.tasks), return_when=asyncio.FIRST_COMPLETED)
        assert (line.transport.writes, line.transport.half_closed) == ([OK], True)
        line.leave()

    asyncio.run(test())
    assert "KeyError" in caplog.text
