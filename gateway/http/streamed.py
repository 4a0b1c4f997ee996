"""An answer that is sent piece by piece, and ends with its client, its caller's credential or the server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.clock import utc_now
from gateway.domain.caller import Caller
from gateway.http.client_gone import left
from gateway.http.result import Results
from gateway.http.services import Services


class StreamedResponse(Response):
    """Sends each result as it comes, and closes `results` whatever happens. How a result is written, and what stands
    around them all, is for the media type to say."""

    opened: bytes
    closed: bytes
    kept_alive: bytes | None = None
    """Sent after a silence, so that the line is not cut as idle."""

    def __init__(self, results: Results, services: Services, caller: Caller) -> None:
        # A proxy may neither keep what is sent nor collect it.
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no", "Vary": "Accept"}
        super().__init__(media_type=self.media_type, headers=headers)
        del self.headers["Content-Length"]
        self._results = results
        self._services = services
        self._caller = caller

    def frame(self, body: dict[str, Any]) -> bytes:
        """One result on the wire."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._until_the_first_end(receive, send)
        finally:
            # It may not have begun.
            await self._results.aclose()
        # A client that has gone away hears no more of it.
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _until_the_first_end(self, receive: Receive, send: Send) -> None:
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

    async def _send_all(self, send: Send) -> None:
        async def tell(piece: bytes) -> None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})

        await tell(self.opened)
        async with aclosing(self._pieces(self._services.settings.stream_keep_alive_seconds)) as pieces:
            async for piece in pieces:
                await tell(piece)
        await tell(self.closed)

    async def _pieces(self, keep_alive_seconds: float) -> AsyncGenerator[bytes, None]:
        """Every result, and something whenever there has been none for too long."""
        while True:
            coming = asyncio.ensure_future(_next(self._results))
            try:
                while not (await asyncio.wait({coming}, timeout=keep_alive_seconds))[0]:
                    if self.kept_alive is not None:
                        yield self.kept_alive
            finally:
                if not coming.done():
                    coming.cancel()
                    with suppress(asyncio.CancelledError):
                        await coming
            body = coming.result()
            if body is None:
                return
            yield self.frame(body)


async def one(body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    """A single result as a stream."""
    yield body


async def _next(results: Results) -> dict[str, Any] | None:
    try:
        return await anext(results)
    except StopAsyncIteration:
        return None
