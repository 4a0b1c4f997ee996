"""The answers that one provider is sending fit into so much memory together, however many come at a time."""

from typing import Self


class ReplyMemory:
    """`held_bytes` never counts a reply that has been read to its end, or given up."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.held_bytes = 0

    def share(self) -> "MemoryShare":
        """What one reply takes is given back at the end of the block."""
        return MemoryShare(self)

    def is_over(self) -> bool:
        return self.held_bytes > self._max_bytes


class MemoryShare:
    """The part of one reply."""

    __slots__ = ("_memory", "taken_bytes")

    def __init__(self, memory: ReplyMemory) -> None:
        self._memory = memory
        self.taken_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._memory.held_bytes -= self.taken_bytes

    def take(self, size: int) -> bool:
        """Takes it in any case; whether all replies still fit."""
        self.taken_bytes += size
        self._memory.held_bytes += size
        return not self._memory.is_over()
