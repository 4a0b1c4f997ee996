"""A gateway on a real socket, in a thread of its own, served by what serves it in earnest."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from gateway.http.server import build_server, run
from gateway.http.settings import HttpSettings


class Served:
    def __init__(self, app: Starlette, settings: HttpSettings) -> None:
        self.server: uvicorn.Server = build_server(app, settings)
        self._app = app
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(timeout=60), "the gateway did not start"

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(timeout=60)
        assert not self._thread.is_alive(), "the gateway did not end"

    def call(self, function: Callable[[], object]) -> None:
        """In the event loop of the server."""
        self._loop.call_soon_threadsafe(function)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self._app.router.lifespan_context(self._app):
            self._started.set()
            await self.server.serve(sockets=[self._listener])


@contextmanager
def serving(app: Starlette, settings: HttpSettings) -> Iterator[Served]:
    served = Served(app, settings)
    served.start()
    try:
        yield served
    finally:
        served.stop()
