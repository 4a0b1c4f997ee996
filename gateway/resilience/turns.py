"""Who is next when a budget has no slot left: in turn between operations, whoever has somebody waiting goes first."""

import asyncio
from bisect import insort
from contextvars import Context
from dataclasses import dataclass

from gateway.clock import Clocks
from gateway.resilience.operation import Operation
from gateway.resilience.rate_limit import WINDOW_SECONDS
from gateway.resilience.slot_store import GIVEN_BACK, Ending, Full, Slot, SlotStore

# However soon a slot may be free again, nobody asks more often than this.
MIN_PAUSE_SECONDS = 0.05


class NoTurn(Exception):
    """No slot within the time; the next one that could be had is free in `free_in_seconds`."""

    def __init__(self, free_in_seconds: float) -> None:
        super().__init__()
        self.free_in_seconds = max(0.0, free_in_seconds)


class WaitingRoom:
    """The places for waiting calls of one provider, which its budgets share."""

    def __init__(self, places: int) -> None:
        self.places_left = places


@dataclass(slots=True, eq=False)
class _Waiter:
    """`rank` orders: interactive before background, then how many of its operation were ahead, then arrival."""

    operation: Operation
    rank: tuple[bool, int, int]
    gives_up_at: float
    hold_seconds: float
    turn: asyncio.Future[Slot]


class Turns:
    """One budget's slots and the calls that wait for them. While somebody waits, one task with one timer serves
    them."""

    def __init__(self, store: SlotStore, clocks: Clocks, room: WaitingRoom) -> None:
        self.store = store
        self._clocks = clocks
        self._room = room
        self._queue: list[_Waiter] = []
        self._arrivals = 0
        self._free_at: tuple[float, ...] = ()
        self._changed = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    async def at_once(self, operation: Operation, *, hold_seconds: float) -> Slot | None:
        """A slot if one is free and nobody waits for it."""
        if self._queue:
            return None
        spare = _spare(operation)
        answer = await self.store.take(hold_seconds=hold_seconds, spare=spare, wanted=1 + spare)
        if isinstance(answer, Slot):
            return answer
        self._note(answer)
        return None

    async def wait(self, operation: Operation, *, hold_seconds: float, wait_seconds: float) -> Slot:
        """
        Raises:
            NoTurn: as soon as it is known that waiting for so long would lead nowhere.
        """
        now = self._clocks.monotonic()
        free_at = self._expected(len(self._queue) + _spare(operation))
        # Whoever waits may go before or after this one; alone, it knows already.
        if self._room.places_left <= 0 or (not self._queue and free_at > now + wait_seconds):
            raise NoTurn(free_at - now)
        ahead = sum(waiter.operation is operation for waiter in self._queue)
        self._arrivals += 1
        waiter = _Waiter(
            operation=operation,
            rank=(operation.background, ahead, self._arrivals),
            gives_up_at=now + wait_seconds,
            hold_seconds=hold_seconds,
            turn=asyncio.get_running_loop().create_future(),
        )
        self._room.places_left -= 1
        try:
            return await self._turn_of(waiter)
        finally:
            self._room.places_left += 1

    def end(self, slot: Slot, ending: Ending) -> None:
        self.store.end(slot, ending, self._changed.set)

    async def aclose(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait({self._serving})
        await self.store.aclose()

    async def _turn_of(self, waiter: _Waiter) -> Slot:
        insort(self._queue, waiter, key=lambda one: one.rank)
        self._changed.set()
        if self._serving is None or self._serving.done():
            # Without the context of the operation that happens to come first: it must not live on in here.
            self._serving = asyncio.create_task(self._serve(), context=Context())
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            if waiter in self._queue:
                self._queue.remove(waiter)
                self._changed.set()
            elif not waiter.turn.cancelled() and waiter.turn.exception() is None:
                # Its turn came in the very moment in which it was called off.
                self.end(waiter.turn.result(), GIVEN_BACK)
            raise

    async def _serve(self) -> None:
        try:
            while self._queue:
                self._changed.clear()
                first = self._queue[0]
                answer = await self.store.take(
                    hold_seconds=first.hold_seconds, spare=_spare(first.operation), wanted=len(self._queue) + 1
                )
                if isinstance(answer, Slot):
                    self._hand_over(answer)
                    continue
                self._note(answer)
                self._dismiss()
                await self._pause()
        finally:
            # Empty, unless something broke: then nobody may wait for ever.
            for waiter in self._queue:
                if not waiter.turn.done():
                    waiter.turn.set_exception(NoTurn(WINDOW_SECONDS))
            self._queue.clear()

    def _hand_over(self, slot: Slot) -> None:
        while self._queue:
            waiter = self._queue.pop(0)
            # Called off already, and not yet out of the queue.
            if not waiter.turn.done():
                waiter.turn.set_result(slot)
                return
        self.end(slot, GIVEN_BACK)

    def _dismiss(self) -> None:
        """Whose slot comes too late need not wait for it. Who stands behind such a one moves up."""
        now, staying = self._clocks.monotonic(), list[_Waiter]()
        for waiter in self._queue:
            if waiter.turn.done():
                continue
            free_at = self._expected(len(staying) + _spare(waiter.operation))
            if free_at > waiter.gives_up_at or waiter.gives_up_at <= now:
                waiter.turn.set_exception(NoTurn(free_at - now))
            else:
                staying.append(waiter)
        self._queue = staying

    async def _pause(self) -> None:
        """Until the next slot is due, somebody's time is up, or something changes."""
        if not self._queue:
            return
        due = self._expected(_spare(self._queue[0].operation))
        until = min(due, *(waiter.gives_up_at for waiter in self._queue))
        seconds = max(MIN_PAUSE_SECONDS, until - self._clocks.monotonic())
        ends = {asyncio.ensure_future(self._clocks.sleep(seconds)), asyncio.ensure_future(self._changed.wait())}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    def _note(self, full: Full) -> None:
        now = self._clocks.monotonic()
        self._free_at = tuple(now + seconds for seconds in full.free_in_seconds)

    def _expected(self, ahead: int) -> float:
        """When the slot is free that so many others do not get; behind the known ones, a window later."""
        known = self._free_at or (self._clocks.monotonic(),)
        return known[ahead] if ahead < len(known) else known[-1] + WINDOW_SECONDS


def _spare(operation: Operation) -> int:
    """What the gateway does on its own leaves the last slot to whoever waits for an answer."""
    return 1 if operation.background else 0
