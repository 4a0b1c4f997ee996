"""The ASGI face of a simulator: reads the request, then the control endpoints, a fault, or the API."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from gateway.sandbox.control import CONTROL_PATH, answer_control
from gateway.sandbox.exchange import Received, Refusal
from gateway.sandbox.misbehaviour import Exchange, misbehave

if TYPE_CHECKING:
    from gateway.sandbox.simulator import Simulator


class Front:
    """One simulator as an ASGI application."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"a simulator speaks HTTP, not {scope['type']}")
        received = await _read(scope, receive)
        exchange = Exchange(scope, receive, send)
        if received.path.startswith(CONTROL_PATH):
            await exchange.send_reply(answer_control(self._simulator, received))
            return
        await self._serve_api(received, exchange)

    async def _serve_api(self, received: Received, exchange: Exchange) -> None:
        simulator = self._simulator
        if not received.path.startswith(simulator.base_path + "/"):
            outside = Refusal(404, f"Nothing here; the API is below {simulator.base_path}", code="not_found")
            await exchange.send_reply(simulator.refuse(outside))
            return
        below = _below(received, simulator.base_path)
        fault = simulator.strike(below)
        simulator.record(below, fault)
        if fault is None:
            await exchange.send_reply(simulator.answer(below))
        else:
            await misbehave(fault, simulator, below, exchange)


async def _read(scope: Scope, receive: Receive) -> Received:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in scope["headers"]}
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw_path.partition(b"?")[0].decode("latin-1")
    return Received(scope["method"], path, dict(query), headers, bytes(body))


def _below(received: Received, base_path: str) -> Received:
    path = received.path.removeprefix(base_path)
    return Received(received.method, path, received.query, received.headers, received.body)
