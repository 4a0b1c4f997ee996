"""What a budget needs of the place where its slots are counted, be that this process or Redis."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MIN_CLOSED_SECONDS = 1.0
MAX_CLOSED_SECONDS = 24 * 60 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The right to make one call.

    `seen_before` (`shared_seen_before` in Redis) plus the number of slots taken until some later moment is how many
    slots were taken at one time or another since this one was: as many as the provider can have counted of them.
    """

    id: str
    seen_before: int
    shared_seen_before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """No slot. `free_in_seconds` is when the next ones are free, soonest first; what runs is taken to last long."""

    free_in_seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What the end of a call says about its budget.

    The slot stays taken for `hold_seconds`; 0 gives it back, since nothing was sent. `limit` and `remaining` are what
    the provider told, and others of whom they tell take their slots for `others_hold_seconds`. `refused` is a 429,
    which closes the budget for `closed_seconds`, or where the provider does not say, until the next slot is free.
    """

    hold_seconds: float = 0.0
    limit: int | None = None
    remaining: int | None = None
    others_hold_seconds: float = 0.0
    refused: bool = False
    closed_seconds: float | None = None


GIVEN_BACK = Ending()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How full a budget is, as far as this process knows: `full_in_seconds` is when every slot is free again."""

    limit: int
    remaining: int
    full_in_seconds: float


class SlotStore(Protocol):
    async def take(self, *, hold_seconds: float, spare: int, wanted: int) -> Slot | Full:
        """A slot for `hold_seconds` or until its end is told, if more than `spare` are free; otherwise when the next
        `wanted` ones are."""

    def end(self, slot: Slot, ending: Ending, then: Callable[[], None]) -> None:
        """Notes the end of a call, and calls `then` when a `take` would know of it. Blocks nobody."""

    def standing(self) -> Standing: ...

    async def aclose(self) -> None:
        """Waits, for a moment, until everything is noted."""
