"""One request and its answer as the connection sees them: what is written, in how many pieces, and what stays of it."""

import asyncio
import gc
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.http.client import Client
from gateway.http.client_gone import while_there
from gateway.http.graphql_request import read_parameters
from gateway.http.incoming import Incoming
from gateway.http.refusal import RequestRefused
from gateway.http.settings import HttpSettings
from tests.http.lines import App, Line
from tests.http.sockets import get, post

START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
BODY: Message = {"type": "http.response.body", "body": b"ok"}
CHUNKED, EMPTY, CLOSE = (b"Transfer-Encoding", b"CHUNKED"), (b"content-length", b"0"), (b"connection", b"x, Close")


def answering(*messages: Message) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


def started(*headers: tuple[bytes, bytes], status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def piece(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


class TestWrites:
    def test_an_answer_in_one_piece_is_one_write(self) -> None:
        async def test() -> None:
            line = Line(answering(START, BODY))
            for _ in range(2):
                answer = await line.ask(get())
                assert answer == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
                assert len(line.transport.writes) == 1

        asyncio.run(test())

    def test_a_large_one_is_not_copied_for_that(self) -> None:
        async def test() -> None:
            large = b"x" * 1_000_000
            line = Line(answering(started((b"content-length", b"1000000")), piece(large)))
            await line.ask(get())
            assert line.transport.writes[1] is large

        asyncio.run(test())

    def test_pieces_go_out_as_they_come(self) -> None:
        async def test() -> None:
            line = Line(answering(started(), piece(b"a" * 17, more=True), piece(b"", more=True), piece(b"b")))
            await line.ask(get())
            head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            assert line.transport.writes == [head + b"11\r\n" + b"a" * 17 + b"\r\n", b"1\r\nb\r\n0\r\n\r\n"]

        asyncio.run(test())

    def test_of_one_that_breaks_off_before_its_body_the_head_goes_out(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            line = Line(answering(START))
            assert await line.ask(get()) == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"
            assert line.transport.closed

        asyncio.run(test())
        assert "without completing response" in caplog.text

    @pytest.mark.parametrize(
        ("status", "request_", "headers", "told"),
        [
            (204, get(), [], b"204 No Content\r\n\r\n"),
            (304, get(), [], b"304 Not Modified\r\n\r\n"),
            (200, get().replace(b"GET", b"HEAD"), [], b"200 OK\r\n\r\n"),
            (200, get(), [CHUNKED], b"200 OK\r\ntransfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n"),
            (200, get(), [CLOSE, EMPTY], b"200 OK\r\nconnection: x, Close\r\ncontent-length: 0\r\n\r\n"),
            (
                200,
                get(b"/", b"Connection: close"),
                [EMPTY],
                b"200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            ),
        ],
        ids=["204", "304", "HEAD", "chunks of the application", "its close", "the client's close"],
    )
    def test_how_an_answer_ends_stands_in_its_head(
        self, status: int, request_: bytes, headers: list[tuple[bytes, bytes]], told: bytes
    ) -> None:
        async def test() -> None:
            line = Line(answering(started(*headers, status=status), piece(b"")))
            assert await line.ask(request_) == b"HTTP/1.1 " + told
            assert line.transport.closed == (b"lose" in told)

        asyncio.run(test())


def test_a_body_is_not_asked_for_in_the_middle_of_an_answer() -> None:
    """Whoever reads it late, or waits for its client to leave, would write 100 Continue among its pieces."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await receive()
        await send(BODY)

    async def test() -> None:
        line = Line(app)
        answer = await line.ask(post(b"{}", b"Expect: 100-continue"))
        assert answer == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

    asyncio.run(test())


def test_whoever_still_reads_hears_that_the_answer_is_complete() -> None:
    heard: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        reading = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        await send(START)
        await send(BODY)
        async with asyncio.timeout(1):
            heard.append(await reading)

    async def test() -> None:
        await Line(app).ask(post(b"{}"))

    asyncio.run(test())
    assert heard == [{"type": "http.disconnect"}]


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_connection_lingers_for_what_is_still_on_its_way_alone(is_whole: bool) -> None:
    async def test() -> None:
        line = Line(answering(START, BODY))
        request = post(b"{}", b"Connection: close")
        assert b"connection: close" in await line.ask(request if is_whole else request[:-1])
        assert (line.transport.closed, line.transport.half_closed) == (is_whole, not is_whole)
        line.leave()

    asyncio.run(test())


class TestMistakesOfAnApplication:
    """None of them reaches the client as something that could be taken for a whole answer."""

    @pytest.mark.parametrize(
        "messages",
        [
            (BODY,),
            (START, START),
            (START, BODY, BODY),
            (START, piece(b"too long")),
            (START, piece(b"x")),
            (started((b"x", b"a\r\nSet-Cookie: b"), (b"content-length", b"2")), BODY),
            (started((b"x\r\ny", b"a"), (b"content-length", b"2")), BODY),
        ],
        ids=["no head", "two heads", "more than all", "longer", "shorter", "a line in a value", "a line in a name"],
    )
    def test_it_is_told_and_the_connection_ends(
        self, messages: tuple[Message, ...], caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test() -> None:
            for _ in range(2):
                caplog.clear()
                line = Line(answering(*messages))
                answer = await line.ask(get())
                assert line.transport.closed
                assert b"Cookie" not in answer
                assert b"too long" not in answer
                assert "RuntimeError" in caplog.text

        asyncio.run(test())


class TestMemory:
    def test_nothing_of_a_request_is_left_for_the_garbage_collector(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send(START)
            await send(BODY)

        async def left() -> int:
            line = Line(app)
            request = post(b"{}")
            await line.ask(request, request)
            gc.collect()
            for _ in range(10):
                await line.ask(request)
            return gc.collect()

        gc.disable()
        try:
            # More than once, since now and then it is something of another thread.
            assert min(asyncio.run(left()) for _ in range(3)) == 0
        finally:
            gc.enable()


def working(ended: list[object], *, after_turns: int = 0) -> App:
    """Works while its client is there, and notes how that ended."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(after_turns):
            await asyncio.sleep(0)
        try:
            await while_there(Incoming(scope, receive), asyncio.sleep(60))
        except RequestRefused as refused:
            ended.append(refused.message)
        except BaseException as ending:
            ended.append(type(ending))

    return app


class TestTheClient:
    @pytest.mark.parametrize(
        ("pieces", "is_all_here"),
        [
            ([get()], True),
            ([post(b"{}")], True),
            ([post(b"{}")[:-1]], False),
            ([post(b"{}")[:-1], b"}"], True),
            ([post(b"{}", b"Expect: 100-continue")], False),
            ([post(b"{}", b"Expect: 100-CONTINUE")], False),
            ([post(b"{}", b"Transfer-Encoding: chunked", framed=False)[:-2] + b"2\r\n{}\r\n"], False),
        ],
        ids=["GET", "POST", "a part", "in two pieces", "has to be asked for", "in capitals", "a chunk"],
    )
    def test_it_is_known_whether_all_of_a_request_is_here(self, pieces: list[bytes], is_all_here: bool) -> None:
        seen: list[bool] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(Incoming(scope, receive).client is not None)

        async def test() -> None:
            line = Line(app)
            await line.ask(*pieces)

        asyncio.run(test())
        assert seen == [is_all_here]

    @pytest.mark.parametrize("request_", [get(), post(b"{}"), post(b"{}", b"Expect: 100-continue")])
    def test_work_ends_when_it_leaves(self, request_: bytes) -> None:
        ended: list[object] = []

        async def test() -> None:
            line = Line(working(ended))
            line.connection.data_received(request_)
            for _ in range(3):
                await asyncio.sleep(0)
            assert ended == []
            line.leave()
            await line.ask()

        asyncio.run(test())
        assert ended == ["The request broke off."]

    def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one(self) -> None:
        refusals: list[str] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            with pytest.raises(RequestRefused) as refused:
                await read_parameters(Incoming(scope, receive), HttpSettings())
            refusals.append(refused.value.message)

        async def test() -> None:
            for ending in (b"zz\r\n", None):
                line = Line(app)
                body = b'{"query": "{ a }"}'
                head = post(b"", b"Transfer-Encoding: chunked", framed=False)
                line.connection.data_received(head + b"%x\r\n%b\r\n" % (len(body), body))
                for _ in range(3):
                    await asyncio.sleep(0)
                if ending is None:
                    line.leave()
                    await line.ask()
                else:
                    await line.ask(ending)

        asyncio.run(test())
        assert refusals == ["The request broke off."] * 2

    def test_so_it_does_when_it_had_left_before(self) -> None:
        ended: list[object] = []

        async def test() -> None:
            line = Line(working(ended, after_turns=1))
            line.connection.data_received(get())
            await asyncio.sleep(0)
            line.leave()
            await line.ask()

        asyncio.run(test())
        assert ended == ["The request broke off."]

    def test_it_may_leave_after_the_work(self) -> None:
        ended: list[object] = []

        async def work() -> str:
            return "done"

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            ended.append(await while_there(Incoming(scope, receive), work()))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            ended.append("not cancelled")

        async def test() -> None:
            line = Line(app)
            line.connection.data_received(get())
            await asyncio.sleep(0)
            line.leave()
            await line.ask()

        asyncio.run(test())
        assert ended == ["done", "not cancelled"]

    def test_who_else_cancels_is_not_taken_for_it(self) -> None:
        ended: list[object] = []

        async def test() -> None:
            line = Line(working(ended))
            line.connection.data_received(get())
            await asyncio.sleep(0)
            (task,) = line.connection.tasks
            task.cancel()
            await line.ask()

        asyncio.run(test())
        assert ended == [asyncio.CancelledError]

    def test_it_is_read_from_while_somebody_wants_to_hear(self) -> None:
        """Else nobody would see that nothing comes any more."""
        told: list[str] = []

        class Reading:
            def resume_reading(self) -> None:
                told.append("resumed")

        client = Client(Reading(), lambda _: None)
        client.when_left(lambda: told.append("left"))
        client.leave()
        client.leave()

        assert told == ["resumed", "left"]


def test_an_answer_to_a_body_that_nobody_wants_is_not_lost_to_it() -> None:
    """The rest of it is read while the connection lingers, or its sender would never come to the answer."""

    async def test() -> None:
        line = Line(answering(START, BODY))
        assert await line.ask(post(b"", b"Content-Length: 200000", framed=False) + b"x" * 100_000)
        assert (line.transport.half_closed, line.transport.is_read_from) == (True, True)
        assert await line.ask(b"x" * 100_000 + get()) == b""
        line.leave()

    asyncio.run(test())


@pytest.mark.parametrize("behind", [get(), get() * 100], ids=["a request", "many"])
def test_nor_is_the_last_one_to_what_came_behind_its_request(behind: bytes) -> None:
    """Closing at once would make the system take it back."""

    async def test() -> None:
        line = Line(answering(started(CLOSE, EMPTY), piece(b"")))
        assert (await line.ask(get() + behind)).count(b"200 OK") == 1
        assert (line.transport.closed, line.transport.half_closed) == (False, True)
        assert await line.ask(get()) == b""
        line.leave()

    asyncio.run(test())


def test_who_takes_what_waited_is_not_cut_off_later() -> None:
    async def test() -> None:
        line = Line(answering(START, BODY), write_timeout_seconds=0.01)
        line.connection.pause_writing()
        line.connection.resume_writing()
        await asyncio.sleep(0.03)
        assert not line.transport.closed
        line.leave()

    asyncio.run(test())


def test_a_request_that_has_begun_ends_the_rest_of_its_connection() -> None:
    async def test() -> None:
        line = Line(answering(START, BODY), keep_alive_seconds=0.01)
        assert await line.ask(get())
        line.connection.data_received(get()[:-5])
        await asyncio.sleep(0.03)
        assert not line.transport.closed
        assert await line.ask(get()[-5:])
        line.leave()

    asyncio.run(test())


def test_a_connection_rests_from_its_last_answer_on() -> None:
    async def test() -> None:
        line = Line(answering(START, BODY), keep_alive_seconds=0.06)
        for _ in range(3):
            assert await line.ask(get())
            await asyncio.sleep(0.03)
            assert not line.transport.closed
        await asyncio.sleep(0.06)
        assert line.transport.closed
        line.leave()

    asyncio.run(test())


def test_a_connection_does_not_rest_while_a_request_that_waited_is_answered() -> None:
    async def test() -> None:
        may_end = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/slow":
                await may_end.wait()
            await answering(START, BODY)(scope, receive, send)

        line = Line(app, keep_alive_seconds=0.01)
        # Longer than what is parsed at once, so that the slow one is read when all before it are answered.
        quick = get(b"/quick", b"X-Long: " + b"x" * 3_000)
        line.connection.data_received(quick * 3 + get(b"/slow"))
        await asyncio.sleep(0.03)
        assert not line.transport.closed
        may_end.set()
        assert (await line.ask()).endswith(b"ok")
        await asyncio.sleep(0.03)
        assert line.transport.closed
        line.leave()

    asyncio.run(test())


def test_a_connection_that_is_gone_is_held_by_no_timer() -> None:
    async def test() -> None:
        line = Line(answering(START, BODY))
        assert await line.ask(get())
        timer = line.connection._idle_alarm._handle
        assert timer is not None
        line.leave()
        assert timer.cancelled()

    asyncio.run(test())


def test_an_empty_line_behind_a_request_takes_its_answer_from_nobody() -> None:
    async def test() -> None:
        may_end = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await may_end.wait()
            await answering(START, BODY)(scope, receive, send)

        line = Line(app, header_timeout_seconds=0.01)
        line.connection.data_received(get())
        line.connection.data_received(b"\r\n")
        await asyncio.sleep(0.03)
        assert not line.transport.closed
        may_end.set()
        assert (await line.ask()).endswith(b"ok")
        line.leave()

    asyncio.run(test())


def test_whoever_reads_hears_of_its_leaving_with_others_queued() -> None:
    heard: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        async with asyncio.timeout(1):
            heard.append(await receive())

    async def test() -> None:
        line = Line(app)
        line.connection.data_received(get() + get())
        await asyncio.sleep(0)
        line.leave()
        await line.ask()

    asyncio.run(test())
    assert heard == [{"type": "http.disconnect"}]


def test_nobody_is_told_to_hurry_after_it_has_left() -> None:
    asked: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])

    async def test() -> None:
        line = Line(app, header_timeout_seconds=0.01)
        line.connection.data_received(get()[:-5])
        line.leave()
        await asyncio.sleep(0.03)

    asyncio.run(test())
    assert asked == []


def test_an_application_gets_the_path_with_and_without_its_escapes() -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["path"], scope["raw_path"], scope["query_string"], scope["http_version"]))

    async def test() -> None:
        await Line(app).ask(get(b"/a%20b?c=%20"))

    asyncio.run(test())
    assert seen == [("/a b", b"/a%20b", b"c=%20", "1.1")]


