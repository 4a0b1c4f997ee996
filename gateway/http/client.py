"""The client of one request, as the connection knows it: whether all of its request is here, and when it leaves.

ASGI tells of that by `receive` alone, which somebody has to wait for: one more task for each request, made and
cancelled. Our own server puts this into the scope; under any other, `receive` is waited for.
"""

from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

CLIENT: Final = "gateway.client"
"""Where it stands in the scope."""

Hear: TypeAlias = Callable[[], None]


class Reading(Protocol):
    """What decides whether the connection is read from."""

    def resume_reading(self) -> None: ...


class Client:
    """It may have left already when somebody wants to hear of it."""

    __slots__ = ("_call_soon", "_has_left", "_hear", "_reading", "is_all_here")

    def __init__(self, reading: Reading, call_soon: Callable[[Hear], object]) -> None:
        self._reading, self._call_soon = reading, call_soon
        self._hear: Hear | None = None
        self._has_left = False
        self.is_all_here = False

    def when_left(self, hear: Hear) -> None:
        """Calls it once, from the event loop, unless it is forgotten before."""
        self._hear = hear
        # Who does not read does not learn that nothing comes any more.
        self._reading.resume_reading()
        if self._has_left:
            self._call_soon(self._tell)

    def forget(self) -> None:
        self._hear = None

    def leave(self) -> None:
        self._has_left = True
        self._tell()

    def _tell(self) -> None:
        hear, self._hear = self._hear, None
        if hear is not None:
            hear()
