"""One circuit: counts how calls end, opens when too many fail, and lets one probe at a time through afterwards."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from gateway.clock import Monotonic
from gateway.resilience.events import CircuitState
from gateway.resilience.settings import ResilienceSettings

BUCKETS = 10
"""The window slides by a tenth of itself."""


class Verdict(StrEnum):
    """What the end of a call says of the provider; NEUTRAL is nothing."""

    WORKS = "WORKS"
    FAILS = "FAILS"
    NEUTRAL = "NEUTRAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """`probe_in_seconds` is more than 0 only while the circuit is OPEN."""

    state: CircuitState
    probe_in_seconds: float = 0.0


_CLOSED = Circuit(state=CircuitState.CLOSED)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a call was let through on."""

    generation: int
    probe: bool = False


@dataclass(slots=True)
class _Bucket:
    number: int
    calls: int = 0
    failures: int = 0


class FailureWindow:
    """Calls and failures of the last so many seconds, in BUCKETS numbers, however many calls there are."""

    def __init__(self, seconds: float, clock: Monotonic) -> None:
        self._bucket_seconds = seconds / BUCKETS
        self._clock = clock
        self._buckets: deque[_Bucket] = deque(maxlen=BUCKETS)
        self._last_failure = -BUCKETS

    def add(self, *, failed: bool) -> bool:
        """Whether any of the last so many seconds has failed."""
        number = int(self._clock() / self._bucket_seconds)
        if not self._buckets or self._buckets[-1].number != number:
            self._buckets.append(_Bucket(number))
        bucket = self._buckets[-1]
        bucket.calls += 1
        if failed:
            bucket.failures += 1
            self._last_failure = number
        return self._last_failure > number - BUCKETS

    def reaches(self, ratio: float, *, least_calls: int) -> bool:
        """`ratio` is more than 0."""
        oldest = int(self._clock() / self._bucket_seconds) - BUCKETS
        recent = [bucket for bucket in self._buckets if bucket.number > oldest]
        calls = sum(bucket.calls for bucket in recent)
        return calls >= least_calls and sum(bucket.failures for bucket in recent) >= ratio * calls

    def clear(self) -> None:
        self._buckets.clear()
        self._last_failure = -BUCKETS


class Switch:
    """The circuit of one kind of call. A generation ends whenever it opens or closes; a call that began in an earlier
    one says nothing any more when it ends."""

    def __init__(self, settings: ResilienceSettings, clock: Monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._window = FailureWindow(settings.breaker_window_seconds, clock)
        self._in_a_row = 0
        self._generation = 0
        self._ticket = Ticket(0)
        self._opened_at: float | None = None
        self._probing = False

    @property
    def circuit(self) -> Circuit:
        if self._opened_at is None:
            return _CLOSED
        left = self._opened_at + self._settings.breaker_open_seconds - self._clock()
        if left > 0:
            return Circuit(state=CircuitState.OPEN, probe_in_seconds=left)
        return Circuit(state=CircuitState.HALF_OPEN)

    def enter(self) -> Ticket | None:
        """None: the call may not be made. Whoever gets a ticket has to `leave` with it, however the call ends."""
        if self._opened_at is None:
            return self._ticket
        if self._probing or self.circuit.state is CircuitState.OPEN:
            return None
        self._probing = True
        return Ticket(self._generation, probe=True)

    def leave(self, ticket: Ticket, verdict: Verdict) -> None:
        if ticket.generation != self._generation:
            return
        if ticket.probe:
            self._probing = False
            if verdict is not Verdict.NEUTRAL:
                self._begin(opened_at=self._clock() if verdict is Verdict.FAILS else None)
        elif verdict is not Verdict.NEUTRAL:
            self._count(failed=verdict is Verdict.FAILS)

    def _count(self, *, failed: bool) -> None:
        some_failed = self._window.add(failed=failed)
        self._in_a_row = self._in_a_row + 1 if failed else 0
        if not some_failed:
            return
        settings = self._settings
        too_many = self._window.reaches(settings.breaker_ratio, least_calls=settings.breaker_calls)
        if too_many or self._in_a_row >= settings.breaker_failures:
            self._begin(opened_at=self._clock())

    def _begin(self, *, opened_at: float | None) -> None:
        self._generation += 1
        self._ticket = Ticket(self._generation)
        self._opened_at = opened_at
        self._in_a_row = 0
        self._window.clear()
