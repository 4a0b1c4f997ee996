"""The server: an application on a socket until a signal ends it; what runs then is answered first, for a while.

A second signal breaks off at once what still runs, in good order; a third one is the system's own and kills.
"""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from types import FrameType
from typing import Any, TypeAlias

import structlog
import uvicorn
from starlette.applications import Starlette

from gateway.http.connection import Connection
from gateway.http.ending import Ending, broken_off
from gateway.http.outlet import Turn
from gateway.http.services import Services
from gateway.http.settings import HttpSettings
from gateway.http.websocket_protocol import WebSocketProtocol

log = structlog.get_logger("gateway")


Told: TypeAlias = Callable[[Callable[[], None]], AbstractContextManager[None]]
"""Within it a function is called when the server is to end, and once more when it is to hurry."""


def by_signals(end: Callable[[], None]) -> AbstractContextManager[None]:
    """SIGINT or SIGTERM."""
    return _on_signals(lambda _: end(), times=2)


async def serve_app(
    application: Starlette,
    settings: HttpSettings,
    listener: socket.socket,
    say_where: Callable[[], None],
    told: Told = by_signals,
) -> None:
    """Until it is told to end: what runs ends first, then everything is closed."""
    server = build_server(application, settings)
    with told(partial(server.handle_exit, signal.SIGTERM, None)):
        # Entered here rather than by uvicorn, so that a database that cannot be opened ends the start clearly.
        async with application.router.lifespan_context(application):
            spare_the_collector()
            say_where()
            await server.serve(sockets=[listener])


# So many objects more than at its last look before the collector looks again. It finds hardly any: what answers a
# request leads nowhere back to itself and is freed by its counts. With the 700 of Python, lists and operations of many
# fields spend a tenth of their time on being looked through while they are under way. So many small objects take some
# 10 MiB, and a look at them some milliseconds.
COLLECTED_OBJECTS = 100_000


def spare_the_collector() -> None:
    """What the start has made stays until the end: no full collection has to walk through it, some 150 ms in which
    nobody is answered."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_OBJECTS)


def build_server(application: Starlette, settings: HttpSettings) -> "_Server":
    """Its caller enters the application's lifespan."""
    config = uvicorn.Config(
        application,
        http=partial(Connection, settings, Turn()),  # type: ignore[arg-type]  # called like the class that it stands for
        ws=WebSocketProtocol,
        ws_max_size=settings.max_body_bytes,
        # A small compressed message could grow past every limit while it is unpacked.
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Nothing here asks who is in front or which scheme they spoke; reading it from headers is one more wrapper.
        proxy_headers=False,
    )
    return _Server(config)


class _Server(uvicorn.Server):
    """Expected: a signal ends the server, and the program goes on. Actual: uvicorn raises the signal again when
    it has ended, which would cut off the closing of database and connections."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Event streams have no end of their own to wait for.
        self._ending.set()
        if await self._ending.bound(super().shutdown(sockets)):
            return
        running = set(self.server_state.tasks)
        log.warning("requests_broken_off", count=len(running))
        await broken_off(running)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self._ending.hurry()
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @property
    def _ending(self) -> Ending:
        """One that nobody waits for, while there are no services yet."""
        services: Services | None = getattr(self.config.app.state, "services", None)  # type: ignore[union-attr]
        return services.ending if services else Ending(0)


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
def _on_signals(handle: Callable[[signal.Signals], None], *, times: int | None = None) -> Iterator[None]:
    """After so many `times` a signal does what it does in any program."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    heard = 0

    def hear(signum: signal.Signals) -> None:
        nonlocal heard
        heard += 1
        if heard == times:
            forget()
        handle(signum)

    def forget() -> None:
        for signum in signals:
            loop.remove_signal_handler(signum)

    for signum in signals:
        loop.add_signal_handler(signum, hear, signum)
    try:
        yield
    finally:
        forget()
