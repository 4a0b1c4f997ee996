"""One request on a connection and its answer, from uvicorn's side: what it reads, and the bytes that go out.

Beside what uvicorn's own cycle does:

- The head of an answer waits for the first piece of its body, and both are one write. ASGI asks for that (HTTP
  specification, "Response Start"), and most answers are one piece: a second write is a second packet.
- The end of an answer goes out with those of others that end in its turn (`gateway.http.outlet`).
- A header that has gone out before is not looked at and written anew: all but three of an answer's are always the same.
- An answer before the end of its request's body is the last one of the connection.
"""

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from starlette.types import Message
from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

from gateway.http.client import CLIENT, Client

if TYPE_CHECKING:
    from gateway.http.connection import Connection

_FRAMING: Final = (b"content-length", b"transfer-encoding", b"connection")
# What is larger is many packets anyway, and takes longer to copy than to write by itself.
_COPIED_BYTES: Final = 65_536
_MAX_REMEMBERED_HEADERS: Final = 512


class Exchange(RequestResponseCycle):
    def __init__(self, connection: "Connection", scope: Any, *, keep_alive: bool, expects_continue: bool) -> None:
        self._outgoing = _Outgoing(connection)
        super().__init__(
            scope=scope,
            transport=self._outgoing,  # type: ignore[arg-type]  # it has what the cycle uses
            flow=connection.flow,
            logger=connection.logger,
            access_logger=connection.access_logger,
            access_log=connection.access_log,
            default_headers=connection.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=expects_continue,
            keep_alive=keep_alive,
            on_response=connection.on_response_complete,
        )
        self.client = scope[CLIENT] = Client(connection.flow, connection.loop.call_soon)
        # Whoever reads the body is told that it broke off, and answers.
        self.is_broken = False

    def came_whole(self) -> None:
        """The request, to its last byte."""
        self._outgoing.request_came = True
        # Whoever reads it has to ask for it first where its client waits for that.
        self.client.is_all_here = not self.waiting_for_100_continue

    def leave(self) -> None:
        """Its client has: nothing is read or sent any more, and whoever works for it is told."""
        self.disconnected = True
        self.message_event.set()
        self.client.leave()

    async def receive(self) -> Any:
        message = await super().receive()
        return {"type": "http.disconnect"} if self.is_broken else message

    async def send(self, message: Any) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if not self.disconnected:
            self._take(message)
        if self.disconnected:
            # Sending to nobody never waits; whoever makes up a stream has to get the chance to be stopped.
            await asyncio.sleep(0)

    def _take(self, message: Message) -> None:
        expected = "http.response.body" if self.response_started else "http.response.start"
        if message["type"] != expected or self.response_complete:
            raise RuntimeError(f"The application sent {message['type']} out of turn.")
        if self.response_started:
            self._go_on(message.get("body", b""), more=message.get("more_body", False))
        else:
            self._begin(message["status"], message.get("headers", ()))

    def _begin(self, status: int, headers: Any) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        if self.more_body:
            self.keep_alive = False
        lines, is_told = [STATUS_LINE[status]], False
        for name, value in (*self.default_headers, *headers):
            line, framing = _written(name, value)
            lines.append(line)
            if framing:
                is_told |= self._closes(framing, value)
        if not self.keep_alive and not is_told:
            lines.append(b"connection: close\r\n")
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in (204, 304):
            self.chunked_encoding = True
            lines.append(b"transfer-encoding: chunked\r\n")
        lines.append(b"\r\n")
        self._outgoing.hold(b"".join(lines))

    def _closes(self, name: bytes, value: bytes) -> bool:
        """Notes what the application says of how its answer ends; whether it ends the connection, too."""
        if name == b"content-length" and self.chunked_encoding is None:
            self.expected_content_length, self.chunked_encoding = int(value), False
        elif name == b"transfer-encoding" and value.lower() == b"chunked":
            self.expected_content_length, self.chunked_encoding = 0, True
        elif name == b"connection" and b"close" in [token.strip() for token in value.lower().split(b",")]:
            self.keep_alive = False
            return True
        return False

    def _go_on(self, body: bytes, *, more: bool) -> None:
        if self.scope["method"] == "HEAD":
            self.expected_content_length, piece = 0, b""
        elif self.chunked_encoding:
            piece = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
        else:
            piece = body
            if len(body) > self.expected_content_length:
                raise RuntimeError("Response content longer than Content-Length")
            self.expected_content_length -= len(body)
        self._outgoing.write(piece, soon=not more)
        if not more:
            self._end()

    def _end(self) -> None:
        if self.expected_content_length != 0:
            raise RuntimeError("Response content shorter than Content-Length")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


class _Outgoing:
    """The transport as an answer sees it: closing is the connection's matter. It does not know its exchange, so that
    nothing of an answer is left for the garbage collector."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._held = b""
        self.request_came = False

    def hold(self, head: bytes) -> None:
        """Until something else is written, or an answer without anything breaks off."""
        self._held = head

    def write(self, data: bytes, *, soon: bool = False) -> None:
        """`soon` may be later in this turn of the event loop."""
        outlet = self._connection.outlet
        held, self._held = self._held, b""
        if len(data) <= _COPIED_BYTES:
            (outlet.write_soon if soon else outlet.write)(held + data)
            return
        if held:
            outlet.write(held)
        outlet.write(data)

    def is_closing(self) -> bool:
        return self._connection.transport.is_closing()

    def close(self) -> None:
        if self._held:
            self.write(b"")
        self._connection.part(everything_came=self.request_came)


@lru_cache(maxsize=_MAX_REMEMBERED_HEADERS)
def _written(name: bytes, value: bytes) -> tuple[bytes, bytes | None]:
    """Its line, and its name in lower case where it says how the answer ends.

    Raises:
        RuntimeError: for one that could break out of its line. Nothing is remembered of it.
    """
    if HEADER_RE.search(name):
        raise RuntimeError("Invalid HTTP header name.")
    if HEADER_VALUE_RE.search(value):
        raise RuntimeError("Invalid HTTP header value.")
    name = name.lower()
    return b"%b: %b\r\n" % (name, value), name if name in _FRAMING else None
