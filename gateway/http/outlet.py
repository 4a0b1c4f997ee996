"""What goes out to clients: at once, or together with the other answers that a turn of the event loop made.

A write is a call of the system, and where its reader sleeps it wakes it: a fifth of what a small answer costs
(docs/adr/0025). Of writes that stand behind one another only the first one wakes.
"""

import asyncio
from contextvars import Context


class Turn:
    """One for an event loop: the connections with something to go out when what is ready now has run."""

    __slots__ = ("_context", "_outlets")

    def __init__(self) -> None:
        self._outlets: list[Outlet] = []
        # Nobody's: an alarm that is set because one client does not read must not hold on to another one's request.
        self._context = Context()

    def add(self, outlet: "Outlet", loop: asyncio.AbstractEventLoop) -> None:
        if not self._outlets:
            loop.call_soon(self._end, context=self._context)
        self._outlets.append(outlet)

    def _end(self) -> None:
        outlets, self._outlets = self._outlets, []
        for outlet in outlets:
            outlet.flush()


class Outlet:
    """Of one connection. Bytes go out in the order in which they are given; call `flush` before whatever closes the
    transport or hands it over. What comes after its end, or after the client has left, goes nowhere."""

    __slots__ = ("_is_over", "_loop", "_transport", "_turn", "_waiting")

    def __init__(self, transport: asyncio.Transport, turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._turn, self._loop = transport, turn, loop
        self._waiting = b""
        self._is_over = False

    def write(self, data: bytes) -> None:
        if self._waiting:
            self.flush()
        if not self._is_over:
            self._transport.write(data)

    def write_soon(self, data: bytes) -> None:
        if not self._waiting:
            self._turn.add(self, self._loop)
        self._waiting += data

    def flush(self) -> None:
        """Raises nothing: others may stand behind it in the same turn."""
        data, self._waiting = self._waiting, b""
        if data and not self._is_over and not self._transport.is_closing():
            self._transport.write(data)

    def end(self) -> None:
        """The client is told that nothing more comes; what it still sends can be read."""
        self.flush()
        self._is_over = True
        self._transport.write_eof()
