"""The cache by itself: how long, how much, and never what a write may have changed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from enum import Enum
from multiprocessing import get_context
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from gateway.connectors.klen.mapping import to_record
from gateway.connectors.klen.wire import Details
from gateway.contacts.changes import Changes, place_of, shared_changes
from gateway.contacts.record_cache import Aged, RecordCache, RecordCaches, is_down
from gateway.contacts.record_memory import memory_of
from gateway.domain import errors
from gateway.domain.caller import Caller
from gateway.domain.contact import Provider, Record, RecordKey
from gateway.domain.errors import CallerNotPermitted, ProviderFailure
from gateway.resilience.events import PolicyEvents
from gateway.resilience.operation import operation
from gateway.settings import GatewaySettings
from tests.reading.bench import FakeTime

KEY = RecordKey(Provider.KLEN, "1")
OTHER = RecordKey(Provider.KLEN, "2")
FETCHED = datetime(2031, 1, 1, tzinfo=timezone.utc)


def record(key: RecordKey = KEY, **values: Any) -> Record:
    return Record(key=key, known=frozenset(), fetched_at=FETCHED, **values)


OLD, NEW = record(name="Old"), record(name="New")
TEXT = st.none() | st.text(max_size=300)
# Texts, lists and objects, all of which a record of this provider holds.
KLEN_CONTACTS = st.fixed_dictionaries(
    {
        "id": st.integers(1, 10**9),
        **dict.fromkeys(("first_name", "last_name", "full_name", "email", "company", "stage", "website"), TEXT),
        "tags": st.lists(st.text(max_size=40), max_size=20),
        "phone_numbers": st.lists(st.fixed_dictionaries({"phone_number": st.text(max_size=30)}), max_size=10),
        "address": st.fixed_dictionaries(dict.fromkeys(("street", "city", "state", "zip_code", "country"), TEXT)),
        "recent_notes": st.lists(st.fixed_dictionaries({"content": st.text(max_size=200)}), max_size=5),
        "custom_context": st.dictionaries(st.text(max_size=20), TEXT | st.lists(TEXT, max_size=5), max_size=10),
    }
)


def walked(made: Record) -> int:
    """What a record takes, looked at value by value; which fields it knows is said once for all of them."""
    total = 0
    left: list[Any] = [structs.replace(made, known=frozenset())]
    while left:
        value = left.pop()
        if isinstance(value, Enum):
            continue
        total += sys.getsizeof(value)
        if isinstance(value, Mapping):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, tuple | list):
            left += value
        elif isinstance(value, msgspec.Struct):
            left += structs.astuple(value)
    return total


def new_cache(time: FakeTime, changes: Changes | None = None, keep_seconds: float = 300) -> RecordCache:
    clock = time.clocks.monotonic
    return RecordCache(
        keep_seconds=keep_seconds,
        max_bytes=100_000,
        settling_seconds=60,
        clock=clock,
        changes=changes or Changes(clock),
    )


@pytest.fixture
def cache(time: FakeTime) -> RecordCache:
    return new_cache(time)


def put(cache: RecordCache, answer: Record) -> None:
    with cache.asking(answer.key) as asking:
        asking.answer = answer


def found(cache: RecordCache, key: RecordKey = KEY) -> Record | None:
    aged = cache.find(key, max_age_seconds=1_000)
    return aged.record if aged else None


class TestAge:
    @pytest.mark.parametrize(("passed", "is_there"), [(0, True), (10, True), (10.5, False)])
    def test_a_record_is_found_until_it_is_too_old(
        self, cache: RecordCache, time: FakeTime, passed: float, is_there: bool
    ) -> None:
        put(cache, OLD)
        time.advance(passed)

        assert cache.find(KEY, max_age_seconds=10) == (Aged(OLD, int(passed)) if is_there else None)

    def test_nothing_is_new_enough_for_nought(self, cache: RecordCache) -> None:
        put(cache, OLD)

        assert cache.find(KEY, max_age_seconds=0) is None

    def test_it_is_as_old_as_the_question(self, cache: RecordCache, time: FakeTime) -> None:
        """What the provider told may have changed while its answer was on the way."""
        with cache.asking(KEY) as asking:
            time.advance(4)
            asking.answer = OLD

        assert cache.find(KEY, max_age_seconds=10) == Aged(OLD, 4)

    def test_who_may_have_joined_a_question_under_way_has_an_answer_as_old_as_that(
        self, cache: RecordCache, time: FakeTime
    ) -> None:
        with cache.asking(KEY) as first:
            time.advance(4)
            with cache.asking(KEY) as joined:
                time.advance(1)
                first.answer = joined.answer = OLD

        assert cache.find(KEY, max_age_seconds=10) == Aged(OLD, 5)

    def test_who_joined_a_question_has_not_made_its_answer_newer(self, cache: RecordCache, time: FakeTime) -> None:
        first, between, joined = (cache.asking(KEY) for _ in range(3))
        for asking in (first, between, joined):
            asking.__enter__()
            time.advance(1)
        for asking, answer in ((first, OLD), (joined, OLD), (between, NEW)):
            asking.answer = answer
            asking.__exit__(None)

        assert found(cache) is NEW

    def test_nothing_is_kept_longer_than_for_its_time(self, cache: RecordCache, time: FakeTime) -> None:
        put(cache, OLD)
        time.advance(301)
        assert found(cache) is None

        put(cache, record(OTHER))

        assert cache.size_bytes < 2 * (memory_of(OLD) + 1024)

    def test_switched_off_nothing_is_kept(self, time: FakeTime) -> None:
        cache = new_cache(time, keep_seconds=0)

        put(cache, OLD)

        assert (found(cache), cache.size_bytes) == (None, 0)


class TestBounds:
    def test_the_least_asked_for_goes_first(self, cache: RecordCache) -> None:
        keys = [RecordKey(Provider.KLEN, str(number)) for number in range(4)]
        for key in keys[:3]:
            put(cache, record(key, raw=b"x" * 9_000))
        assert found(cache, keys[0])

        put(cache, record(keys[3], raw=b"x" * 9_000))

        assert [found(cache, key) is not None for key in keys] == [True, False, True, True]
        assert cache.size_bytes <= 100_000

    def test_one_that_is_larger_than_everything_is_not_kept_and_drives_only_its_elder_out(
        self, cache: RecordCache
    ) -> None:
        put(cache, OLD)
        put(cache, record(OTHER))

        put(cache, record(raw=b"x" * 100_000))

        assert (found(cache), found(cache, OTHER)) == (None, record(OTHER))

    def test_nested_values_and_raw_bytes_count(self) -> None:
        nested = {"list": [{"text": "y" * 1_000}] * 3}

        assert memory_of(record(raw=b"x" * 5_000)) - memory_of(record()) >= 5_000
        assert memory_of(record(custom_fields=nested)) - memory_of(record()) >= 3_000

    @given(contact=KLEN_CONTACTS, escaped=st.booleans())
    @example(contact={"id": 1, "first_name": "a" * 5_000 + "\N{GRINNING FACE}"}, escaped=True)
    @example(contact={"id": 1, "tags": [chr(300 + number) for number in range(300)]}, escaped=False)
    @example(contact={"id": 1, "tags": ["x"] * 300}, escaped=False)
    def test_what_a_record_takes_is_not_estimated_too_small(self, contact: dict[str, Any], escaped: bool) -> None:
        raw = json.dumps(contact, ensure_ascii=escaped).encode()
        made = to_record(msgspec.json.decode(raw, type=Details), fetched_at=FETCHED, raw=raw)

        assert walked(made) <= memory_of(made) <= 5 * walked(made) + 4_096

    def test_nothing_stays_of_reads_that_have_ended(self, cache: RecordCache) -> None:
        with pytest.raises(ZeroDivisionError), cache.asking(KEY):
            raise ZeroDivisionError

        assert (cache._asking, found(cache)) == ({}, None)


class TestWrites:
    def test_a_write_drops_the_record(self, cache: RecordCache) -> None:
        put(cache, OLD)
        put(cache, record(OTHER))

        cache.drop(KEY)

        assert (found(cache), found(cache, OTHER)) == (None, record(OTHER))

    def test_a_read_that_began_before_a_write_keeps_nothing(self, cache: RecordCache) -> None:
        with cache.asking(KEY) as asking:
            cache.drop(KEY)
            asking.answer = OLD

        assert found(cache) is None

    def test_a_read_that_may_have_joined_one_from_before_the_write_keeps_nothing(self, cache: RecordCache) -> None:
        with cache.asking(KEY):
            cache.drop(KEY)
            put(cache, OLD)

        assert found(cache) is None

    def test_a_read_after_the_write_is_kept(self, cache: RecordCache) -> None:
        with cache.asking(KEY):
            cache.drop(KEY)

        put(cache, NEW)

        assert found(cache) == NEW

    def test_an_answer_that_was_asked_for_earlier_does_not_replace_a_later_one(
        self, cache: RecordCache, time: FakeTime
    ) -> None:
        with cache.asking(KEY) as slow:
            time.advance(1)
            put(cache, NEW)
            slow.answer = OLD

        assert found(cache) == NEW

    def test_while_a_lost_write_may_come_through_nothing_is_kept(self, cache: RecordCache, time: FakeTime) -> None:
        cache.drop(KEY, unsettled=True)
        put(cache, OLD)
        put(cache, record(OTHER))
        assert (found(cache), found(cache, OTHER)) == (None, record(OTHER))

        time.advance(60)
        put(cache, NEW)

        assert found(cache) == NEW


class TestOfTwoProcesses:
    """Each has a cache of its own, and all of them know of every change."""

    @pytest.fixture
    def caches(self, time: FakeTime) -> list[RecordCache]:
        return [new_cache(time, changes) for changes in shared_changes(2, time.clocks.monotonic)]

    def test_a_write_of_one_drops_the_record_of_both(self, caches: list[RecordCache]) -> None:
        for cache in caches:
            put(cache, OLD)
            put(cache, record(OTHER))

        caches[0].drop(KEY)

        assert [(found(cache), found(cache, OTHER)) for cache in caches] == [(None, record(OTHER))] * 2

    def test_a_read_that_began_before_the_write_of_another_keeps_nothing(self, caches: list[RecordCache]) -> None:
        here, there = caches
        with here.asking(KEY) as asking:
            there.drop(KEY)
            asking.answer = OLD

        assert found(here) is None

    def test_a_read_after_the_write_of_another_is_kept(self, caches: list[RecordCache]) -> None:
        here, there = caches
        there.drop(KEY)

        put(here, NEW)

        assert found(here) == NEW

    def test_what_may_come_through_yet_is_kept_by_none(self, caches: list[RecordCache], time: FakeTime) -> None:
        here, there = caches
        there.drop(KEY, unsettled=True)
        put(here, OLD)
        assert found(here) is None

        time.advance(60)
        put(here, NEW)

        assert found(here) == NEW

    def test_a_settled_write_does_not_shorten_the_time_of_one_that_is_not(
        self, caches: list[RecordCache], time: FakeTime
    ) -> None:
        here, there = caches
        there.drop(KEY, unsettled=True)
        there.drop(KEY)
        here.drop(KEY)
        put(here, OLD)

        assert found(here) is None

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
    def test_all_of_them_count_every_change(self, time: FakeTime) -> None:
        here, there = shared_changes(2, time.clocks.monotonic)
        totals = []
        for change in (lambda: here.add(KEY), lambda: there.add(OTHER), here.note, there.note):
            change()
            assert here.total == there.total
            totals.append(here.total)

        assert totals == [1, 2, 3, 4]
        gately = RecordKey(Provider.GATELY, "1")
        there.add(gately)
        told = [[one.of_others(provider) for provider in (Provider.KLEN, Provider.GATELY)] for one in (here, there)]
        assert told == [[1, 1], [1, 0]]
        assert (here.count(place_of(KEY)), there.count(place_of(OTHER)), here.count(0)) == (1, 1, 0)

    def test_the_memory_is_one_and_the_same_in_a_forked_process(self, time: FakeTime) -> None:
        here, there = shared_changes(2, time.clocks.monotonic)
        child = get_context("fork").Process(target=there.add, args=(KEY,), kwargs={"unsettled_seconds": 60})
        child.start()
        child.join(30)

        assert child.exitcode == 0
        place, other = place_of(KEY), place_of(OTHER)
        assert (here.count(place), here.is_unsettled(place)) == (1, True)
        assert (here.count(other), here.is_unsettled(other)) == (0, False)


class Heard(PolicyEvents):
    def __init__(self) -> None:
        self.cached_records: list[tuple[Provider, bool]] = []

    def cached(self, provider: Provider, *, stale: bool) -> None:
        self.cached_records.append((provider, stale))


class TestOfEveryProvider:
    @pytest.fixture
    def heard(self) -> Heard:
        return Heard()

    @pytest.fixture
    def caches(self, time: FakeTime, heard: Heard) -> RecordCaches:
        made = RecordCaches(
            [Provider.KLEN],
            GatewaySettings.model_construct(),
            clocks=time.clocks,
            events=heard,
            changes=Changes(time.clocks.monotonic),
        )
        put(made.of(Provider.KLEN), OLD)
        return made

    def down(self) -> ProviderFailure:
        return errors.ProviderUnreachable(Provider.KLEN, "No connection.")

    def test_what_is_kept_is_told_to_the_operation_and_to_who_counts(
        self, caches: RecordCaches, heard: Heard, time: FakeTime
    ) -> None:
        with operation(deadline_seconds=15) as running:
            assert caches.fresh(KEY, None) == Aged(OLD, 0)
            assert caches.fresh(OTHER, None) is None
            time.advance(11)
            assert caches.fresh(KEY, None) is None
            assert caches.stand_in(KEY, self.down(), None) == Aged(OLD, 11)

        assert running.tally.of(Provider.KLEN).cache_hits == 2
        assert heard.cached_records == [(Provider.KLEN, False), (Provider.KLEN, True)]

    def test_nobody_is_given_what_they_may_not_read(self, caches: RecordCaches, heard: Heard) -> None:
        nobody = Caller(id="x", may_read=frozenset(), may_write=frozenset())

        with operation(deadline_seconds=15, caller=nobody):
            with pytest.raises(CallerNotPermitted):
                caches.fresh(KEY, None)
            with pytest.raises(CallerNotPermitted):
                caches.stand_in(KEY, self.down(), None)

        assert heard.cached_records == []

    @pytest.mark.parametrize(
        ("passed", "max_age", "is_fresh", "stands_in"),
        [
            (3, None, True, True),
            (3, 0, False, False),
            (3, 2, False, False),
            (3, 5, True, True),
            (11, 86_400, False, True),
            (299, None, False, True),
            (301, None, False, False),
            (100, 60, False, False),
        ],
    )
    def test_the_settings_and_whoever_asks_bound_the_age(
        self,
        caches: RecordCaches,
        time: FakeTime,
        passed: float,
        max_age: int | None,
        is_fresh: bool,
        stands_in: bool,
    ) -> None:
        time.advance(passed)

        assert (caches.fresh(KEY, max_age) is not None) == is_fresh
        assert (caches.stand_in(KEY, self.down(), max_age) is not None) == stands_in


DOWN = {
    "RateLimited",
    "BudgetSpent",
    "ProviderUnreachable",
    "ProviderUnavailable",
    "CircuitOpen",
    "ProviderCrowded",
    "ReplyTimedOut",
    "ReplyUnreadable",
    "DeadlineExceeded",
    "AnswerPending",
}


def every_failure() -> list[type[ProviderFailure]]:
    found = [ProviderFailure]
    for one in found:
        found += one.__subclasses__()
    return sorted(
        (one for one in found if "code" in vars(one) or one.__mro__[1] in found[1:]), key=lambda one: one.__name__
    )


@pytest.mark.parametrize("failure", every_failure(), ids=lambda one: one.__name__)
def test_only_a_provider_that_is_down_is_stood_in_for(failure: type[ProviderFailure]) -> None:
    assert is_down(failure(Provider.KLEN, "It failed.")) == (failure.__name__ in DOWN)


@pytest.mark.parametrize(("status", "is_one"), [(None, False), (400, False), (418, False), (500, True), (599, True)])
def test_a_failing_provider_is_down_when_it_blames_itself(status: int | None, is_one: bool) -> None:
    assert is_down(errors.ProviderBroken(Provider.KLEN, "It failed.", upstream_status=status)) == is_one
