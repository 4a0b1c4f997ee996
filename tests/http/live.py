"""A gateway on a real socket, served as `gateway serve` does it, and the two ways to listen to it."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import uvicorn
import websockets
from websockets.asyncio.client import ClientConnection

from gateway.http.services import Services
from gateway.http.websocket_protocol import WebSocketProtocol
from gateway.main import build_app, build_connectors
from gateway.resilience.status import Watch
from gateway.settings import read_gateway_settings
from tests.conftest import BARE

PROTOCOL: Any = "graphql-transport-ws"


@dataclass(frozen=True)
class Live:
    port: int
    services: Services
    watches: Sequence[Watch]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    def socket(self, **arguments: Any) -> Any:
        given = {"subprotocols": [PROTOCOL], "proxy": None, "compression": None, **arguments}
        return websockets.connect(f"ws://127.0.0.1:{self.port}/graphql", **given)

    @asynccontextmanager
    async def acknowledged(self, **arguments: Any) -> AsyncIterator[ClientConnection]:
        async with self.socket(**arguments) as socket:
            await say(socket, {"type": "connection_init"})
            assert await heard(socket) == {"type": "connection_ack"}
            yield socket

    @property
    def listeners(self) -> int:
        """How many subscriptions are at work."""
        return sum(len(watch._listeners) for watch in self.watches)


@contextmanager
def serving(folder: Any, change: Callable[[Services], Services] = lambda same: same, **settings: Any) -> Iterator[Live]:
    """The environment has to name the providers. `change` takes the place of services."""
    ping = settings.pop("ping_seconds", 20.0)
    # Whole answers are compared; what an operation costs is looked at elsewhere.
    settings.setdefault("tell_cost", "off")
    chosen = read_gateway_settings(database_url=f"sqlite:///{folder}/gateway.db", **{**BARE, **settings})
    connectors = build_connectors(chosen)
    app = build_app(chosen, connectors)
    options: dict[str, Any] = {
        "ws_ping_interval": ping,
        "ws_ping_timeout": ping,
        "ws_max_size": chosen.max_body_bytes,
        "ws_per_message_deflate": False,
    }
    config = uvicorn.Config(app, port=0, ws=WebSocketProtocol, log_config=None, access_log=False, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the gateway did not start"
    app.state.services = change(app.state.services)
    try:
        watches = [connector.standing.watch for connector in connectors.values()]
        yield Live(server.servers[0].sockets[0].getsockname()[1], app.state.services, watches)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the gateway did not end"


def authenticated_by(authenticate: Any) -> Callable[[Services], Services]:
    return lambda services: replace(services, authenticate=authenticate)


async def say(socket: ClientConnection, message: Any) -> None:
    await socket.send(message if isinstance(message, (str, bytes)) else json.dumps(message))


async def heard(socket: ClientConnection) -> Any:
    async with asyncio.timeout(10):
        return json.loads(await socket.recv())


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """The code and the reason that the server closes with; what it says before is passed over."""
    try:
        async with asyncio.timeout(10):
            while True:
                await socket.recv()
    except websockets.ConnectionClosed as ended:
        return (ended.rcvd.code, ended.rcvd.reason) if ended.rcvd else (1006, "")


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  (another thread changes it)
            await asyncio.sleep(0.005)
