"""Calls to one provider are bounded, and so are those that wait: a slow one takes nothing from the rest."""

import asyncio

from gateway.clock import Clocks
from gateway.domain.contact import Provider
from gateway.domain.errors import DeadlineExceeded, ProviderCrowded, ProviderFailure
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.resilience.events import PolicyEvents
from gateway.resilience.operation import Operation, current_operation
from gateway.resilience.policy import Send
from gateway.resilience.settings import ResilienceSettings
from gateway.resilience.waiting import ends_within


class Bulkhead:
    """The places of one provider. While one is free, nobody waits."""

    def __init__(
        self,
        provider: Provider,
        display_name: str,
        settings: ResilienceSettings,
        *,
        clocks: Clocks,
        events: PolicyEvents,
    ) -> None:
        self._provider = provider
        self._name = display_name
        self._settings = settings
        self._clocks = clocks
        self._events = events
        self._free = settings.max_calls_at_once
        # In the order in which they came.
        self._queue: dict[asyncio.Future[None], Operation] = {}

    @property
    def waiting(self) -> int:
        """How many calls wait for a place."""
        return len(self._queue)

    def bounded(self, _: Provider, send: Send) -> Send:
        """The policy: the nearer to the attempt it stands, the shorter a place is taken."""

        async def guarded(call: Call) -> Reply:
            if self._free:
                self._free -= 1
            else:
                await self._place_came(call.kind)
            try:
                return await send(call)
            finally:
                self._leave()

        return guarded

    async def _place_came(self, kind: CallKind) -> None:
        """
        Raises:
            ProviderCrowded: at once when too many wait already, or when no place came in time.
            DeadlineExceeded: the operation's time ended before a place came.
        """
        if len(self._queue) >= self._settings.max_waiting_calls:
            raise self._refused(kind, self._crowded())
        started = self._clocks.monotonic()
        with current_operation().tally.of(self._provider).waiting(self._clocks.monotonic):
            came = await self._turn_came()
        self._events.waited(self._provider, kind, self._clocks.monotonic() - started)
        if not came:
            late = current_operation().seconds_left == 0
            raise self._refused(kind, self._late() if late else self._crowded())

    async def _turn_came(self) -> bool:
        running = current_operation()
        left = running.seconds_left
        longest = self._settings.rate_wait_seconds
        turn = asyncio.get_running_loop().create_future()
        self._queue[turn] = running
        try:
            return await ends_within(turn, longest if left is None else min(longest, left), self._clocks)
        except asyncio.CancelledError:
            if turn.done():
                # The place came in the very moment in which nobody wanted it any more.
                self._leave()
            raise
        finally:
            self._queue.pop(turn, None)

    def _leave(self) -> None:
        if not self._queue:
            self._free += 1
            return
        # Looked at now rather than at the beginning: somebody in a hurry may have joined what began in the background.
        turn = next((turn for turn, running in self._queue.items() if not running.background), None)
        turn = turn or next(iter(self._queue))
        del self._queue[turn]
        turn.set_result(None)

    def _refused(self, kind: CallKind, failure: ProviderFailure) -> ProviderFailure:
        self._events.held_back(self._provider, kind, failure.code)
        return failure

    def _crowded(self) -> ProviderCrowded:
        message = f"Too many calls to {self._name} are under way in this gateway; try again in a moment."
        return ProviderCrowded(self._provider, message)

    def _late(self) -> DeadlineExceeded:
        message = f"The operation ran out of time while it waited for other calls to {self._name}."
        return DeadlineExceeded(self._provider, message)
