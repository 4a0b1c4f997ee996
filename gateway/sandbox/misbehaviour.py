"""Carries out a fault on the wire, down to closing the connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from starlette.types import Receive, Scope, Send

from gateway.sandbox.exchange import Received, Refusal, Reply
from gateway.sandbox.faults import Fault

if TYPE_CHECKING:
    from gateway.sandbox.simulator import Simulator

ABORT_EXTENSION = "sandbox.abort"
HANG_SECONDS = 60.0
HUGE_BYTES = 9 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Exchange:
    """The two ends of one ASGI exchange whose request was read to its end."""

    scope: Scope
    receive: Receive
    send: Send

    async def send_reply(self, reply: Reply) -> None:
        await self._start(reply)
        await self.send({"type": "http.response.body", "body": reply.body})

    async def send_in_pieces(self, reply: Reply, size: int, pause: Callable[[], Awaitable[None]]) -> None:
        """Send the reply `size` bytes at a time with a pause between two pieces, while the client stays."""
        await self._start(reply)
        starts = range(0, max(1, len(reply.body)), size)
        for start in starts:
            if start and not await self.outlasts(pause()):
                return
            piece = {"body": reply.body[start : start + size], "more_body": start != starts[-1]}
            await self.send({"type": "http.response.body", **piece})

    async def outlasts(self, pause: Awaitable[None]) -> bool:
        """Whether the client is still there when the pause is over; one that leaves ends the pause."""
        nap, left = asyncio.ensure_future(pause), asyncio.ensure_future(self.receive())
        done, waiting = await asyncio.wait((nap, left), return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
        return left not in done

    async def wait_until_left(self) -> None:
        """Return when the client has gone, or after the longest time a fault may hang."""
        try:
            await asyncio.wait_for(self.receive(), HANG_SECONDS)
        except TimeoutError:
            return

    async def drop(self) -> None:
        """Close the connection without a word.

        Raises: ConnectionResetError where there is no connection to close, that is
        when the application is called in-process.
        """
        abort = self.scope.get("extensions", {}).get(ABORT_EXTENSION)
        if abort is None:
            raise ConnectionResetError("the simulator dropped the connection")
        abort()
        # uvicorn answers 500 for an application that returns before its client is known to be gone.
        await self.wait_until_left()

    async def _start(self, reply: Reply) -> None:
        await self.send({"type": "http.response.start", "status": reply.status, "headers": reply.raw_headers()})


async def misbehave(fault: Fault, simulator: Simulator, received: Received, exchange: Exchange) -> None:
    """Do to this request what the fault says (see `FAULT_KINDS`)."""
    match fault.kind:
        case "status":
            await exchange.send_reply(_with_status(fault, simulator, received))
        case "redirect":
            elsewhere = ("Location", "http://127.0.0.1:9/elsewhere")
            await exchange.send_reply(Reply(302, headers=(elsewhere,)))
        case "hang":
            await exchange.wait_until_left()
            await exchange.drop()
        case "drop_before":
            await exchange.drop()
        case "drop_after":
            simulator.answer(received)
            await exchange.drop()
        case "slow":
            reply = simulator.answer(received)
            if await exchange.outlasts(simulator.sleep(fault.delay_ms / 1000)):
                await exchange.send_reply(reply)
        case "drip":
            reply = simulator.answer(received)
            await exchange.send_in_pieces(reply, fault.chunk_bytes, lambda: simulator.sleep(fault.delay_ms / 1000))
        case "html" | "cut_json" | "wrong_shape" | "no_id" | "huge":
            reply = simulator.answer(received)
            # A refusal stays what it is: these faults are about answers that claim success.
            await exchange.send_reply(_SPOILERS[fault.kind](reply) if reply.succeeded else reply)


def _with_status(fault: Fault, simulator: Simulator, received: Received) -> Reply:
    assert fault.status is not None, "Fault refuses kind status without a number"
    reply = simulator.answer(received) if fault.applied or fault.status < 300 else None
    if reply is not None and fault.status < 300:
        return replace(reply, status=fault.status)
    message = fault.message or f"Simulated {fault.status}"
    refusal = Refusal(fault.status, message, code=fault.code)
    reply = simulator.finish(simulator.refuse(refusal), simulator.operation_of(received))
    retry_after = fault.retry_after(simulator.clock)
    return reply.with_headers(("Retry-After", retry_after)) if retry_after is not None else reply


def _as_html(reply: Reply) -> Reply:
    return replace(Reply.html(reply.status, "Welcome back"), headers=reply.headers)


def _cut_short(reply: Reply) -> Reply:
    return replace(reply, body=reply.body[: max(1, len(reply.body) // 2)], media_type="application/json")


def _misshapen(reply: Reply) -> Reply:
    value = json.loads(reply.body or b"null")
    distorted = _distort(value)
    return _as_json(reply, distorted if distorted != value else [value])


def _distort(value: Any) -> Any:
    """Strings where booleans and lists of strings belong, all the way down."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            return ", ".join(value)
        return [_distort(item) for item in value]
    if isinstance(value, dict):
        return {key: _distort(inner) for key, inner in value.items()}
    return value


def _without_id(reply: Reply) -> Reply:
    return _as_json(reply, _strip_ids(json.loads(reply.body or b"null")))


def _strip_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_strip_ids(item) for item in value]
    if isinstance(value, dict):
        return {key: _strip_ids(inner) for key, inner in value.items() if key not in ("id", "contact_id")}
    return value


def _padded(reply: Reply) -> Reply:
    value = json.loads(reply.body or b"{}")
    padding = "x" * HUGE_BYTES
    return _as_json(reply, [*value, padding] if isinstance(value, list) else {**value, "padding": padding})


def _as_json(reply: Reply, value: Any) -> Reply:
    return replace(Reply.json(reply.status, value), headers=reply.headers)


_SPOILERS: dict[str, Callable[[Reply], Reply]] = {
    "html": _as_html,
    "cut_json": _cut_short,
    "wrong_shape": _misshapen,
    "no_id": _without_id,
    "huge": _padded,
}
