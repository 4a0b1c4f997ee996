"""Ports for servers that are started by their number, some of them again and again."""

import socket
from random import SystemRandom

# Below what Linux, macOS and Windows give to whoever asks for any port: a connection of another test, or port 0.
_CHOICE = range(20_000, 32_768)


def lasting_port() -> int:
    """A free port of 127.0.0.1, which nobody gets by chance before or while its server is down."""
    # Not from the module's state, which Hypothesis seeds: others would choose the same.
    chance = SystemRandom()
    while True:
        port = chance.choice(_CHOICE)
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
