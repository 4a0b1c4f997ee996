"""What every store of slots does, be it this process or Redis: one list of rules, run over both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis import Redis

from gateway.domain.exchange import CallKind
from gateway.resilience.rate_limit import RateLimit
from gateway.resilience.redis_budget import SharedSlots
from gateway.resilience.redis_link import RedisLink
from gateway.resilience.slot_log import LocalSlots
from gateway.resilience.slot_store import GIVEN_BACK, Ending, Full, Slot, SlotStore, Standing
from tests.resilience.virtual_time import VirtualTime, settled

HOLD = 71.0
ANSWERED = Ending(hold_seconds=60.0)


def limit_of(calls: int) -> RateLimit:
    return RateLimit(name="calls", kinds=frozenset(CallKind), calls=calls)


class Rig:
    """One store and its time."""

    def __init__(self, calls: int) -> None:
        self.time = VirtualTime()
        self.store: SlotStore = LocalSlots(limit_of(calls), self.time.clocks.monotonic)

    def pass_by(self, seconds: float) -> None:
        self.time.now += seconds

    async def take(self, *, hold: float = HOLD, spare: int = 0) -> Slot:
        answer = await self.store.take(hold_seconds=hold, spare=spare, wanted=1)
        assert isinstance(answer, Slot), answer
        return answer

    async def full(self, *, spare: int = 0, wanted: int = 1) -> list[float]:
        """Seconds until the next slots are free, to the whole second: the time of Redis passes beside ours."""
        answer = await self.store.take(hold_seconds=HOLD, spare=spare, wanted=wanted)
        assert isinstance(answer, Full), answer
        return [float(round(seconds)) for seconds in answer.free_in_seconds]

    async def end(self, slot: Slot, ending: Ending = ANSWERED) -> None:
        noted = asyncio.Event()
        self.store.end(slot, ending, noted.set)
        await noted.wait()

    def standing(self) -> Standing:
        now = self.store.standing()
        return Standing(limit=now.limit, remaining=now.remaining, full_in_seconds=float(round(now.full_in_seconds)))


class RedisRig(Rig):
    """Redis has a clock of its own: time passes there by moving everything it holds into the past."""

    def __init__(self, calls: int, url: str, prefix: str) -> None:
        super().__init__(calls)
        self._redis = Redis.from_url(url, decode_responses=True)
        self._prefix = prefix
        link = RedisLink(url, self.time.clocks)
        self.store = SharedSlots(limit_of(calls), link, self.time.clocks.monotonic, owner="one", prefix=prefix)

    def pass_by(self, seconds: float) -> None:
        super().pass_by(seconds)
        for key in self._redis.scan_iter(f"{self._prefix}*:busy"):
            for name, _ in self._redis.zscan_iter(key):
                self._redis.zincrby(key, -seconds * 1000, name)
        for key in self._redis.scan_iter(f"{self._prefix}*:state"):
            if self._redis.hexists(key, "closed"):
                self._redis.hincrby(key, "closed", -int(seconds * 1000))

    def close(self) -> None:
        self._redis.close()


Use = Callable[[Callable[[int], Rig]], Awaitable[None]]
Run = Callable[[Use], None]


@pytest.fixture(params=["in process", "Redis"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a test with a way to make the store of the kind in question."""
    rigs: list[Rig] = []

    def make(calls: int) -> Rig:
        if request.param == "in process":
            rig = Rig(calls)
        else:
            rig = RedisRig(calls, request.getfixturevalue("redis_url"), request.getfixturevalue("redis_prefix"))
        rigs.append(rig)
        return rig

    async def whole(use: Use) -> None:
        try:
            await use(make)
        finally:
            for rig in rigs:
                await rig.store.aclose()
                if isinstance(rig, RedisRig):
                    rig.close()

    return lambda use: asyncio.run(whole(use))