@pytest.mark.parametrize(
    "header", [b"Host: localhost\r\nConnection: keep-alive\r\n", b""], ids=["keep-alive", "no host"]
)
def test_http_1_0_needs_no_host_and_is_closed_in_any_case(header: bytes) -> None:
    async def test() -> None:
        line = Line(answering(START, BODY))
        answer = await line.ask(b"GET / HTTP/1.0\r\n" + header + b"\r\n")
        assert answer == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
        assert line.transport.closed

    asyncio.run(test())


@pytest.mark.parametrize("messages", [(START, BODY), (START,), ()], ids=["whole", "its head", "nothing"])
def test_nothing_is_sent_to_who_has_left_and_what_it_had_queued_never_begins(
    messages: tuple[Message, ...], caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[str] = []

    async def test() -> None:
        may_end = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            begun.append(scope["path"])
            await may_end.wait()
            await answering(*messages)(scope, receive, send)

        line = Line(app)
        line.connection.data_received(get(b"/running") + get(b"/queued"))
        await asyncio.sleep(0)
        line.leave()
        may_end.set()
        assert await line.ask() == b""

    asyncio.run(test())
    assert (begun, caplog.text) == (["/running"], "")


def test_a_request_begins_when_the_one_before_it_is_answered() -> None:
    """Else a quick answer would be taken for that to the slow request before it."""
    begun: list[str] = []

    async def test() -> None:
        first_may_end = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            begun.append(scope["path"])
            if scope["path"] == "/slow":
                await first_may_end.wait()
            await answering(START, BODY)(scope, receive, send)

        line = Line(app)
        line.connection.data_received(get(b"/slow") + get(b"/quick"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert begun == ["/slow"]
        first_may_end.set()
        assert (await line.ask()).count(b"HTTP/1.1 200 OK") == 2

    asyncio.run(test())
    assert begun == ["/slow", "/quick"]
