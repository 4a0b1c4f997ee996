"""One connection: nobody holds it by being slow, nothing ambiguous is read, every request gets a whole answer.

Between uvicorn's protocol and its parser, which have no limits but what the kernel keeps:

- A head (request line and headers) has so many seconds and bytes. A connection that says nothing is closed.
- What is refused here is answered by the application like any other request, with the refusal in its scope
  (`gateway.http.refused_by_server`): the headers for browsers stand on it too, and it waits its turn behind the
  requests before it.
- An answer before the end of the request's body ends the connection: what is still on its way is thrown away for a
  moment, because closing at once would make the kernel discard the answer too (RFC 9112, section 9.6).
- A client that leaves is seen while requests of it wait for their turn, as a little more is read behind them: the one
  that is being answered is told, the others never begin.
- Bytes that the client does not take are held for so many seconds; then the connection is aborted.
- A WebSocket takes the connection over as it was; none of this touches it any more.
"""

import asyncio
from typing import Any, Final
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.http.alarm import Alarm, PatientAlarm
from gateway.http.exchange import Exchange
from gateway.http.outlet import Outlet, Turn
from gateway.http.refusal import RequestRefused
from gateway.http.refused_by_server import REFUSAL
from gateway.http.request_head import MAX_HEADERS, check_handshake, check_head, check_size, malformed
from gateway.http.settings import HttpSettings

# What is parsed before it is asked again whether to go on: so much may be over a limit, or queued as requests.
_PIECE_BYTES: Final = 4_096
# What is kept of a client that sends on while its requests wait. Who is not read from is not seen to leave either.
_WAITING_BYTES: Final = 65_536
_LINGER_SECONDS: Final = 2.0


