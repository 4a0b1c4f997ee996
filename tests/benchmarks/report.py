"""The figures as a text: a table for each work, each figure with its ratio to one server and both with their spread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.figures import METRICS, Measured, Spread, column

TITLES = {
    "requests_per_second": ("req/s", "{:.0f}"),
    "p50_ms": ("p50 ms", "{:.2f}"),
    "p99_ms": ("p99 ms", "{:.2f}"),
    "cpu_ms": ("CPU ms/req", "{:.3f}"),
    "memory_mib": ("MiB", "{:.0f}"),
    "calls": ("calls/req", "{:.2f}"),
}
BUSY = 0.9
# Answers for each connection, below which what was under way in the end tells in the figures per request.
MANY = 20
REASON_CHARACTERS = 200
NAME_WIDTH, CELL_WIDTH = 18, 22


@dataclass(kw_only=True)
class Results:
    """`rounds` by work and server, in the order they are shown; `left_out` says why somebody is not there."""

    titles: dict[str, str]
    reference: str
    rounds: dict[str, dict[str, list[Measured]]] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def add(self, work: str, server: str, measured: Measured) -> None:
        self.rounds.setdefault(work, {}).setdefault(server, []).append(measured)

    def leave_out(self, work: str, server: str, reason: str) -> None:
        """From now on, with what was measured of it before."""
        self.rounds.get(work, {}).pop(server, None)
        short = " ".join(reason.split())[:REASON_CHARACTERS]
        self.left_out.setdefault(work, {})[server] = short

    def as_json(self) -> dict[str, Any]:
        rounds = {
            work: {server: [one.as_json() for one in measured] for server, measured in servers.items()}
            for work, servers in self.rounds.items()
        }
        return {"about": self.about, "reference": self.reference, "rounds": rounds, "left_out": self.left_out}

    def __str__(self) -> str:
        about = [f"{name}: {value}" for name, value in self.about.items()]
        tables = (line for work, title in self.titles.items() for line in self._table(work, title))
        return "\n".join([*about, *tables])

    def _table(self, work: str, title: str) -> Iterator[str]:
        servers = self.rounds.get(work, {})
        yield ""
        yield f"{work}: {title}"
        yield " ".join([f"{'':{NAME_WIDTH}}", *(f"{TITLES[metric][0]:>{CELL_WIDTH}}" for metric in METRICS)]).rstrip()
        for server, measured in servers.items():
            yield _row(server, [_cell(metric, column(measured, metric)) for metric in METRICS])
            if (reference := servers.get(self.reference)) and server != self.reference:
                yield _row(f"  / {self.reference}", _ratios(measured, reference))
            yield from _doubts(measured)
        for server, reason in self.left_out.get(work, {}).items():
            yield f"{server:{NAME_WIDTH}} not measured: {reason}"


def _row(name: str, cells: Sequence[str]) -> str:
    return " ".join([f"{name[:NAME_WIDTH]:{NAME_WIDTH}}", *(f"{cell:>{CELL_WIDTH}}" for cell in cells)]).rstrip()


def _cell(metric: str, values: Sequence[float]) -> str:
    return shown(Spread.of(values), TITLES[metric][1])


def _ratios(measured: Sequence[Measured], reference: Sequence[Measured]) -> list[str]:
    # Whoever was left out of a round has fewer; rounds are compared from the first one on.
    count = min(len(measured), len(reference))
    pairs = ((column(measured[:count], metric), column(reference[:count], metric)) for metric in METRICS)
    return [shown(Spread.ratio(one, other), "{:.2f}x") if any(other) else "" for one, other in pairs]


def shown(spread: Spread, form: str) -> str:
    return f"{form.format(spread.middle)} ({form.format(spread.least)}-{form.format(spread.most)})"


def _doubts(measured: Sequence[Measured]) -> Iterator[str]:
    """What makes figures worth less."""
    wrong, failed = sum(one.wrong for one in measured), sum(one.failed for one in measured)
    if wrong or failed:
        yield f"{'':{NAME_WIDTH}} ! {wrong} wrong answers, {failed} without any"
    if any(one.requests < MANY * one.connections for one in measured):
        yield f"{'':{NAME_WIDTH}} ! few answers for each connection: CPU and calls per request are too high"
    if (busiest := max(one.beside for one in measured)) > BUSY:
        yield f"{'':{NAME_WIDTH}} ! upstream and load kept their core {busiest:.0%} busy: they were measured too"


def named(titles: Mapping[str, str], only: Sequence[str]) -> list[str]:
    """The works that were asked for, in their own order.

    Raises:
        ValueError: naming one that does not exist.
    """
    if unknown := [name for name in only if name not in titles]:
        raise ValueError(f"there is no {unknown[0]}; there are {', '.join(titles)}")
    return [name for name in titles if not only or name in only]
