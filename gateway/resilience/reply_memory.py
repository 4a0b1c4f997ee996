"""The answers that one provider is sending fit into so much memory together, however many come at a time."""

from collections.abc import Iterator
from contextlib import contextmanager


class ReplyMemory:
    """`held_bytes` never counts a reply that has been read to its end, or given up."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.held_bytes = 0

    @contextmanager
    def share(self) -> "Iterator[MemoryShare]":
        """What one reply takes is given back at the end of the block."""
        share = MemoryShare(self)
        try:
            yield share
        finally:
            self.held_bytes -= share.taken_bytes

    def is_over(self) -> bool:
        return self.held_bytes > self._max_bytes


class MemoryShare:
    """The part of one reply."""

    def __init__(self, memory: ReplyMemory) -> None:
        self._memory = memory
        self.taken_bytes = 0

    def take(self, size: int) -> bool:
        """Takes it in any case; whether all replies still fit."""
        self.taken_bytes += size
        self._memory.held_bytes += size
        return not self._memory.is_over()
