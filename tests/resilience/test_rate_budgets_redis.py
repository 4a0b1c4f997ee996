"""Several processes over one Redis count as one, and each goes on without it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from itertools import chain
from typing import ClassVar

import pytest
from redis import Redis
from structlog.contextvars import bound_contextvars, get_contextvars
from structlog.testing import capture_logs

from gateway.domain.contact import Provider
from gateway.domain.exchange import CallKind
from gateway.resilience.operation import current_operation, operation
from gateway.resilience.rate_limit import RateLimit
from gateway.resilience.redis_budget import SharedSlots, fingerprint
from gateway.resilience.redis_link import RETURN_SECONDS, RedisLink, WrongRedisUrl
from gateway.resilience.slot_store import GIVEN_BACK, Ending, Full, Slot
from tests.redis_server import OwnServer
from tests.resilience.virtual_time import VirtualTime

HOLD = 71.0
ANSWERED = Ending(hold_seconds=60.0)
AWAY = {"event": "rate_budgets_not_shared", "log_level": "warning", "reason": "ConnectionError"}
BACK = {"event": "rate_budgets_shared_again", "log_level": "info"}


class Process:
    """What one process has of it. Its link looks for a Redis that went away when the test says so."""

    running: ClassVar[set[Process]] = set()

    def __init__(self, url: str, prefix: str, *, calls: int, owner: str = "one") -> None:
        self.time = VirtualTime()
        self.link = RedisLink(url, self.time.clocks)
        limit = RateLimit(name="calls", kinds=frozenset(CallKind), calls=calls)
        self.slots = SharedSlots(limit, self.link, self.time.clocks.monotonic, owner=owner, prefix=prefix)
        self.running.add(self)

    async def aclose(self) -> None:
        self.running.remove(self)
        await self.slots.aclose()

    async def take(self, *, wanted: int = 1) -> Slot | Full:
        return await self.slots.take(hold_seconds=HOLD, spare=0, wanted=wanted)

    async def taken(self, times: int) -> list[Slot]:
        return [answer for _ in range(times) if isinstance(answer := await self.take(), Slot)]

    async def end(self, slot: Slot, ending: Ending = ANSWERED) -> None:
        noted = asyncio.Event()
        self.slots.end(slot, ending, noted.set)
        await noted.wait()

    async def look_again(self) -> None:
        """The next look whether Redis is back, and what follows from it."""
        await self.time.advance(RETURN_SECONDS)
        looking = self.link._looking
        assert looking is not None
        # It ends when Redis is back, else it sleeps again.
        asleep = asyncio.create_task(self.time.until_somebody_sleeps())
        await asyncio.wait({looking, asleep}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        asleep.cancel()
        await self.link.settled()


def run(use: Callable[[], Awaitable[None]]) -> None:
    async def use_and_close() -> None:
        try:
            await use()
        finally:
            while Process.running:
                await next(iter(Process.running)).aclose()

    asyncio.run(use_and_close())


def test_two_processes_together_get_no_more_than_the_limit(redis_url: str, redis_prefix: str) -> None:
    async def use() -> None:
        processes = [Process(redis_url, redis_prefix, calls=15) for _ in range(2)]
        answers = await asyncio.gather(*(one.take() for one in chain.from_iterable([processes] * 20)))
        assert [type(answer) for answer in answers].count(Slot) == 15

    run(use)


def test_what_one_gives_back_another_gets(redis_url: str, redis_prefix: str) -> None:
    async def use() -> None:
        one, other = (Process(redis_url, redis_prefix, calls=1) for _ in range(2))
        (slot,) = await one.taken(1)
        assert await other.taken(1) == []
        await one.end(slot, GIVEN_BACK)
        other.time.now += 0.1
        assert len(await other.taken(1)) == 1

    run(use)


def test_what_one_process_is_told_counts_for_all(redis_url: str, redis_prefix: str) -> None:
    async def use() -> None:
        one, other = (Process(redis_url, redis_prefix, calls=5) for _ in range(2))
        (slot,) = await one.taken(1)
        await one.end(slot, Ending(hold_seconds=60, refused=True, closed_seconds=30))
        answer = await other.take()
        assert isinstance(answer, Full)
        assert [round(seconds) for seconds in answer.free_in_seconds] == [30]

    run(use)


def test_calls_of_another_process_are_not_taken_twice(redis_url: str, redis_prefix: str) -> None:
    """They stand in Redis already: what the provider tells of them is nothing new."""

    async def use() -> None:
        one, other = (Process(redis_url, redis_prefix, calls=10) for _ in range(2))
        theirs = await other.taken(4)
        (mine,) = await one.taken(1)
        await one.end(mine, Ending(hold_seconds=60, remaining=5, others_hold_seconds=60))
        assert one.slots.standing().remaining == 5
        for slot in theirs:
            await other.end(slot, GIVEN_BACK)
        assert len(await one.taken(10)) == 9

    run(use)


def test_whoever_has_another_credential_has_another_budget(redis_url: str, redis_prefix: str) -> None:
    async def use() -> None:
        one, other = (Process(redis_url, redis_prefix, calls=1, owner=owner) for owner in ("one", "other"))
        assert (len(await one.taken(2)), len(await other.taken(2))) == (1, 1)

    run(use)


def test_a_process_that_is_killed_holds_its_slots_for_a_bounded_time(redis_url: str, redis_prefix: str) -> None:
    async def use() -> None:
        killed = Process(redis_url, redis_prefix, calls=2)
        await killed.taken(2)
        with Redis.from_url(redis_url, decode_responses=True) as client:
            keys = sorted(client.scan_iter(f"{redis_prefix}*"))
            lives = {key.rsplit(":", 1)[1]: client.pttl(key) for key in keys}
            (seconds, microseconds) = client.time()
            scores = [score - seconds * 1000 - microseconds // 1000 for _, score in client.zscan_iter(keys[0])]
        assert set(lives) == {"busy", "state"}
        assert 60_000 < lives["busy"] <= HOLD * 1000 + 1_000
        assert 60_000 < lives["state"] <= 3_600_000
        assert all(60_000 < left <= HOLD * 1000 for left in scores)

    run(use)


def test_an_end_that_comes_late_counts_all_the_same(redis_url: str, redis_prefix: str) -> None:
    """The call ran for longer than anybody thought, and Redis had forgotten it."""

    async def use() -> None:
        one, other = (Process(redis_url, redis_prefix, calls=1) for _ in range(2))
        slow = await one.slots.take(hold_seconds=0.001, spare=0, wanted=1)
        assert isinstance(slow, Slot)
        await asyncio.sleep(0.01)
        await one.end(slow)
        assert await other.taken(1) == []

    run(use)


def test_a_full_budget_is_not_asked_about_again_at_once(redis_url: str, redis_prefix: str) -> None:
    async def use() -> None:
        one, other = (Process(redis_url, redis_prefix, calls=1) for _ in range(2))
        (slot,) = await one.taken(1)
        asked: list[str] = []
        ask = other.link.run

        async def noting(keys: object, arguments: list[str]) -> list[int] | None:
            asked.append(arguments[0])
            return await ask(keys, arguments)  # type: ignore[arg-type]

        other.link.run = noting  # type: ignore[method-assign, assignment]
        for _ in range(50):
            assert isinstance(await other.take(), Full)
        assert asked == ["take"]
        other.time.now += 0.06
        assert isinstance(await other.take(), Full)
        assert asked == ["take", "take"]
        await one.end(slot, GIVEN_BACK)

    run(use)


@pytest.mark.parametrize("moment", [0, 1, 2, 3, 5, 8])
def test_a_take_that_is_called_off_loses_no_slot(redis_url: str, redis_prefix: str, moment: int) -> None:
    async def use() -> None:
        one = Process(redis_url, redis_prefix, calls=1)
        (first,) = await one.taken(1)
        await one.end(first, GIVEN_BACK)
        taking = asyncio.create_task(one.take())
        for _ in range(moment):
            await asyncio.sleep(0)
        taking.cancel()
        await asyncio.wait({taking})
        if not taking.cancelled():
            answer = taking.result()
            assert isinstance(answer, Slot)
            await one.end(answer, GIVEN_BACK)
        await one.link.settled()
        # A connection that was broken off may still have something to say.
        async with asyncio.timeout(5):
            while not await one.taken(1):
                one.time.now += 0.1
                await asyncio.sleep(0.005)

    run(use)


# Without Redis


def test_it_need_not_be_there() -> None:
    async def use() -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        one = Process(f"redis://:a-password@127.0.0.1:{port}/0", "nowhere", calls=3)
        with capture_logs() as logs:
            assert len(await one.taken(5)) == 3
        assert logs == [AWAY]
        assert one.slots.standing().remaining == 0
        await one.aclose()
        assert len(asyncio.all_tasks()) == 1

    run(use)


def test_calls_that_lose_it_together_say_so_once() -> None:
    async def use() -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        one = Process(f"redis://127.0.0.1:{port}/0", "nowhere", calls=9)
        with capture_logs() as logs:
            answers = await asyncio.gather(*(one.take() for _ in range(5)))
        assert [type(answer) for answer in answers] == [Slot] * 5
        assert logs == [AWAY]
        await one.aclose()
        assert len(asyncio.all_tasks()) == 1

    run(use)


def test_one_that_never_answers_costs_one_call_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.resilience.redis_link.CONNECT_SECONDS", 0.02)
    monkeypatch.setattr("gateway.resilience.redis_link.ANSWER_SECONDS", 0.02)

    async def use() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            one = Process(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", "silent", calls=3)
            with capture_logs() as logs:
                assert len(await one.taken(5)) == 3
            assert [line["event"] for line in logs] == ["rate_budgets_not_shared"]

    run(use)


def test_when_it_is_killed_each_goes_on_with_its_own_count(own_redis: OwnServer) -> None:
    async def use() -> None:
        one = Process(own_redis.url, "killed", calls=5)
        early = await one.taken(2)
        own_redis.kill()
        with capture_logs() as logs:
            await one.end(early[0])
            assert len(await one.taken(9)) == 3
            await one.end(early[1], GIVEN_BACK)
            assert len(await one.taken(9)) == 1
            await one.look_again()
        assert logs == [AWAY]

    run(use)


def test_when_it_is_back_it_is_told_what_it_missed(own_redis: OwnServer) -> None:
    """It comes back empty. Nobody may take again what was taken before or meanwhile."""

    async def use() -> None:
        one, other = (Process(own_redis.url, "back", calls=5) for _ in range(2))
        early = await one.taken(1)
        own_redis.kill()
        await one.taken(1)
        (given_back,) = await one.taken(1)
        own_redis.start()
        with capture_logs() as logs:
            await one.end(given_back, GIVEN_BACK)
            await one.look_again()
        assert logs == [BACK]
        assert len(await other.taken(9)) == 3
        await one.end(early[0], GIVEN_BACK)
        other.time.now += 0.1
        assert len(await other.taken(9)) == 1

    run(use)


def test_looking_for_it_goes_on_in_nobodys_name(own_redis: OwnServer) -> None:
    """Neither the operation that lost it nor its line of the log, with its request id, has anything to do with that."""

    async def use() -> None:
        one, seen = Process(own_redis.url, "test", calls=9), list[tuple[object, dict[str, object]]]()

        async def tell_again() -> None:
            seen.append((current_operation().deadline, get_contextvars()))

        one.link.join(tell_again)
        own_redis.kill()
        with operation(deadline_seconds=60), bound_contextvars(request_id="somebody's"):
            assert len(await one.taken(1)) == 1
        own_redis.start()
        await one.look_again()
        assert seen == [(None, {})]
        await one.link.leave(tell_again)

    run(use)


def test_while_it_is_away_others_are_known_from_the_provider(own_redis: OwnServer) -> None:
    async def use() -> None:
        one = Process(own_redis.url, "others", calls=5)
        own_redis.kill()
        (slot,) = await one.taken(1)
        await one.end(slot, Ending(hold_seconds=60, remaining=1, others_hold_seconds=60))
        assert len(await one.taken(9)) == 1

    run(use)


# What it is told, and what it is not


def test_no_key_of_redis_holds_a_credential(redis_url: str, redis_prefix: str) -> None:
    key = "klen_a-key-that-nobody-may-read"
    owner = fingerprint(Provider.KLEN, "https://api.klen.ai/api/v1", {"Authorization": f"Bearer {key}"})

    async def use() -> None:
        one = Process(redis_url, redis_prefix, calls=3, owner=owner)
        (slot,) = await one.taken(1)
        await one.end(slot)
        with Redis.from_url(redis_url, decode_responses=True) as client:
            keys = list(client.scan_iter(f"{redis_prefix}*"))
            held = [client.zrange(name, 0, -1) if name.endswith("busy") else client.hgetall(name) for name in keys]
        assert len(keys) == 2
        assert key not in f"{keys} {held}"

    run(use)


def test_a_fingerprint_tells_credentials_and_places_apart() -> None:
    headers = {"Authorization": "Bearer one", "X-Project-ID": "p"}
    same = fingerprint(Provider.KLEN, "https://a", headers)
    assert len(same) == 32
    assert same == fingerprint(Provider.KLEN, "https://a", dict(reversed(headers.items())))
    others = [
        fingerprint(Provider.GATELY, "https://a", headers),
        fingerprint(Provider.KLEN, "https://b", headers),
        fingerprint(Provider.KLEN, "https://a", {**headers, "Authorization": "Bearer two"}),
        fingerprint(Provider.KLEN, "https://a", {"Authorization": "Bearer one"}),
    ]
    assert len({same, *others}) == 5


@pytest.mark.parametrize(
    "url",
    [
        "http://a-password@127.0.0.1",
        "redis://:a-password@127.0.0.1:port/0",
        "redis://:a-password@127.0.0.1:99999/0",
        "redis://:a-password@[::1/0",
        "redis://:a-password@127.0.0.1/0?socket_timeout=a-password",
        "redis://127.0.0.1/0?a-password=1",
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(WrongRedisUrl) as caught:
        RedisLink(url)
    assert "a-password" not in f"{caught.value!r} {caught.value}"
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)
