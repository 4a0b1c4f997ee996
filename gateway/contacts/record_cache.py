"""Whole records that were read lately: fresh ones save a call, older ones stand in for a provider that is down.

Each process keeps its own, per provider and with that the credential of its connector; what one worker of a gateway has
written to, none of them tells any more. Only what a provider said of a record by its id is kept; lists and look-ups are
not.
"""

from collections.abc import Iterable
from typing import Protocol, Self

from msgspec import Struct

from gateway.clock import Clocks, Monotonic
from gateway.contacts.changes import Changes, place_of
from gateway.contacts.kept_records import Kept, KeptRecords
from gateway.contacts.record_memory import memory_of
from gateway.domain.contact import Provider, Record, RecordKey
from gateway.domain.errors import ErrorCode, ProviderFailure
from gateway.domain.exchange import CallKind
from gateway.resilience.events import PolicyEvents
from gateway.resilience.operation import current_operation
from gateway.resilience.permission import refuse_unpermitted

# What the tables take beside the record itself.
_ENTRY_BYTES = 1024

# The provider is down, or not to be asked now.
_DOWN = frozenset(
    {
        ErrorCode.PROVIDER_UNREACHABLE,
        ErrorCode.PROVIDER_UNAVAILABLE,
        ErrorCode.PROVIDER_TIMEOUT,
        ErrorCode.PROVIDER_BAD_RESPONSE,
        ErrorCode.RATE_LIMITED,
        ErrorCode.DEADLINE_EXCEEDED,
    }
)


class KeepingSettings(Protocol):
    """What the gateway's settings say of it."""

    read_cache_seconds: float
    stale_if_error_seconds: float
    read_cache_bytes: int
    settling_seconds: float


class Aged(Struct, frozen=True):
    """A record, and how many seconds ago it was asked for."""

    record: Record
    age_seconds: int


