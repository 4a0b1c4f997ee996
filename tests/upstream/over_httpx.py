"""An HTTP client whose answers a test makes up, in httpx's words: no socket is needed for what is only read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx

from gateway.upstream.http_client import Question, Sending


class OverHttpx:
    def __init__(self, handler: Callable[[httpx.Request], Any]) -> None:
        self._transport = httpx.MockTransport(handler)

    async def ask(self, question: Question, sending: Sending, within: float | None = None) -> MadeUp:
        sending()
        request = httpx.Request(question.method, question.url, headers=dict(question.headers), content=question.content)
        return MadeUp(await self._transport.handle_async_request(request))

    async def aclose(self) -> None:
        """Nothing is open."""


class Body(httpx.AsyncByteStream):
    """One of which a test wants to know whether it was closed."""

    closed = False


class MadeUp:
    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self._response = response
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._pieces: AsyncIterator[bytes] = aiter(response.stream)

    async def piece(self) -> bytes:
        return await anext(self._pieces, b"")

    def close(self) -> None:
        if isinstance(self._response.stream, Body):
            self._response.stream.closed = True
