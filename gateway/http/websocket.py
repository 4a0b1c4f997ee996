"""GraphQL over WebSocket at /graphql: one conversation for each connection.

A connection is `open` until connection_init is answered, then acknowledged; whatever ends it is raised as Closing.

Source: graphql-ws, PROTOCOL.md (graphql-transport-ws).
"""

import asyncio
import time
from contextlib import aclosing, suppress
from typing import Any, assert_never
from uuid import uuid4

import msgspec
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect
from structlog.contextvars import bind_contextvars, clear_contextvars

from gateway.clock import utc_now
from gateway.domain.caller import Caller
from gateway.http.authorization import authorization
from gateway.http.graphql_request import GraphQLParameters
from gateway.http.negotiation import JSON
from gateway.http.origin import refuse_foreign_page
from gateway.http.refusal import RequestRefused, over_limit
from gateway.http.request_headers import request_headers
from gateway.http.result import AnswerInParts, EventStream, GraphQLRequest
from gateway.http.services import Services
from gateway.http.traffic import Served, Traffic
from gateway.http.websocket_messages import (
    PROTOCOL,
    Closing,
    Complete,
    ConnectionInit,
    Message,
    Ping,
    Pong,
    Subscribe,
    read_message,
)
from gateway.incident import report


async def graphql_over_websocket(websocket: WebSocket) -> None:
    services: Services = websocket.app.state.services
    try:
        refuse_foreign_page(request_headers(websocket.scope), services.settings.cors_origins)
    except RequestRefused as refusal:
        body = msgspec.json.encode(refusal.body)
        await websocket.send_denial_response(Response(body, refusal.status, media_type=JSON))
        return
    if PROTOCOL not in websocket.scope["subprotocols"]:
        # A browser sees the code of a close, but not the status of a handshake that was refused.
        await websocket.accept()
        await websocket.close(4406, "Subprotocol not acceptable: use graphql-transport-ws")
        return
    await websocket.accept(subprotocol=PROTOCOL)
    await _Conversation(websocket, services).run()


