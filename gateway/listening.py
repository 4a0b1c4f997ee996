"""The sockets that the gateway accepts connections on, so that a port that is taken is known before anything starts."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from gateway.settings import GatewaySettings, WrongSettings

_BACKLOG = 2048


@contextmanager
def listening(settings: GatewaySettings, count: int = 1) -> Iterator[list[socket.socket]]:
    """One for each worker. Whoever calls from now on waits for the server instead of being refused.

    Linux spreads connections over the sockets of one port (socket(7), SO_REUSEPORT); with a single one, whoever wakes
    first takes every connection that waits. Where it does not, all workers have the same.

    Raises:
        WrongSettings: when the address cannot be had.
    """
    with ExitStack() as opened:
        try:
            sockets = _bound(settings, count, opened)
            for one in sockets:
                one.listen(_BACKLOG)
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise WrongSettings(
                f"GATEWAY_HOST and GATEWAY_PORT: cannot listen on {where} ({error.strerror}). Give a free one."
            ) from None
        yield sockets


def address(settings: GatewaySettings, listener: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.getsockname()[1]}"


def _bound(settings: GatewaySettings, count: int, opened: ExitStack) -> list[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET

    def bind(port: int, option: int) -> socket.socket:
        # Naming TCP lets asyncio switch Nagle's algorithm off, which would hold a body back behind its headers.
        one = opened.enter_context(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
        one.setsockopt(socket.SOL_SOCKET, option, 1)
        one.bind((settings.host, port))
        return one

    alone = bind(settings.port, socket.SO_REUSEADDR)
    if count == 1 or sys.platform != "linux":
        return [alone] * count
    # It was asked for alone first: those who share a port let anybody in who shares it too, another gateway as well.
    port = alone.getsockname()[1]
    alone.close()
    return [bind(port, socket.SO_REUSEPORT) for _ in range(count)]