def test_there_are_as_many_slots_as_calls(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(3)
        taken = [await rig.take() for _ in range(3)]
        assert len({slot.id for slot in taken}) == 3
        assert await rig.full() == [HOLD]

    run(use)


def test_a_slot_stays_taken_for_as_long_as_its_end_says(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(1)
        slot = await rig.take()
        rig.pass_by(2)
        await rig.end(slot)
        rig.pass_by(58)
        assert await rig.full() == [2.0]
        rig.pass_by(2.1)
        await rig.take()

    run(use)


def test_a_slot_that_is_given_back_is_free_at_once(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(1)
        await rig.end(await rig.take(), GIVEN_BACK)
        await rig.take()

    run(use)


def test_who_must_leave_one_free_does_not_get_the_last(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(2)
        await rig.take(spare=1)
        assert await rig.full(spare=1, wanted=2) == [0.0, HOLD]
        await rig.take()

    run(use)


def test_of_a_single_slot_none_is_left_free(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        await make(1).take(spare=1)

    run(use)


def test_it_tells_when_each_of_the_next_slots_is_free(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(3)
        for _ in range(3):
            await rig.end(await rig.take())
            rig.pass_by(10)
        assert await rig.full(wanted=2) == [30.0, 40.0]
        rig.pass_by(1)
        assert await rig.full(wanted=9) == [29.0, 39.0, 49.0]

    run(use)


# What the provider tells


def test_what_is_missing_up_there_was_taken_by_others(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(10)
        await rig.end(await rig.take(), Ending(hold_seconds=60, remaining=2, others_hold_seconds=20))
        assert rig.standing() == Standing(limit=10, remaining=2, full_in_seconds=60.0)
        await rig.take()
        await rig.take()
        assert await rig.full() == [20.0]
        rig.pass_by(20.1)
        await rig.take()

    run(use)


def test_a_larger_remainder_gives_nothing_back(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(3)
        for _ in range(3):
            await rig.end(await rig.take(), Ending(hold_seconds=60, remaining=3, others_hold_seconds=60))
        assert await rig.full() == [60.0]

    run(use)


def test_our_own_calls_under_way_are_not_taken_for_those_of_others(run: Run) -> None:
    """Five began and were counted up there before the first one's answer came back."""

    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(10)
        first, *others = [await rig.take() for _ in range(5)]
        await rig.end(others[0], GIVEN_BACK)
        await rig.end(first, Ending(hold_seconds=60, remaining=5, others_hold_seconds=60))
        assert rig.standing().remaining == 6

    run(use)


def test_a_slot_that_became_free_since_is_not_taken_for_one_of_others(run: Run) -> None:
    """The provider counted while the older call still was in its window; now neither counts it any more."""

    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(2)
        await rig.end(await rig.take())
        rig.pass_by(59)
        slow = await rig.take()
        rig.pass_by(2)
        await rig.end(slow, Ending(hold_seconds=60, remaining=0, others_hold_seconds=60))
        assert rig.standing().remaining == 1

    run(use)


@pytest.mark.parametrize(("told", "size"), [(1, 1), (5, 5), (30, 30), (200, 100), (1_000_000, 100)])
def test_a_limit_that_is_told_counts_up_to_ten_times_the_setting(run: Run, told: int, size: int) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(10)
        await rig.end(await rig.take(), Ending(hold_seconds=60, limit=told))
        assert rig.standing() == Standing(limit=size, remaining=size - 1, full_in_seconds=60.0)

    run(use)


def test_a_limit_below_what_is_taken_lets_nobody_through_until_enough_is_free(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(3)
        slots = [await rig.take() for _ in range(3)]
        for slot in slots:
            await rig.end(slot, Ending(hold_seconds=60, limit=1))
            rig.pass_by(5)
        assert rig.standing() == Standing(limit=1, remaining=0, full_in_seconds=55.0)
        assert await rig.full() == [55.0]

    run(use)


def test_the_remainder_is_one_of_the_limit_that_is_told(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(10)
        ending = Ending(hold_seconds=60, limit=1_000, remaining=990, others_hold_seconds=60)
        await rig.end(await rig.take(), ending)
        assert rig.standing() == Standing(limit=100, remaining=90, full_in_seconds=60.0)

    run(use)


# A 429


def test_a_refusal_closes_for_as_long_as_it_says_and_no_longer(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(10)
        await rig.end(await rig.take(), Ending(hold_seconds=60, refused=True, closed_seconds=30))
        assert rig.standing().remaining == 0
        assert await rig.full() == [30.0]
        rig.pass_by(30.1)
        await rig.take()

    run(use)


def test_a_refusal_of_several_days_closes_for_one(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(10)
        await rig.end(await rig.take(), Ending(hold_seconds=60, refused=True, closed_seconds=864_000))
        assert await rig.full() == [86_400.0]

    run(use)


def test_a_refusal_without_a_time_closes_for_a_second_where_slots_are_free(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(10)
        await rig.end(await rig.take(), Ending(hold_seconds=60, refused=True))
        assert await rig.full() == [1.0]

    run(use)


def test_a_refusal_without_a_time_closes_until_the_next_slot_is_free(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(2)
        await rig.end(await rig.take())
        rig.pass_by(20)
        await rig.end(await rig.take(), Ending(hold_seconds=60, refused=True))
        assert await rig.full(wanted=2) == [40.0, 60.0]

    run(use)


def test_a_shorter_refusal_does_not_shorten_a_longer_one(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(5)
        first, second = await rig.take(), await rig.take()
        await rig.end(first, Ending(hold_seconds=60, refused=True, closed_seconds=30))
        await rig.end(second, Ending(hold_seconds=60, refused=True, closed_seconds=5))
        assert await rig.full() == [30.0]

    run(use)


# What can be seen


def test_an_untouched_budget_is_whole(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        assert make(7).standing() == Standing(limit=7, remaining=7, full_in_seconds=0.0)

    run(use)


def test_it_is_whole_again_when_the_last_slot_is_free(run: Run) -> None:
    async def use(make: Callable[[int], Rig]) -> None:
        rig = make(7)
        await rig.end(await rig.take())
        rig.pass_by(20)
        await rig.end(await rig.take())
        assert rig.standing() == Standing(limit=7, remaining=5, full_in_seconds=60.0)
        rig.pass_by(60.1)
        assert rig.standing() == Standing(limit=7, remaining=7, full_in_seconds=0.0)

    run(use)


# In process alone


def test_what_runs_for_longer_than_anybody_thought_keeps_its_slot() -> None:
    async def use() -> None:
        rig = Rig(1)
        slot = await rig.take()
        rig.pass_by(10 * HOLD)
        assert await rig.full() == [60.0]
        await rig.end(slot)
        rig.pass_by(58)
        assert await rig.full() == [2.0]

    asyncio.run(use())


def test_the_log_never_holds_more_than_the_limit() -> None:
    async def use() -> None:
        rig = Rig(3)
        for _ in range(500):
            answer = await rig.store.take(hold_seconds=HOLD, spare=0, wanted=1)
            if isinstance(answer, Slot):
                await rig.end(answer, Ending(hold_seconds=60, remaining=0, others_hold_seconds=60))
            rig.pass_by(7)
            assert isinstance(rig.store, LocalSlots)
            assert len(rig.store._log._busy) <= 3
            assert len(rig.store._log._until) <= 3
        await settled()

    asyncio.run(use())
