"""Results as server-sent events, one connection for each operation.

Source: graphql-sse protocol, distinct connections mode; HTML standard, section Server-sent events.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.clock import utc_now
from gateway.domain.caller import Caller
from gateway.http.client_gone import left
from gateway.http.negotiation import EVENT_STREAM
from gateway.http.services import Services

_OPENED = _KEPT_ALIVE = b":\n\n"
# Browsers pass an event without data over.
_COMPLETE = b"event: complete\ndata:\n\n"


async def one(body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    """A single result as a stream."""
    yield body


class EventStreamResponse(Response):
    """Sends each result as it comes. The stream is closed when its client goes away, when the caller's credential ends
    and when the server is to stop."""

    def __init__(self, events: AsyncGenerator[dict[str, Any], None], services: Services, caller: Caller) -> None:
        # A proxy may neither keep events nor collect them.
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no", "Vary": "Accept"}
        super().__init__(media_type=f"{EVENT_STREAM}; charset=utf-8", headers=headers)
        del self.headers["Content-Length"]
        self._events = events
        self._services = services
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        tasks = [
            asyncio.ensure_future(self._send_all(send)),
            asyncio.ensure_future(left(receive)),
            asyncio.ensure_future(self._services.ending.wait()),
        ]
        try:
            await asyncio.wait(tasks, timeout=self._caller.seconds_left(utc_now()), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        # A client that has gone away hears no more of it.
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send) -> None:
        async def tell(frame: bytes) -> None:
            await send({"type": "http.response.body", "body": frame, "more_body": True})

        async with aclosing(self._events) as events:
            # Some clients count the stream as open only when something has come.
            await tell(_OPENED)
            async for frame in _frames(events, self._services.settings.stream_keep_alive_seconds):
                await tell(frame)
        await tell(_COMPLETE)


async def _frames(
    events: AsyncGenerator[dict[str, Any], None], keep_alive_seconds: float
) -> AsyncGenerator[bytes, None]:
    """Every result, and a comment whenever there has been none for so long that a line could be cut as idle."""
    while True:
        coming = asyncio.ensure_future(anext(events, None))
        try:
            while not (await asyncio.wait({coming}, timeout=keep_alive_seconds))[0]:
                yield _KEPT_ALIVE
        finally:
            if not coming.done():
                coming.cancel()
                with suppress(asyncio.CancelledError):
                    await coming
        body = coming.result()
        if body is None:
            return
        # JSON as msgspec writes it has no line breaks.
        yield b"event: next\ndata: " + msgspec.json.encode(body) + b"\n\n"
