"""What a soak found, and which promises it broke."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.soak.clients import Heard

MAX_SLOWER = 1.5
MAX_GROWTH = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """`seen` is what the simulators saw (providers.py), `memory_mib` the gateway's, once a second."""

    alone: Heard
    storm: Heard
    seen: dict[str, Any]
    memory_mib: list[float]
    unfinished: int
    made: int

    @property
    def slower(self) -> float:
        return self.storm.percentile("healthy", 0.99) / self.alone.percentile("healthy", 0.99)

    @property
    def growth(self) -> float:
        """The last quarter of the storm against its second one; in the first, caches fill."""
        quarter = max(1, len(self.memory_mib) // 4)
        return max(self.memory_mib[-quarter:]) / max(self.memory_mib[quarter : 2 * quarter])

    def violations(self) -> list[str]:
        return [*self._slowness(), *self._calls(), *self._writes()]

    def _slowness(self) -> Iterator[str]:
        if self.slower > MAX_SLOWER:
            yield f"the healthy provider's p99 is {self.slower:.2f} times of that alone"
        if self.growth > MAX_GROWTH:
            yield f"memory grew {self.growth:.2f} times"

    def _calls(self) -> Iterator[str]:
        for name, (_, most) in self.seen["hung"].items():
            if most > 1:
                yield f"{most} calls ({name}) to the hanging provider in one breaker window"
        for name, (most, limit) in self.seen["windows"].items():
            if most > limit:
                yield f"{most} calls in 60 s where {name} allows {limit}"
        for provider, count in self.seen["refused"].items():
            if count:
                yield f"{provider} had to refuse {count} calls itself"

    def _writes(self) -> Iterator[str]:
        for doubled in self.seen["doubled"]:
            yield f"doubled: {doubled}"
        if self.unfinished:
            yield f"{self.unfinished} creations were never done"
        for provider, count in self.seen["created"].items():
            if count != self.made:
                yield f"{provider} holds {count} of {self.made} creations"

    def __str__(self) -> str:
        refused = sum(self.seen["refused"].values())
        rows = [
            *_table("alone", self.alone),
            *_table("storm", self.storm),
            f"healthy p99, storm against alone: {self.slower:.2f}",
            f"most calls in any 60 s, and the limit: {self.seen['windows']}",
            f"calls to the hanging provider, and most in one breaker window: {self.seen['hung']}",
            f"calls that providers refused for their rate: {refused}",
            f"creations: {self.made}, held {self.seen['created']}, never done {self.unfinished}",
            f"doubled: {len(self.seen['doubled'])}",
            f"memory of the gateway, MiB: first {self.memory_mib[0]:.0f}, most {max(self.memory_mib):.0f}",
            f"growth: {self.growth:.3f}",
        ]
        return "\n".join(rows)


def _table(title: str, heard: Heard) -> Iterator[str]:
    yield f"{title:10} {'asked':>7} {'p50 ms':>8} {'p99 ms':>8}  endings"
    for kind, times in sorted(heard.seconds.items()):
        p50, p99 = (heard.percentile(kind, share) * 1000 for share in (0.5, 0.99))
        endings = ", ".join(f"{ending} {count}" for ending, count in heard.endings[kind].most_common(6))
        yield f"{kind:10} {len(times):7} {p50:8.1f} {p99:8.1f}  {endings}"
