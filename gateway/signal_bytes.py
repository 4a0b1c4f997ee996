"""Signals as something that can be waited for together with other things, in a program without an event loop."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def signals_as_bytes() -> Iterator[socket.socket]:
    """A socket that has a byte for each SIGINT and SIGTERM that came."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    before: dict[signal.Signals, Any] = {}
    wakeup = signal.set_wakeup_fd(writer.fileno())
    try:
        for signum in (signal.SIGINT, signal.SIGTERM):
            before[signum] = signal.signal(signum, lambda *_: None)
        yield reader
    finally:
        signal.set_wakeup_fd(wakeup)
        for signum, handler in before.items():
            signal.signal(signum, handler)
        reader.close()
        writer.close()
