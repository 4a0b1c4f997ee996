"""One answer, from the first byte of its head until its connection is given back, or closed.

llhttp reads it (RFC 9112), as leniently as aiohttp lets it read an answer.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import aiohttp
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway.upstream.unpacking import Unpacking, unpacking_for

MAX_FIELDS = 128
MAX_FIELD_BYTES = 8190
# Neither a head nor what stands between two pieces of a body may take more, finished or not.
MAX_UNREAD_BYTES = 512 * 1024
# From here on the provider has to wait until somebody takes what has come.
MAX_WAITING_BYTES = 256 * 1024

_LOST: Final = "The connection was closed before the answer had come whole."


class OutOfTime(Exception):
    """The time that whoever asked has given is over. No OSError: it tells nothing of the connection."""


class HttpAnswer(asyncio.Protocol):
    """`headers` have names in lower case, those of one name stand together (RFC 9110, section 5.3). After `seconds` it
    fails, unless all of it has come."""

    def __init__(self, connection: aiohttp.connector.Connection, method: str, seconds: float | None = None) -> None:
        self.status = 0
        self._fields: dict[str, str] = {}
        self.headers: Mapping[str, str] = self._fields
        self._connection: aiohttp.connector.Connection | None = connection
        # aiohttp's own, which has the connection while nobody uses it.
        self._owner = connection.protocol
        self._transport = connection.transport
        self._has_body = method != "HEAD"
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._pieces: list[bytes] = []
        self._waiting_bytes = self._unread_bytes = 0
        self._unpacking: Unpacking | None = None
        self._news: asyncio.Future[None] | None = None
        # At most one, taken out by whoever raises it: its frames lead back to here.
        self._failures: list[aiohttp.ClientError | OutOfTime] = []
        self._over = self._may_be_kept = self._is_paused = False
        # In the place of asyncio.timeout around whoever waits, which takes five times as long.
        self._alarm = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self._is_late)

    async def begun(self) -> None:
        """
        Raises:
            aiohttp.ClientError: no head came.
            OutOfTime: none came in time.
        """
        while not self.status:
            if self._failures:
                raise self._failures.pop()
            await self._something_came()
        self._unpacking = unpacking_for(self.headers)

    async def piece(self) -> bytes:
        """What has come of the body next, without its compression; empty at its end.

        Raises:
            aiohttp.ClientError: the rest does not come, or cannot be unpacked.
            OutOfTime: the rest does not come in time.
        """
        return await (self._packed_piece() if self._unpacking is None else self._unpacking.piece(self._packed_piece))

    def close(self) -> None:
        """Of a body that was not read to its end the connection is closed too."""
        self._give_back(whole=False)

    async def _packed_piece(self) -> bytes:
        while not self._pieces:
            if self._failures:
                raise self._failures.pop()
            if self._over:
                return b""
            await self._something_came()
        piece = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._waiting_bytes = 0
        if self._is_paused:
            self._go_on()
        return piece

    async def _something_came(self) -> None:
        self._news = asyncio.get_running_loop().create_future()
        await self._news

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    # What the transport says

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            return
        self._unread_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            # A 101 that nobody asked for: an answer without a body, behind which another language is spoken.
            self._may_be_kept = False
        except HttpParserError as error:
            self._may_be_kept = False
            if not self._over:
                self._fail(aiohttp.ClientPayloadError(f"No HTTP: {error}"))
        if self._over:
            self._give_back(whole=True)
        elif self._unread_bytes > MAX_UNREAD_BYTES:
            self._fail(aiohttp.ClientPayloadError("Too much that is no body."))
        elif self._waiting_bytes > MAX_WAITING_BYTES and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self._owner is not None:
            self._owner.connection_lost(error)
        if self._over or self._connection is None:
            return
        if error is None and self.status and self._ends_with_the_connection():
            self._over = True
            self._tell()
            self._give_back(whole=False)
        elif self.status:
            self._fail(aiohttp.ClientPayloadError(_LOST))
        elif isinstance(error, OSError):
            self._fail(aiohttp.ClientOSError(*error.args))
        else:
            self._fail(aiohttp.ServerDisconnectedError())

    # What the parser says

    def on_message_begin(self) -> None:
        if self._over:
            raise ValueError("something stands behind the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status:
            # Behind a body in chunks.
            return
        if len(name) + len(value) > MAX_FIELD_BYTES or len(self._fields) >= MAX_FIELDS:
            raise ValueError("the head is too large")
        key = name.decode("utf-8", "surrogateescape").lower()
        text = value.strip().decode("utf-8", "surrogateescape")
        self._fields[key] = f"{self._fields[key]}, {text}" if key in self._fields else text

    def on_headers_complete(self) -> None:
        self._unread_bytes = 0
        status = self._parser.get_status_code() if self._parser is not None else 0
        if 100 <= status < 200 and status != 101:
            # One before the answer.
            self._fields.clear()
            return
        self.status = status
        self._over = not self._has_body
        self._tell()

    def on_body(self, piece: bytes) -> None:
        self._unread_bytes = 0
        self._pieces.append(piece)
        self._waiting_bytes += len(piece)
        self._tell()

    def on_message_complete(self) -> None:
        if self.status and self._parser is not None:
            self._over, self._may_be_kept = True, self._parser.should_keep_alive()
            self._tell()

    def _ends_with_the_connection(self) -> bool:
        """RFC 9112, section 6.3."""
        return "content-length" not in self.headers and "chunked" not in self.headers.get("transfer-encoding", "")

    def _is_late(self) -> None:
        self._fail(OutOfTime())

    def _fail(self, failure: aiohttp.ClientError | OutOfTime) -> None:
        self._failures.append(failure)
        self._tell()
        self._give_back(whole=False)

    def _go_on(self) -> None:
        self._is_paused = False
        if self._connection is not None and self._transport is not None:
            self._transport.resume_reading()

    def _give_back(self, *, whole: bool) -> None:
        connection, self._connection = self._connection, None
        # They lead back to here.
        self._parser = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if connection is None:
            return
        transport, owner = self._transport, self._owner
        if not (whole and self._may_be_kept) or transport is None or owner is None or transport.is_closing():
            connection.close()
            return
        if self._is_paused:
            transport.resume_reading()
        transport.set_protocol(owner)
        connection.release()
