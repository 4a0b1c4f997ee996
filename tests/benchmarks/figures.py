"""Figures of several rounds: medians, ratios to another server in the same round, and how far they spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, and the least and the most of them."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """
        Raises:
            ValueError: without any value.
        """
        if not values:
            raise ValueError("no round was measured")
        return cls(middle=median(values), least=min(values), most=max(values))

    @classmethod
    def ratio(cls, values: Sequence[float], to: Sequence[float]) -> Spread:
        """Round by round, since what disturbs the machine disturbs both; a round without a divisor is left out."""
        return cls.of([one / other for one, other in zip(values, to, strict=True) if other])


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One load of one work on one server. `beside` is how busy the other core was, with upstream and load, from 0 to 1:
    near 1 it was them that were measured. `requests` were answered; what each connection had under way in the end costs
    processor time and calls without being counted, so there should be many of them for each connection."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    memory_mib: float
    calls: float
    beside: float
    requests: int
    connections: int
    wrong: int
    failed: int

    def as_json(self) -> dict[str, float]:
        return asdict(self)


METRICS = ("requests_per_second", "p50_ms", "p99_ms", "cpu_ms", "memory_mib", "calls")


def column(rounds: Sequence[Measured], metric: str) -> list[float]:
    return [getattr(measured, metric) for measured in rounds]
