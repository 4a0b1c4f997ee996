"""Which records have been written to, so that nobody's cache tells what a write has changed.

It is memory that processes share which were forked after it was made: `gateway serve --workers` has a cache in each of
them. A record's place is found by its hash, so two records may share one: then a write to one of them costs the other a
call, and nothing else.
"""

from mmap import mmap
from zlib import crc32

from gateway.clock import Monotonic
from gateway.domain.contact import Provider, RecordKey

# For each process 1 MiB, of which the system gives a page when something is first written there.
_PLACES = 65_536
# Behind the places: of each provider, and of everything.
_OF_PROVIDER = {provider: _PLACES + number for number, provider in enumerate(Provider)}
_TOTAL = _PLACES + len(_OF_PROVIDER)
_COUNT_BYTES = (_TOTAL + 1) * 8
_ROW_BYTES = _COUNT_BYTES + _PLACES * 8


class Changes:
    """As one process writes it down, and as all of them read it. The clock has to be one for all of them."""

    def __init__(self, clock: Monotonic, rows: list[memoryview] | None = None, own: int = 0) -> None:
        rows = _rows(1) if rows is None else rows
        self._clock = clock
        # Each process has a row that nobody else writes to: two that count in one place would lose a change.
        self._counts = [row[:_COUNT_BYTES].cast("Q") for row in rows]
        self._unsettled = [row[_COUNT_BYTES:].cast("d") for row in rows]
        self._others = self._counts[:own] + self._counts[own + 1 :]
        self._own_counts, self._own_unsettled = self._counts[own], self._unsettled[own]

    def add(self, key: RecordKey, *, unsettled_seconds: float = 0) -> None:
        """The record may have changed, and for so many seconds may change yet."""
        place = place_of(key)
        self._own_counts[place] += 1
        self._own_counts[_OF_PROVIDER[key.provider]] += 1
        self._own_counts[_TOTAL] += 1
        if unsettled_seconds > 0:
            self._own_unsettled[place] = self._clock() + unsettled_seconds

    def note(self) -> None:
        """Something else has changed that is told of contacts: links, or what is known of a write."""
        self._own_counts[_TOTAL] += 1

    @property
    def total(self) -> int:
        """Never falls; stays the same while nothing at all has changed."""
        return self.count(_TOTAL)

    def of_others(self, provider: Provider) -> int:
        """Changes of this provider's records that other processes have written down. Never falls."""
        place, total = _OF_PROVIDER[provider], 0
        for counts in self._others:
            total += counts[place]
        return total

    def count(self, place: int) -> int:
        """Never falls; what was read of a record is as it is while this stays the same for its place."""
        total = 0
        for counts in self._counts:
            total += counts[place]
        return total

    def is_unsettled(self, place: int) -> bool:
        now = self._clock()
        return any(until[place] > now for until in self._unsettled)


def shared_changes(processes: int, clock: Monotonic) -> list[Changes]:
    """One for each process; make them before any of them is forked."""
    rows = _rows(processes)
    return [Changes(clock, rows, own) for own in range(processes)]


def _rows(processes: int) -> list[memoryview]:
    memory = memoryview(mmap(-1, processes * _ROW_BYTES))
    return [memory[first : first + _ROW_BYTES] for first in range(0, len(memory), _ROW_BYTES)]


def place_of(key: RecordKey) -> int:
    """Where the changes of a record are counted, in every process."""
    # Not Python's own hash, which is another one in each process unless they were forked.
    return crc32(f"{key.provider}:{key.remote_id}".encode()) % _PLACES
