"""A server on a loopback socket in the test's own event loop, that answers raw bytes and remembers what came."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.upstream.http_client import Answered

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def reply(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Loopback", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(slots=True)
class Loopback:
    """`requests` are the heads of what came, in lower case; `silent` never answers until the test ends."""

    port: int = 0
    requests: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1"


async def read_whole(answer: Answered) -> bytes:
    """The body to its end; closes the answer, however that came."""
    body = b""
    try:
        while piece := await answer.piece():
            body += piece
    finally:
        answer.close()
    return body


def saying(*pieces: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return answer


@asynccontextmanager
async def serving(
    answer: Answer | None, *, keeps_open: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Loopback]:
    """Without an answer it stays silent; with `keeps_open` it does so after its answer."""
    loopback = Loopback()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loopback.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = head.partition("content-length: ")[2].partition("\r\n")[0]
                body = await reader.readexactly(int(length or 0))
                loopback.requests.append(head)
                loopback.bodies.append(body)
                if answer is not None:
                    await answer(writer)
                if answer is None or keeps_open:
                    await loopback.over.wait()
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    loopback.port = server.sockets[0].getsockname()[1]
    try:
        yield loopback
    finally:
        loopback.over.set()
        server.close()
        await server.wait_closed()
