"""The slots of one budget that several processes share: each counts its own calls, and Redis those of all.

The own count stands in while Redis is away, and holds even if Redis forgets everything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from math import ceil
from uuid import uuid4

from gateway.clock import Monotonic
from gateway.domain.contact import Provider
from gateway.resilience.rate_limit import RateLimit
from gateway.resilience.redis_link import RedisLink
from gateway.resilience.slot_log import SlotLog
from gateway.resilience.slot_store import (
    GIVEN_BACK,
    MAX_CLOSED_SECONDS,
    MIN_CLOSED_SECONDS,
    Ending,
    Full,
    Slot,
    Standing,
)

PREFIX = "contact-gateway:budget"
# However many ask here, Redis is not asked about a full budget more often than this.
PACE_SECONDS = 0.05
_TOLD_AT_ONCE = 500


def fingerprint(provider: Provider, base_url: str, credentials: Mapping[str, str]) -> str:
    """The same for everybody with the same credentials at the same place, and no way back to them."""
    parts = [provider.value, base_url, *(f"{name.lower()}: {text}" for name, text in sorted(credentials.items()))]
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Heard:
    """An answer of the script, and when it came."""

    answer: list[int]
    at: float

    @property
    def taken(self) -> bool:
        return self.answer[0] == 1

    def full(self, now: float) -> Full:
        return Full(free_in_seconds=tuple(max(0.0, left / 1000 - (now - self.at)) for left in self.answer[6:]))

    def standing(self, now: float) -> Standing:
        _, _, size, busy, full_ms, closed_ms, *_ = self.answer
        full_in = max(0.0, full_ms / 1000 - (now - self.at))
        closed = closed_ms / 1000 > now - self.at
        remaining = size if full_in == 0 else 0 if closed else max(0, size - busy)
        return Standing(limit=size, remaining=remaining, full_in_seconds=full_in)


class SharedSlots:
    """`owner` is whose budget it is: a fingerprint."""

    def __init__(
        self, limit: RateLimit, link: RedisLink, clock: Monotonic, *, owner: str, prefix: str = PREFIX
    ) -> None:
        self._limit = limit
        self._link = link
        self._clock = clock
        self._own = SlotLog(limit, clock)
        # In braces what decides where a cluster keeps them: both at one place.
        name = f"{prefix}:{{{owner}:{limit.name}}}"
        self._keys = (f"{name}:busy", f"{name}:state")
        self._process = uuid4().hex
        self._ids = count()
        self._heard: _Heard | None = None
        self._told_returns = link.returns
        link.join(self.tell_again)

    async def take(self, *, hold_seconds: float, spare: int, wanted: int) -> Slot | Full:
        slot_id = f"{self._process}:{next(self._ids)}"
        known = self._known_full(wanted)
        if known is not None:
            return known
        own = self._own.take(slot_id, hold_seconds=hold_seconds, spare=spare, wanted=wanted)
        if isinstance(own, Full):
            return own
        try:
            await self.tell_again()
            heard = await self._ask("take", slot_id, _ms(hold_seconds), spare, wanted)
        except BaseException:
            self.end(own, GIVEN_BACK, lambda: None)
            raise
        if heard is None:
            return own
        if heard.taken:
            return replace(own, shared_seen_before=heard.answer[1])
        self._own.end(own, GIVEN_BACK)
        return heard.full(heard.at)

    def end(self, slot: Slot, ending: Ending, then: Callable[[], None]) -> None:
        # Without Redis whoever else there is is known from the provider alone.
        self._own.end(slot, ending, counts_others=slot.shared_seen_before is None)
        self._link.soon(self._end(slot, ending, then))

    def standing(self) -> Standing:
        own = self._own.standing()
        if self._heard is None:
            return own
        shared = self._heard.standing(self._clock())
        return Standing(
            limit=shared.limit,
            remaining=min(own.remaining, shared.remaining),
            full_in_seconds=max(own.full_in_seconds, shared.full_in_seconds),
        )

    async def aclose(self) -> None:
        await self._link.leave(self.tell_again)

    async def _end(self, slot: Slot, ending: Ending, then: Callable[[], None]) -> None:
        await self._ask(
            "end",
            slot.id,
            _ms(ending.hold_seconds),
            _or_nothing(slot.shared_seen_before),
            _or_nothing(ending.limit),
            _or_nothing(ending.remaining),
            _ms(ending.others_hold_seconds),
            int(ending.refused),
            "" if ending.closed_seconds is None else _ms(ending.closed_seconds),
            _ms(MIN_CLOSED_SECONDS),
            _ms(MAX_CLOSED_SECONDS),
        )
        then()

    async def tell_again(self) -> None:
        """Redis was away: it may have missed calls of ours, or have lost everything."""
        returns = self._link.returns
        if self._told_returns == returns:
            return
        own = [(slot_id, _ms(seconds)) for slot_id, seconds in self._own.own()]
        for first in range(0, len(own), _TOLD_AT_ONCE):
            told = own[first : first + _TOLD_AT_ONCE]
            if await self._ask("tell", *(part for entry in told for part in entry)) is None:
                return
        self._told_returns = returns

    async def _ask(self, what: str, *arguments: str | int) -> _Heard | None:
        answer = await self._link.run(self._keys, (what, self._limit.calls, self._limit.ceiling, *arguments))
        # An end may have made room, so what was full before need not be.
        self._heard = None if answer is None else _Heard(answer, self._clock())
        return self._heard

    def _known_full(self, wanted: int) -> Full | None:
        """A refusal of just now, where it tells enough."""
        heard, now = self._heard, self._clock()
        if heard is None or now - heard.at >= PACE_SECONDS:
            return None
        full = heard.full(now)
        return full if len(full.free_in_seconds) >= wanted else None


def _ms(seconds: float) -> int:
    return ceil(seconds * 1000)


def _or_nothing(number: int | None) -> str | int:
    return "" if number is None else number
