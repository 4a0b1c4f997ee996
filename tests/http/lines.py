"""A connection to an application without a socket: what the gateway's side does of itself, write by write."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from gateway.http.connection import Connection
from gateway.http.outlet import Turn
from gateway.http.settings import HttpSettings

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Memory(asyncio.Transport):
    """What a connection does to its socket."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = self.half_closed = False
        self.is_read_from = True

    @property
    def written(self) -> bytes:
        return b"".join(self.writes)

    def write(self, data: Any) -> None:
        if self.half_closed:
            raise RuntimeError("Cannot call write() after write_eof()")
        if data:
            self.writes.append(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing ever waits."""

    def pause_reading(self) -> None:
        """Whoever tests gives what there is to read, all the same."""
        self.is_read_from = False

    def resume_reading(self) -> None:
        self.is_read_from = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def write_eof(self) -> None:
        self.half_closed = True


class Line:
    """A connection to an application, without a socket."""

    def __init__(self, app: App, **settings: Any) -> None:
        config = Config(app, ws="none", lifespan="off", log_config=None, interface="asgi3", proxy_headers=False)
        config.load()
        self.transport = Memory()
        given: Any = {"config": config, "server_state": ServerState(), "app_state": {}}
        self.connection = Connection(HttpSettings(**settings), Turn(), **given)
        self.connection.connection_made(self.transport)

    async def ask(self, *pieces: bytes) -> bytes:
        """What is answered until nothing is under way any more."""
        self.transport.writes.clear()
        for piece in pieces:
            self.connection.data_received(piece)
        while self.connection.tasks:
            await asyncio.wait(set(self.connection.tasks))
        # The turn of the event loop is over.
        await asyncio.sleep(0)
        return self.transport.written

    def leave(self) -> None:
        self.connection.connection_lost(None)
