"""The server: an application on a socket until a signal ends it; what runs then is answered first."""

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
from starlette.applications import Starlette

from gateway.http.connection import Connection
from gateway.http.settings import HttpSettings
from gateway.http.websocket_protocol import WebSocketProtocol


async def serve_app(
    application: Starlette, settings: HttpSettings, listener: socket.socket, say_where: Callable[[], None]
) -> None:
    """Until SIGINT or SIGTERM: what runs ends first, then everything is closed."""
    server = build_server(application, settings)
    with _on_signals(lambda signum: server.handle_exit(signum, None)):
        # Entered here rather than by uvicorn, so that a database that cannot be opened ends the start clearly.
        async with application.router.lifespan_context(application):
            say_where()
            await server.serve(sockets=[listener])


def build_server(application: Starlette, settings: HttpSettings) -> uvicorn.Server:
    """Its caller enters the application's lifespan."""
    config = uvicorn.Config(
        application,
        http=partial(Connection, settings),  # type: ignore[arg-type]  # called like the class that it stands for
        ws=WebSocketProtocol,
        ws_max_size=settings.max_body_bytes,
        # A small compressed message could grow past every limit while it is unpacked.
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    return _Server(config)


class _Server(uvicorn.Server):
    """Expected: a signal ends the server, and the program goes on. Actual: uvicorn raises the signal again when
    it has ended, which would cut off the closing of database and connections."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Event streams have no end of their own to wait for.
        self.config.app.state.services.ending.set()  # type: ignore[union-attr]
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(main: Coroutine[Any, Any, None]) -> None:
    """In uvloop's event loop where there is one."""
    with asyncio.Runner(loop_factory=uvicorn.Config(None, loop="auto", log_config=None).get_loop_factory()) as runner:  # type: ignore[arg-type]
        runner.run(main)


async def until_told_to_end() -> None:
    """By SIGINT or SIGTERM."""
    ended = asyncio.Event()
    with _on_signals(lambda _: ended.set()):
        await ended.wait()


@contextmanager
def _on_signals(handle: Callable[[signal.Signals], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, handle, signum)
    try:
        yield
    finally:
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(signum)
