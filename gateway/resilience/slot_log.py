"""The calls of one budget that a provider may still count, each with the moment from which it surely does not.

A call arrives at the provider somewhere between its begin and its end. Where each holds a slot from its begin until a
window after its end, no window at the provider ever sees more calls than there are slots.
"""

from bisect import bisect_left, insort
from collections.abc import Callable
from itertools import count

from gateway.clock import Monotonic
from gateway.resilience.rate_limit import WINDOW_SECONDS, RateLimit
from gateway.resilience.slot_store import MAX_CLOSED_SECONDS, MIN_CLOSED_SECONDS, Ending, Full, Slot, Standing

_OTHERS = "others:"


class SlotLog:
    """Holds as many entries as the limit has calls, and not one more.

    What runs keeps its slot until its end is noted, however long that takes.
    """

    def __init__(self, limit: RateLimit, clock: Monotonic) -> None:
        self._ceiling = limit.ceiling
        self._size = limit.calls
        self._clock = clock
        # Sorted. The id makes each entry one of a kind, so that it can be found again.
        self._busy: list[tuple[float, str]] = []
        self._until: dict[str, float] = {}
        self._running: set[str] = set()
        self._begun = 0
        self._closed_until = float("-inf")
        self._others = count()

    def take(self, slot_id: str, *, hold_seconds: float, spare: int, wanted: int) -> Slot | Full:
        now = self._forget()
        # A limit of one has nothing to spare.
        spare = min(spare, self._size - 1)
        if self._closed_until > now or len(self._busy) + spare >= self._size:
            return Full(free_in_seconds=self._free_in(now, wanted))
        self._begun += 1
        self._running.add(slot_id)
        self._add(slot_id, now + hold_seconds)
        return Slot(id=slot_id, seen_before=len(self._busy) - self._begun)

    def end(self, slot: Slot, ending: Ending, *, counts_others: bool = True) -> None:
        """`counts_others` is false where whoever else uses the limit is counted elsewhere."""
        now = self._forget()
        self._running.discard(slot.id)
        self._remove(slot.id)
        if ending.hold_seconds > 0:
            self._add(slot.id, now + ending.hold_seconds)
        if ending.limit is not None:
            self._size = max(1, min(ending.limit, self._ceiling))
        if counts_others and ending.remaining is not None:
            self._take_for_others(slot, ending, ending.remaining, now)
        if ending.refused:
            seconds = ending.closed_seconds
            if seconds is None:
                seconds = max(MIN_CLOSED_SECONDS, self._free_in(now, 1)[0])
            self._closed_until = max(self._closed_until, now + min(seconds, MAX_CLOSED_SECONDS))

    def standing(self) -> Standing:
        now = self._forget()
        closed_for = max(0.0, self._closed_until - now)
        busy_for = self._busy[-1][0] - now if self._busy else 0.0
        return Standing(
            limit=self._size,
            remaining=0 if closed_for else max(0, self._size - len(self._busy)),
            full_in_seconds=max(closed_for, busy_for),
        )

    def own(self) -> tuple[tuple[str, float], ...]:
        """The calls of this process with the seconds for which each one still counts."""
        now = self._forget()
        return tuple((slot_id, until - now) for until, slot_id in self._busy if not slot_id.startswith(_OTHERS))

    def _take_for_others(self, slot: Slot, ending: Ending, remaining: int, now: float) -> None:
        """More is used up there than can be ours, so the limit has other users. Nothing is ever given back for a
        larger number: it is older than what has begun since."""
        counted_there = (ending.limit if ending.limit is not None else self._size) - remaining
        missing = min(counted_there - (slot.seen_before + self._begun), self._size - len(self._busy))
        for _ in range(missing):
            self._add(f"{_OTHERS}{next(self._others)}", now + ending.others_hold_seconds)

    def _free_in(self, now: float, wanted: int) -> tuple[float, ...]:
        free = min(wanted, max(0, self._size - len(self._busy)))
        first = max(0, len(self._busy) - self._size)
        busy = (until for until, _ in self._busy[first : first + wanted - free])
        return tuple(max(at, self._closed_until) - now for at in (*[now] * free, *busy))

    def _forget(self) -> float:
        now = self._clock()
        while self._busy and self._busy[0][0] <= now:
            _, slot_id = self._busy.pop(0)
            del self._until[slot_id]
            if slot_id in self._running:
                self._add(slot_id, now + WINDOW_SECONDS)
        return now

    def _add(self, slot_id: str, until: float) -> None:
        insort(self._busy, (until, slot_id))
        self._until[slot_id] = until

    def _remove(self, slot_id: str) -> None:
        until = self._until.pop(slot_id, None)
        if until is not None:
            del self._busy[bisect_left(self._busy, (until, slot_id))]


class LocalSlots:
    """The slots of one process, for itself."""

    def __init__(self, limit: RateLimit, clock: Monotonic) -> None:
        self._log = SlotLog(limit, clock)
        self._ids = count()

    async def take(self, *, hold_seconds: float, spare: int, wanted: int) -> Slot | Full:
        return self._log.take(f"{next(self._ids)}", hold_seconds=hold_seconds, spare=spare, wanted=wanted)

    def end(self, slot: Slot, ending: Ending, then: Callable[[], None]) -> None:
        self._log.end(slot, ending)
        then()

    def standing(self) -> Standing:
        return self._log.standing()

    async def aclose(self) -> None:
        return None
