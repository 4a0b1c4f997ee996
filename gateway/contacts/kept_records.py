"""The shelf of the record cache: each record for the same time, so many bytes of them, the least asked for go first."""

from collections import OrderedDict

from msgspec import Struct

from gateway.clock import Monotonic
from gateway.domain.contact import Record, RecordKey


class Kept(Struct, frozen=True, gc=False):
    """A record with the moment of its question, and from when on it is true; `place` and `changes` are those of
    `gateway.contacts.changes` then."""

    record: Record
    asked_at: float
    true_at: float
    place: int
    changes: int
    size_bytes: int


class KeptRecords:
    """cachetools' TTLCache does the same in three times the time, which every read would take twice."""

    def __init__(self, *, seconds: float, max_bytes: int, clock: Monotonic) -> None:
        self._seconds, self._max_bytes, self._clock = seconds, max_bytes, clock
        self._size_bytes = 0
        # Those asked for least recently first.
        self._kept: OrderedDict[RecordKey, Kept] = OrderedDict()
        # When each one's time is over, the soonest first.
        self._until: OrderedDict[RecordKey, float] = OrderedDict()

    @property
    def size_bytes(self) -> int:
        self._drop_old(self._clock())
        return self._size_bytes

    def get(self, key: RecordKey) -> Kept | None:
        """What is kept, for as long as it is; it is asked for by this."""
        kept = self._kept.get(key)
        if kept is None or self._until[key] <= self._clock():
            return None
        self._kept.move_to_end(key)
        return kept

    def put(self, key: RecordKey, kept: Kept) -> None:
        """In the place of what was there. `kept` is not larger than all of them may be."""
        now = self._clock()
        self.drop(key)
        self._drop_old(now)
        self._size_bytes += kept.size_bytes
        while self._size_bytes > self._max_bytes:
            self.drop(next(iter(self._kept)))
        self._kept[key] = kept
        self._until[key] = now + self._seconds

    def drop(self, key: RecordKey) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            del self._until[key]
            self._size_bytes -= kept.size_bytes

    def _drop_old(self, now: float) -> None:
        while self._until:
            key = next(iter(self._until))
            if self._until[key] > now:
                return
            self.drop(key)