class Asking:
    """A read under way. `true_at` and `changes`: the answer may be as old as that, and know no change after those."""

    __slots__ = ("_cache", "answer", "asked_at", "changes", "key", "place", "true_at")
    asked_at: float
    true_at: float
    place: int
    changes: int

    def __init__(self, cache: "RecordCache", key: RecordKey) -> None:
        self._cache = cache
        self.key = key
        self.answer: Record | None = None

    def __enter__(self) -> Self:
        self._cache.begin(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.answer = None
        self._cache.end(self)


class RecordCache:
    """The records of one provider, as its one credential sees them: at most `max_bytes` of them, those asked for
    least recently go first. After a write without an answer nothing is kept of its record for `settling_seconds`."""

    def __init__(
        self,
        *,
        keep_seconds: float,
        max_bytes: int,
        settling_seconds: float,
        clock: Monotonic,
        changes: Changes,
    ) -> None:
        self._clock, self._changes = clock, changes
        self._keep_seconds, self._max_bytes, self._settling_seconds = keep_seconds, max_bytes, settling_seconds
        self._kept = KeptRecords(seconds=keep_seconds, max_bytes=max_bytes, clock=clock)
        self._asking: dict[RecordKey, list[Asking]] = {}

    @property
    def size_bytes(self) -> int:
        return self._kept.size_bytes

    def find(self, key: RecordKey, *, max_age_seconds: float) -> Aged | None:
        """The record, if it is not older than that; nothing is new enough for 0."""
        if max_age_seconds <= 0:
            return None
        kept = self._kept.get(key)
        if kept is None or kept.changes != self._changes.count(kept.place):
            return None
        age = self._clock() - kept.true_at
        return Aged(kept.record, int(age)) if age <= max_age_seconds else None

    def asking(self, key: RecordKey) -> Asking:
        """Around one read: the `answer` that is put down is kept, unless a write went to the record meanwhile."""
        return Asking(self, key)

    def begin(self, asking: Asking) -> None:
        asking.asked_at, under_way = self._clock(), self._asking.get(asking.key)
        if under_way is None:
            asking.place = place_of(asking.key)
            asking.true_at, asking.changes = asking.asked_at, self._changes.count(asking.place)
            self._asking[asking.key] = [asking]
            return
        # It may share the call of one that began before a write.
        first = under_way[0]
        asking.place, asking.true_at, asking.changes = first.place, first.true_at, first.changes
        under_way.append(asking)

    def end(self, asking: Asking) -> None:
        under_way = self._asking[asking.key]
        under_way.remove(asking)
        if not under_way:
            del self._asking[asking.key]
        if asking.answer is not None and self._keep_seconds > 0 and self._is_as_it_was(asking):
            self._keep(asking, asking.answer)

    def _is_as_it_was(self, asking: Asking) -> bool:
        return asking.changes == self._changes.count(asking.place) and not self._changes.is_unsettled(asking.place)

    def drop(self, key: RecordKey, *, unsettled: bool = False) -> None:
        """Forgets a record that may have changed, and what is being read of it. `unsettled`: the change may still be
        to come, so for a while nothing is kept of it at all."""
        self._kept.drop(key)
        self._changes.add(key, unsettled_seconds=self._settling_seconds if unsettled else 0)

    def _keep(self, asking: Asking, record: Record) -> None:
        before = self._kept.get(asking.key)
        if before is not None:
            if before.asked_at > asking.asked_at:
                return
            if before.record is record and before.changes == asking.changes:
                # The answer of a call that was shared: whoever came first has put it there.
                return
        size_bytes = _ENTRY_BYTES + memory_of(record)
        if size_bytes > self._max_bytes:
            # What is there is older.
            self._kept.drop(asking.key)
            return
        kept = Kept(record, asking.asked_at, asking.true_at, asking.place, asking.changes, size_bytes)
        self._kept.put(asking.key, kept)


class RecordCaches:
    """One cache per provider. Nobody is given a record that they may not read, whoever read it before."""

    def __init__(
        self,
        providers: Iterable[Provider],
        settings: KeepingSettings,
        *,
        clocks: Clocks,
        events: PolicyEvents,
        changes: Changes,
    ) -> None:
        self._fresh_seconds = settings.read_cache_seconds
        self._stale_seconds = settings.stale_if_error_seconds
        self._events = events
        self._caches = {
            provider: RecordCache(
                keep_seconds=max(self._fresh_seconds, self._stale_seconds),
                max_bytes=settings.read_cache_bytes,
                settling_seconds=settings.settling_seconds,
                clock=clocks.monotonic,
                changes=changes,
            )
            for provider in providers
        }

    def of(self, provider: Provider) -> RecordCache:
        return self._caches[provider]

    def fresh(self, key: RecordKey, max_age_seconds: int | None) -> Aged | None:
        """The record, if it is new enough for the settings and for whoever asks (None: for them everything is).

        Raises:
            CallerNotPermitted: whether it is kept or not.
        """
        return self._find(key, self._fresh_seconds, max_age_seconds, stale=False)

    def stand_in(self, key: RecordKey, failure: ProviderFailure, max_age_seconds: int | None) -> Aged | None:
        """An older record in the place of this failure, where it says that the provider is down.

        Raises:
            CallerNotPermitted: as `fresh` does.
        """
        if not is_down(failure):
            return None
        return self._find(key, self._stale_seconds, max_age_seconds, stale=True)

    def drop(self, key: RecordKey | None, *, unsettled: bool = False) -> None:
        """For whoever writes to a record, before and afterwards; None: there is none yet."""
        if key is not None and (cache := self._caches.get(key.provider)) is not None:
            cache.drop(key, unsettled=unsettled)

    def _find(self, key: RecordKey, seconds: float, max_age_seconds: int | None, *, stale: bool) -> Aged | None:
        # What is kept does not pass gateway.upstream, where callers are held back else.
        refuse_unpermitted(CallKind.READ, key.provider)
        oldest = seconds if max_age_seconds is None else min(seconds, max_age_seconds)
        found = self.of(key.provider).find(key, max_age_seconds=oldest)
        if found is not None:
            current_operation().tally.of(key.provider).cache_hits += 1
            self._events.cached(key.provider, stale=stale)
        return found


def is_down(failure: ProviderFailure) -> bool:
    """Whether a failure says nothing of the record or the caller, only that the provider cannot be asked now."""
    status = failure.fault.upstream_status
    return failure.code in _DOWN or (failure.code is ErrorCode.PROVIDER_ERROR and status is not None and status >= 500)
