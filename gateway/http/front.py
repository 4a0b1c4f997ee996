"""What every request passes on its way in, and every answer on its way out, in one place.

    in    named · counted · preflight · refused by the server · one of our hosts · the endpoint, or Starlette's routes
    out   CORS · the request's name · security headers

Each rule stands in a module of its own. They are asked here one after the other rather than each wrapped around the
next, as middlewares would be: a wrapper costs every message of every answer another call, and nine of them cost a
small query more than its parsing (docs/adr/0018).
"""

import asyncio
import time
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.allowed_hosts import AllowedHosts
from gateway.http.cross_origin import CrossOrigin
from gateway.http.refused_by_server import refused_by_server
from gateway.http.request_headers import RequestHeaders, request_headers
from gateway.http.request_id import add_name, named
from gateway.http.security_headers import SecurityHeaders
from gateway.http.traffic import REFUSED, Served, Traffic
from gateway.http.unexpected_errors import broken_off, internal_error

_STARTS = ("http.response.start", "websocket.http.response.start")


class Front:
    """`routes` serve whatever is not asked of `endpoint` at `path`; without `traffic` nobody counts."""

    def __init__(
        self,
        routes: ASGIApp,
        *,
        path: str,
        endpoint: ASGIApp,
        hosts: AllowedHosts,
        cross_origin: CrossOrigin,
        security: SecurityHeaders,
        traffic: Traffic | None,
    ) -> None:
        self._routes = routes
        self._path, self._endpoint = path, endpoint
        self._hosts = hosts
        self.cross_origin = cross_origin
        self.security = security
        self.traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._routes(scope, receive, send)
            return
        headers = request_headers(scope)
        answer = _Answer(self, scope, headers, send)
        if self.traffic is None or scope["type"] != "http":
            await self._answer(scope, headers, receive, answer)
            return
        started = time.monotonic()
        self.traffic.came()
        try:
            await self._answer(scope, headers, receive, answer)
        finally:
            code, seconds = scope["state"].get(REFUSED), time.monotonic() - started
            self.traffic.left(Served(status=answer.status, code=code, seconds=seconds))

    async def _answer(self, scope: Scope, headers: RequestHeaders, receive: Receive, answer: "_Answer") -> None:
        try:
            await self._asked(scope, headers, answer)(scope, receive, answer.send)
        except asyncio.CancelledError:
            told = None if answer.begun else broken_off(scope)
            if told is None:
                raise
            await told(scope, receive, answer.send)
        except Exception as unexpected:
            told = internal_error(unexpected, answer.request_id)
            if scope["type"] == "websocket":
                with suppress(RuntimeError):
                    await answer.send({"type": "websocket.close", "code": 1011})
            elif not answer.begun:
                await told(scope, receive, answer.send)
            # An answer that has begun stays without its end, by which the client knows that it is not whole.

    def _asked(self, scope: Scope, headers: RequestHeaders, answer: "_Answer") -> ASGIApp:
        """Whoever answers this request."""
        is_http = scope["type"] == "http"
        if is_http and (granted := self.cross_origin.preflight(scope, headers)):
            answer.is_preflight = True
            return granted
        if refused := refused_by_server(scope) or self._hosts.refuse(headers.get(b"host") or ""):
            return refused
        return self._endpoint if is_http and scope["path"] == self._path else self._routes


class _Answer:
    """One answer on its way out: its head is completed, and whether it has begun is known."""

    __slots__ = ("_front", "_origin", "_send", "begun", "is_preflight", "request_id", "status")

    def __init__(self, front: Front, scope: Scope, headers: RequestHeaders, send: Send) -> None:
        self._front, self._send = front, send
        self._origin = headers.get(b"origin")
        self.request_id = named(scope)
        self.begun = self.is_preflight = False
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        self.begun = True
        if message["type"] in _STARTS:
            self._complete(message)
        await self._send(message)

    def _complete(self, message: Message) -> None:
        # A list of our own: an answer that is sent to everybody would else collect the names of all of them.
        headers = message["headers"] = [*message.get("headers", ())]
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if not self.is_preflight:
                self._front.cross_origin.add(headers, self._origin)
        names = {name for name, _ in headers}
        add_name(headers, names, self.request_id)
        self._front.security.add(headers, names)
