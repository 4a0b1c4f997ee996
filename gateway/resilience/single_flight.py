"""Reads that are the same and come at the same time are one call, and everybody who waits for it gets its answer."""

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy
from typing import TypeAlias

from msgspec import Struct

from gateway.clock import Clocks
from gateway.domain.contact import Provider
from gateway.domain.errors import DeadlineExceeded, ProviderFailure, ProviderUnreachable
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.resilience.events import PolicyEvents
from gateway.resilience.operation import Operation, current_operation, running
from gateway.resilience.policy import Send
from gateway.resilience.waiting import ends_within

LAST_WORD_SECONDS = 0.25
"""How long the last who waits goes on after the deadline: the attempt is cut off in that same moment, and what it has
to say of the provider is worth more than that time ran out."""

Changes: TypeAlias = Callable[[Provider], int]
"""How many changes of a provider's records other processes have noted until now."""


def by_nobody_else(_: Provider) -> int:
    """There are no other processes."""
    return 0


_Key: TypeAlias = tuple[CallKind, str, str, tuple[tuple[str, str], ...]]


class _Flight(Struct, kw_only=True):
    """One call under way. `operation` is its own, so that it may outlive the one that it was begun for; `changes` are
    those that others had made when it began."""

    key: _Key
    operation: Operation
    task: "asyncio.Task[Reply | Exception]"
    changes: int
    waiters: int = 0


class Flights:
    """The reads under way to one provider with one credential: what it may show, it may show to all who may read there.

    Each has somebody who waits for it, or it is cancelled; so there are never more of them than reads that running
    operations wait for, and of those only as many are sent or queued as the policies inside let in.
    """

    def __init__(
        self, *, attempt_seconds: float, clocks: Clocks, events: PolicyEvents, changes: Changes = by_nobody_else
    ) -> None:
        self._attempt_seconds = attempt_seconds
        self._changes = changes
        self._clocks = clocks
        self._events = events
        self._open: dict[_Key, _Flight] = {}
        self._tasks: set[asyncio.Task[Reply | Exception]] = set()

    @property
    def under_way(self) -> int:
        return len(self._tasks)

    def joined(self, provider: Provider, send: Send) -> Send:
        """The policy: what stands inside of it happens once for all who wait."""

        def guarded(call: Call) -> Awaitable[Reply]:
            if call.kind.writes:
                return self._written(call, send)
            waiting = current_operation()
            if call.body is not None or not waiting.shares_reads:
                return send(call)
            return self._shared(provider, call, send, waiting)

        return guarded

    async def aclose(self) -> None:
        """Breaks off what is still under way."""
        self._open.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _written(self, call: Call, send: Send) -> Reply:
        """Whoever reads after a write has begun, or after it has ended, must not get what was read before."""
        self._open.clear()
        try:
            return await send(call)
        finally:
            self._open.clear()

    def _board(self, provider: Provider, call: Call, send: Send, waiting: Operation) -> _Flight:
        query = tuple(sorted(call.query.items())) if call.query else ()
        key = (call.kind, call.method, call.path, query)
        flight, changes = self._open.get(key), self._changes(provider)
        # What another process has written since may be missing in it.
        if flight is not None and flight.changes == changes and self._lasts_for(flight, waiting):
            _extend(flight.operation, waiting)
            waiting.tally.of(provider).shared += 1
            self._events.shared(provider, call.kind)
        else:
            flight = self._begin(key, waiting, call, send, changes)
        flight.waiters += 1
        return flight

    def _lasts_for(self, flight: _Flight, waiting: Operation) -> bool:
        """An attempt under way is cut off at the deadline that it began with. Whoever has more time than that does not
        join, since somebody else's hurry would become their failure."""
        left, wanted = flight.operation.seconds_left, waiting.seconds_left
        return left is None or left >= self._attempt_seconds or (wanted is not None and wanted <= left)

    def _begin(self, key: _Key, waiting: Operation, call: Call, send: Send, changes: int) -> _Flight:
        operation = waiting.lent()
        task = asyncio.create_task(self._fly(key, operation, call, send))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        flight = self._open[key] = _Flight(key=key, operation=operation, task=task, changes=changes)
        return flight

    async def _fly(self, key: _Key, operation: Operation, call: Call, send: Send) -> Reply | Exception:
        try:
            with running(operation):
                return await send(call)
        except ProviderFailure as failure:
            return failure.settled()
        except Exception as unexpected:
            return unexpected
        finally:
            self._close(key, operation)

    def _close(self, key: _Key, operation: Operation) -> None:
        flight = self._open.get(key)
        if flight is not None and flight.operation is operation:
            del self._open[key]

    async def _shared(self, provider: Provider, call: Call, send: Send, waiting: Operation) -> Reply:
        flight = self._board(provider, call, send, waiting)
        try:
            ended = await ends_within(flight.task, waiting.seconds_left, self._clocks) or await self._last_word(flight)
        finally:
            flight.waiters -= 1
            if not flight.waiters:
                flight.task.cancel()
                self._close(flight.key, flight.operation)
        if not ended:
            raise DeadlineExceeded(provider, "The operation ran out of time before this provider answered.")
        if flight.task.cancelled():
            raise ProviderUnreachable(provider, "The gateway is being stopped; try again.")
        outcome = flight.task.result()
        if isinstance(outcome, Exception):
            raise _anew(outcome)
        return outcome

    async def _last_word(self, flight: _Flight) -> bool:
        left = flight.operation.seconds_left
        is_last = left is not None and left < LAST_WORD_SECONDS
        return is_last and await ends_within(flight.task, LAST_WORD_SECONDS, self._clocks)


def _extend(operation: Operation, waiting: Operation) -> None:
    """It lives as long as the latest deadline, and hurries as much as the greatest hurry, of those who wait."""
    left, wanted = operation.seconds_left, waiting.seconds_left
    if left is None or wanted is None:
        operation.deadline = None
    else:
        operation.deadline = operation.clock() + max(left, wanted)
    operation.background = operation.background and waiting.background


def _anew(error: Exception) -> Exception:
    if isinstance(error, ProviderFailure):
        return error.anew()
    try:
        made = copy(error)
    except Exception:
        # Its class wants to be made in a way that only it knows.
        made = RuntimeError(type(error).__name__)
    return made.with_traceback(error.__traceback__)