class _Conversation:
    """`_deadline` is the one clock of the connection: it first waits for connection_init, then for the caller's
    credential to expire, and `_at_deadline` is what happens then."""

    def __init__(self, websocket: WebSocket, services: Services) -> None:
        self._websocket = websocket
        self._services = services
        self._settings = services.settings
        self._deadline = asyncio.timeout(self._settings.websocket_init_seconds)
        self._at_deadline = Closing(4408, "Connection initialisation timeout")
        self._init_seen = False
        self._caller: Caller | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        try:
            closing = await self._listen()
        finally:
            await self._end_operations()
        if closing is not None:
            # Who does not read is not told either; the protocol class drops the connection.
            with suppress(WebSocketDisconnect, TimeoutError):
                async with asyncio.timeout(self._settings.send_timeout_seconds):
                    await self._websocket.close(closing.code, closing.reason)

    async def _listen(self) -> Closing | None:
        """Until the connection is to be closed, or (None) has been closed."""
        try:
            async with self._deadline:
                while (event := await self._websocket.receive())["type"] == "websocket.receive":
                    await self._take(read_message(event.get("text"), max_depth=self._settings.max_json_depth))
        except TimeoutError:
            return self._at_deadline
        except Closing as closing:
            return closing
        except WebSocketDisconnect:
            return None
        except Exception as unexpected:
            report("websocket_broke", unexpected)
            return Closing(1011, "Internal error")
        return None

    async def _take(self, message: Message) -> None:
        match message:
            case ConnectionInit():
                await self._init(message)
            case Ping():
                await self._send({"type": "pong"} | ({"payload": message.payload} if message.payload else {}))
            case Pong():
                pass
            case Subscribe():
                await self._subscribe(message)
            case Complete():
                self._complete(message.id)
            case _:
                assert_never(message)

    async def _init(self, message: ConnectionInit) -> None:
        if self._init_seen:
            raise Closing(4429, "Too many initialisation requests")
        self._init_seen = True
        try:
            self._caller = await self._services.authenticate(self._authorization(message.payload or {}))
        except RequestRefused as refused:
            raise Closing(4403, refused.message) from None
        self._at_deadline = Closing(4403, "Expired: connect again with a fresh credential")
        self._deadline.reschedule(_loop_time(self._caller.seconds_left(utc_now())))
        await self._send({"type": "connection_ack"})

    def _authorization(self, payload: dict[str, Any]) -> str | None:
        """A browser cannot set headers of a handshake, so its credential comes in the first message."""
        given = authorization(request_headers(self._websocket.scope)) or payload.get("authorization")
        given = given or payload.get("Authorization")
        if given is not None and not isinstance(given, str):
            raise Closing(4400, "Invalid message: the authorization in `payload` is no text")
        return given

    async def _subscribe(self, message: Subscribe) -> None:
        caller = self._caller
        if caller is None:
            raise Closing(4401, "Unauthorized")
        if message.id in self._operations:
            raise Closing(4409, f"Subscriber for {message.id} already exists")
        allowed = self._settings.max_subscriptions
        if len(self._operations) >= allowed:
            text = f"At most {allowed} operations may run on one connection at the same time."
            refused = over_limit("maxSubscriptions", allowed=allowed, measured=allowed + 1, message=text)
            await self._send(_last(message.id, refused.body))
            return
        self._operations[message.id] = asyncio.create_task(self._run(message.id, message.payload, caller))

    def _complete(self, id: str) -> None:
        if operation := self._operations.pop(id, None):
            operation.cancel()

    async def _run(self, id: str, parameters: GraphQLParameters, caller: Caller) -> None:
        request_id = uuid4().hex
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        traffic: Traffic = self._websocket.app.state.traffic
        code: str | None = None
        started = time.monotonic()
        traffic.came()
        try:
            await self._answer(id, parameters, caller, request_id)
        except RequestRefused as refused:
            code = refused.code
            await self._send_last(id, refused.body)
        except (WebSocketDisconnect, Closing):
            # The listener knows, or is told by the deadline.
            return
        except Exception as unexpected:
            report("request_broke", unexpected, request_id=request_id)
            code = "INTERNAL_ERROR"
            extensions = {"code": code, "requestId": request_id}
            await self._send_last(id, {"errors": [{"message": "Internal error.", "extensions": extensions}]})
        finally:
            traffic.left(Served(status=None, code=code, seconds=time.monotonic() - started))

    async def _answer(self, id: str, parameters: GraphQLParameters, caller: Caller, request_id: str) -> None:
        result = await self._services.execute(
            GraphQLRequest(
                request_id=request_id,
                caller=caller,
                query=self._services.documents(parameters),
                operation_name=parameters.operation_name or None,
                variables=parameters.variables,
                in_parts=True,
            )
        )
        if isinstance(result, AnswerInParts):
            async with aclosing(result.parts) as parts:
                async for body in parts:
                    await self._send({"id": id, "type": "next", "payload": body})
            await self._send_last(id, {"data": None})
            return
        if not isinstance(result, EventStream):
            if "data" in result.body:
                await self._send({"id": id, "type": "next", "payload": result.body})
            await self._send_last(id, result.body)
            return
        async with aclosing(result.events) as events:
            async for body in events:
                if "data" not in body:
                    await self._send_last(id, body)
                    return
                await self._send({"id": id, "type": "next", "payload": body})
        await self._send_last(id, {"data": None})

    async def _send_last(self, id: str, body: dict[str, Any]) -> None:
        # Forgotten first: who reads the message may use the id again at once.
        self._operations.pop(id, None)
        with suppress(WebSocketDisconnect, Closing):
            await self._send(_last(id, body))

    async def _send(self, message: dict[str, Any]) -> None:
        """One message at a time, so that no more than one waits in a connection that is not read.

        Raises:
            Closing: when the client does not read; the connection is ended.
            WebSocketDisconnect: when it has gone away.
        """
        text = msgspec.json.encode(message).decode()
        try:
            async with asyncio.timeout(self._settings.send_timeout_seconds), self._sending:
                await self._websocket.send_text(text)
        except TimeoutError:
            self._at_deadline = Closing(4408, "What was sent is not read")
            with suppress(RuntimeError):  # the connection is ending already
                self._deadline.reschedule(asyncio.get_running_loop().time())
            raise self._at_deadline from None

    async def _end_operations(self) -> None:
        running = list(self._operations.values())
        self._operations.clear()
        for operation in running:
            operation.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _last(id: str, body: dict[str, Any]) -> dict[str, Any]:
    if "data" in body:
        return {"id": id, "type": "complete"}
    return {"id": id, "type": "error", "payload": body["errors"]}


def _loop_time(seconds: float | None) -> float | None:
    return None if seconds is None else asyncio.get_running_loop().time() + seconds
