"""Puts a sandbox on loopback sockets: real connections, real drops, three ports."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.sandbox.cometly.slots import SLOT_NAMES
from gateway.sandbox.control import CONTROL_PATH
from gateway.sandbox.misbehaviour import ABORT_EXTENSION
from gateway.sandbox.sandbox import COMETLY_KEY, GATELY_KEY, GATELY_PROJECT_ID, KLEN_KEY, Sandbox
from gateway.sandbox.simulator import Simulator

Ports = tuple[int, int, int]


class PortUnavailable(OSError):
    """A simulator's port cannot be opened; the text names it."""


@dataclass(frozen=True, slots=True)
class SimulatorUrls:
    """Where a simulator listens: the API with its path, and the control endpoints."""

    base_url: str
    control_url: str


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    sandbox: Sandbox
    gately: SimulatorUrls
    cometly: SimulatorUrls
    klen: SimulatorUrls

    def environment(self) -> dict[str, str]:
        """The environment variables with which a gateway talks to this sandbox."""
        return {
            "GATELY_API_KEY": GATELY_KEY,
            "GATELY_PROJECT_ID": GATELY_PROJECT_ID,
            "GATELY_BASE_URL": self.gately.base_url,
            "COMETLY_API_KEY": COMETLY_KEY,
            "COMETLY_BASE_URL": self.cometly.base_url,
            "COMETLY_TIMEZONE": self.sandbox.cometly.switches.timezone,
            "COMETLY_CUSTOM_FIELDS": json.dumps(SLOT_NAMES),
            "KLEN_API_KEY": KLEN_KEY,
            "KLEN_BASE_URL": self.klen.base_url,
        }


@contextlib.asynccontextmanager
async def running(sandbox: Sandbox, host: str = "127.0.0.1", ports: Ports = (0, 0, 0)) -> AsyncIterator[RunningSandbox]:
    """Serve the sandbox in this event loop; port 0 takes any free one.

    Raises: PortUnavailable when a port cannot be opened.
    """
    async with contextlib.AsyncExitStack() as stack:
        sockets = [
            stack.enter_context(_bound(host, port, simulator))
            for simulator, port in zip(sandbox.simulators, ports, strict=True)
        ]
        served = zip(sandbox.simulators, sockets, strict=True)
        servers = [_LoopbackServer(simulator, listener) for simulator, listener in served]
        try:
            await asyncio.gather(*(server.start() for server in servers))
            urls = [server.urls for server in servers]
            yield RunningSandbox(sandbox, *urls)
        finally:
            await asyncio.gather(*(server.stop() for server in servers))


@contextlib.contextmanager
def running_in_thread(sandbox: Sandbox, host: str = "127.0.0.1", ports: Ports = (0, 0, 0)) -> Iterator[RunningSandbox]:
    """`running` in an event loop of its own thread, for tests that are not asynchronous.

    Raises: PortUnavailable when a port cannot be opened.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sandbox", daemon=True)
    thread.start()
    context = running(sandbox, host, ports)
    try:
        served = asyncio.run_coroutine_threadsafe(_enter(context), loop).result()
        try:
            yield served
        finally:
            asyncio.run_coroutine_threadsafe(_leave(context), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _enter(context: contextlib.AbstractAsyncContextManager[RunningSandbox]) -> RunningSandbox:
    return await context.__aenter__()


async def _leave(context: contextlib.AbstractAsyncContextManager[RunningSandbox]) -> None:
    await context.__aexit__(None, None, None)


@contextlib.contextmanager
def _bound(host: str, port: int, simulator: Simulator) -> Iterator[socket.socket]:
    """A listening socket, so that a taken port is known before any server starts."""
    # Naming TCP lets asyncio switch Nagle's algorithm off; without it each answer waits some 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as failed:
        listener.close()
        raise PortUnavailable(f"{simulator.provider} cannot listen on {host}:{port}: {failed}") from failed
    try:
        yield listener
    finally:
        listener.close()


class _AbortableProtocol(HttpToolsProtocol):
    """Hands the application a way to close its connection, which ASGI has none for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {ABORT_EXTENSION: self.transport.abort}
        self.scope["extensions"] = extensions


class _LoopbackServer(Server):
    """One simulator on one socket, started and stopped from within the event loop."""

    def __init__(self, simulator: Simulator, listener: socket.socket) -> None:
        # Without log_config uvicorn leaves the logging of the process that embeds it alone.
        config = Config(
            simulator.app,
            http=_AbortableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            # A client that keeps a connection must not lose it to uvicorn's five idle seconds.
            timeout_keep_alive=75,
        )
        super().__init__(config)
        self._listener = listener
        self._simulator = simulator
        self._ready = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    @property
    def urls(self) -> SimulatorUrls:
        host, port = self._listener.getsockname()[:2]
        origin = f"http://{host}:{port}"
        return SimulatorUrls(origin + self._simulator.base_path, origin + CONTROL_PATH)

    async def start(self) -> None:
        self._serving = asyncio.create_task(self.serve(sockets=[self._listener]))
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait((self._serving, ready), return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            await self._serving

    async def stop(self) -> None:
        """Stop at once: a client that still waits, for one in a hang, sees its connection closed."""
        if self._serving is None:
            return
        self.should_exit = True
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        await self._serving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals belong to whoever runs the event loop.
        yield
