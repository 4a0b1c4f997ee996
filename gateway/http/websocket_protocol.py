"""The server's side of a WebSocket connection: uvicorn's, and what it leaves open when a client behaves badly."""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_GOING_AWAY = 1001
_INVALID_TEXT = 1007
# For a close frame to arrive, and its answer to come back.
_GOODBYE_SECONDS = 2.0


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Written for uvicorn 0.54; a test of its own stands for every method here."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.close_timeout = _GOODBYE_SECONDS

    def data_received(self, data: bytes) -> None:
        """Expected: a message that is too large is closed by 1009, as the client reads. Actual: the socket is closed
        at once, and what of the message is still unread makes the system reset it, so that the client sees 1006."""
        if self.conn.parser_exc is None:
            super().data_received(data)
        if not self.handshake_initiated:
            self._refuse_unread()

    def _refuse_unread(self) -> None:
        """Expected: a handshake with a line that is too long for the library gets its answer. Actual: that is kept
        back, and the connection for good. The head is here as a whole, so nothing more could make it readable."""
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()

    async def send(self, message: Any) -> None:
        """Expected: a handshake that an answer has refused is over. Actual: it is taken for one that the application
        has forgotten, and each is an error in the log."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    def handle_parser_exception(self) -> None:
        closed = self.conn.close_sent
        if closed is None:
            self.transport.abort()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": closed.code, "reason": closed.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._resume_reading()
        self.close_timer = self.loop.call_later(_GOODBYE_SECONDS, self.transport.abort)
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def send_receive_event_to_app(self) -> None:
        """Expected: text that is no UTF-8 is closed by 1007. Actual: that, and a stack in the log."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.fail(_INVALID_TEXT)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        """Expected: a client that answers no ping is gone. Actual: closing waits for it to read what was sent."""
        super().keepalive_timeout()
        self.transport.abort()

    def shutdown(self) -> None:
        """1001 in the place of 1012: the server goes away, and nobody says that it comes back."""
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": _GOING_AWAY})
        self.conn.send_close(_GOING_AWAY)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._resume_reading()
        self.close_timer = self.loop.call_later(_GOODBYE_SECONDS, self.transport.abort)

    async def run_asgi(self) -> None:
        """Expected: the connection ends soon after the application is done with it. Actual: a client that does not
        read keeps it, and what was sent to it in memory."""
        try:
            await super().run_asgi()
        except asyncio.CancelledError:
            self.transport.abort()
            raise
        self.loop.call_later(_GOODBYE_SECONDS, self.transport.abort)

    def _resume_reading(self) -> None:
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
