"""A worker's place, as the worker and as its parent see it: where it listens, and how the two talk."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TypeAlias

END, HURRY = b"e", b"h"
"""What a worker is told: to end when what runs has been answered, and to break that off."""

# One that lived as long is replaced at once; one that did not, after a while that doubles up to the longest.
HEALTHY_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Post:
    """One worker's place: its number from 0, where it accepts connections, whence it is told, and whom it tells that
    it is ready."""

    number: int
    listener: socket.socket
    orders: Connection
    ready: Callable[[], None]


Work: TypeAlias = Callable[[Post], None]
"""Serves until it is told to end. SystemExit says how it ended, and whatever it says goes to standard error."""


@dataclass(slots=True)
class Place:
    """A worker as the parent sees it; the listener outlives it, so that whoever waits there is answered by the next."""

    number: int
    listener: socket.socket
    process: BaseProcess | None = None
    orders: Connection | None = None
    ready: Connection | None = None
    began: float = 0.0
    is_ready: bool = False
    failures: int = 0
    due: float | None = None

    def postpone(self) -> float:
        """Notes when it is due again; returns for how long it stays empty, in seconds."""
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (self.failures - 1)) if self.failures else 0.0
        self.due = time.monotonic() + pause
        return pause

    def clear(self) -> None:
        for end in (self.orders, self.ready):
            if end is not None:
                end.close()
        self.process = self.orders = self.ready = None