class Connection(HttpToolsProtocol):
    cycle: Exchange
    outlet: Outlet

    def __init__(self, settings: HttpSettings, turn: Turn, **given: Any) -> None:
        super().__init__(**given)
        self._settings = settings
        self._turn = turn
        self._running: Exchange | None = None
        self._unread = bytearray()
        self._one_too_many = False
        # Whether a head comes next or is under way, rather than a body; and whether its first line has begun.
        self._at_head, self._begun = True, False
        # Whether any byte has come that can only belong to the next head, be it an empty line.
        self._head_has_begun = False
        self._head_bytes = 0
        # Fed to the parser since it last gave something back: a header that does not end, or a chunk's extension.
        self._silent_bytes = 0
        self._ignores_upgrade = False
        self._refusal: RequestRefused | None = None
        # Nothing that still comes is read.
        self._ended = False
        self._lingers = False
        self._head_alarm = Alarm(self.loop, self._head_is_late)
        self._write_alarm = Alarm(self.loop, self._nobody_reads)
        self._linger_alarm = Alarm(self.loop, self._close)
        self._idle_alarm = PatientAlarm(self.loop, self._close)

    # What the transport calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.outlet = Outlet(transport, self._turn, self.loop)
        most = self._settings.max_connections
        self._one_too_many = len(self.connections) > most
        if len(self.connections) > most + most // 10 + 1:
            # Not even the refusal of so many may cost anything.
            self._ended = True
            transport.abort()
            return
        # Writing counts as paused while a single byte waits, which is what the alarm has to know.
        transport.set_write_buffer_limits(high=0)
        self._head_alarm.set(self._settings.header_timeout_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._unread.clear()
        self._stop_alarms()
        self.pipeline.clear()
        super().connection_lost(exc)
        if self._running is not None and not self._running.response_complete:
            self._running.leave()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_alarm.set(self._settings.write_timeout_seconds)

    def resume_writing(self) -> None:
        self._write_alarm.stop()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        self._idle_alarm.stop()
        self._head_has_begun |= self._at_head
        self._unread += data
        self._read()

    def _read(self) -> None:
        """As far as there is a request to answer; what is behind the next one waits."""
        while self._unread and not self._ended and not self.pipeline:
            piece = bytes(self._unread[:_PIECE_BYTES])
            del self._unread[:_PIECE_BYTES]
            self._feed(piece)
        if self._ended:
            return
        if self.pipeline:
            if len(self._unread) > _WAITING_BYTES:
                self.flow.pause_reading()
        elif self._head_has_begun:
            # Only here: nearly every head comes whole, and no time has to be set for it. Nor has it while it waits, as
            # the rest of it may stand in what is not read yet.
            self._head_alarm.set(self._settings.header_timeout_seconds)

    def _feed(self, piece: bytes) -> None:
        self._silent_bytes += len(piece)
        try:
            self.parser.feed_data(piece)
            size = self._head_bytes + self._silent_bytes if self._at_head else self._silent_bytes
            check_size(b"", 0, size, self._settings.max_header_bytes)
        except httptools.HttpParserUpgrade as upgrade:
            self._unread[:0] = piece[upgrade.args[0] :]
            self._upgrade()
        except httptools.HttpParserError:
            self._refuse(self._refusal or malformed())
        except RequestRefused as refused:
            self._refuse(refused)

    # What the parser calls

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun = self._head_has_begun = True
        self._head_bytes = self._silent_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._silent_bytes = 0
        self._head_bytes += len(url)
        self._check_size()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._at_head:
            # uvicorn would put it among the headers of a request that is being answered.
            self._refusal = malformed("Send no trailers.")
            raise self._refusal
        name = name.lower()
        self.headers.append((name, value))
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self._silent_bytes = 0
        self._head_bytes += len(name) + len(value) + len(": \r\n")
        if self._head_bytes > self._settings.max_header_bytes or len(self.headers) > MAX_HEADERS:
            self._check_size()

    def _check_size(self) -> None:
        try:
            check_size(self.url, len(self.headers), self._head_bytes, self._settings.max_header_bytes)
        except RequestRefused as refused:
            self._refusal = refused
            raise

    def on_headers_complete(self) -> None:
        self._silent_bytes = 0
        if self._one_too_many:
            self._refusal = RequestRefused(
                503, "TOO_MANY_CONNECTIONS", "Too many connections are open; try again.", {"Retry-After": "1"}
            )
            raise self._refusal
        method, version = self.parser.get_method(), self.parser.get_http_version()
        upgrades = self.parser.should_upgrade()
        try:
            check_head(method, self.url, version, self.headers)
            if upgrades and self._should_upgrade():
                check_handshake(self.headers)
        except RequestRefused as refused:
            # The parser does not pass on what a callback raises.
            self._refusal = refused
            raise
        self.scope["method"], self.scope["http_version"] = method.decode("ascii"), version
        if upgrades and not self._should_upgrade():
            self._ignores_upgrade = True
            return
        if not upgrades:
            self._begin_exchange(version)
        self._at_head = self._begun = self._head_has_begun = False
        self._head_alarm.stop()

    def _begin_exchange(self, version: str) -> None:
        """Answered at once, or in its turn behind the requests before it."""
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"], self.scope["query_string"] = url.path, url.query or b""
        keep_alive = version != "1.0" and self.parser.should_keep_alive()
        before = self.cycle
        self.cycle = Exchange(self, self.scope, keep_alive=keep_alive, expects_continue=self.expect_100_continue)
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        self._silent_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._silent_bytes = 0
        self._at_head = True
        if not self._ignores_upgrade:
            super().on_message_complete()
            if self.cycle is not None and not self.cycle.more_body:
                self.cycle.came_whole()

    # Upgrades

    def _upgrade(self) -> None:
        if self._ignores_upgrade:
            self._read_without_upgrade()
        elif self.cycle is not None and not self.cycle.response_complete:
            self._refuse(malformed("Wait for the answer before the upgrade."))
        else:
            self._ended = True
            self._stop_alarms()
            self.outlet.flush()
            self.transport.set_write_buffer_limits()
            self.handle_websocket_upgrade()

    def _read_without_upgrade(self) -> None:
        """Expected (RFC 9110, section 7.8): an upgrade that is not known is ignored. Actual: the parser leaves the
        body unread, and would take it for the next request. Clients such as Java's offer h2c with every request."""
        self._ignores_upgrade = False
        head = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        head += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        self._unread[:0] = b"\r\n".join([*head, b"", b""])
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)

    # Refusals

    def _head_is_late(self) -> None:
        if self._begun or self._unread:
            seconds = self._settings.header_timeout_seconds
            message = f"The request's headers did not arrive whole within {seconds:g} seconds."
            self._refuse(RequestRefused(408, "REQUEST_TIMEOUT", message))
        elif self.cycle is None or self.cycle.response_complete:
            self._close()

    def _nobody_reads(self) -> None:
        self.transport.abort()

    def _close(self) -> None:
        self.outlet.flush()
        self.transport.close()

    def shutdown(self) -> None:
        """uvicorn calls it when the server ends."""
        self.outlet.flush()
        super().shutdown()

    def _refuse(self, refused: RequestRefused) -> None:
        """The last thing that is answered on this connection."""
        self._ended = True
        self._unread.clear()
        self._head_alarm.stop()
        if not self._at_head:
            self.cycle.is_broken = True
            self.cycle.keep_alive = False
            self.cycle.message_event.set()
            return
        before, self.cycle = self.cycle, self._refused_cycle(refused)
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.pipeline.appendleft((self.cycle, self.app))

    def _refused_cycle(self, refused: RequestRefused) -> Exchange:
        if not self._begun:
            super().on_message_begin()
        # As a GET, so that it is neither taken for a preflight nor answered without its body.
        target = {"method": "GET", "path": "/", "raw_path": b"/", "query_string": b""}
        scope: Any = {**self.scope, **target, REFUSAL: refused}
        return Exchange(self, scope, keep_alive=False, expects_continue=False)

    # Answers

    def on_response_complete(self) -> None:
        """In the place of uvicorn's, which sets a timer after each answer and stops it for the next request."""
        self.server_state.total_requests += 1
        if self._lingers:
            return
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())
        self._read()
        if self.cycle.response_complete and not self._head_alarm.is_set and not self.transport.is_closing():
            self._idle_alarm.set(self._settings.keep_alive_seconds)

    def part(self, *, everything_came: bool) -> None:
        """Closes the connection after the answer."""
        if self._lingers or self.transport.is_closing():
            return
        if everything_came and not self.pipeline and not self._unread:
            self._close()
            return
        self._lingers = self._ended = True
        self._unread.clear()
        self._head_alarm.stop()
        self._linger_alarm.set(_LINGER_SECONDS)
        self.flow.resume_reading()
        self.outlet.end()

    def _stop_alarms(self) -> None:
        self._idle_alarm.cancel()
        for alarm in (self._head_alarm, self._write_alarm, self._linger_alarm):
            alarm.stop()
