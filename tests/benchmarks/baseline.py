"""What is remembered of the gateway's figures: ratios to the calibration of the same run, never times."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from tests.benchmarks.figures import Measured

FILE = Path(__file__).with_name("baseline.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Of one work: processor time of a request in passes of the calibration, and calls of the upstream."""

    cpu: float
    calls: float

    @classmethod
    def of(cls, rounds: Sequence[Measured], calibrations_ms: Sequence[float]) -> Mark:
        """A round's calibration is the one that was run beside it."""
        pairs = zip(rounds, calibrations_ms, strict=True)
        return cls(
            cpu=median(measured.cpu_ms / calibration for measured, calibration in pairs),
            calls=median(measured.calls for measured in rounds),
        )


def load(path: Path = FILE) -> dict[str, Mark]:
    """Nothing where there is no file yet."""
    if not path.exists():
        return {}
    return {work: Mark(**mark) for work, mark in json.loads(path.read_text(encoding="utf-8"))["works"].items()}


def store(marks: Mapping[str, Mark], about: Mapping[str, str], path: Path = FILE) -> None:
    """Works that were not measured this time keep what they had."""
    kept = {**load(path), **marks}
    works = {work: {name: round(value, 4) for name, value in asdict(mark).items()} for work, mark in kept.items()}
    path.write_text(json.dumps({"about": about, "works": works}, indent=1) + "\n", encoding="utf-8")


def compared(now: Mapping[str, Mark], before: Mapping[str, Mark]) -> Iterator[str]:
    yield f"{'':6} {'CPU, passes/req':>16} {'baseline':>10} {'now/baseline':>13} {'calls/req':>10} {'baseline':>9}"
    for work, mark in now.items():
        old = before.get(work)
        columns = (f"{old.cpu:.3f}", f"{mark.cpu / old.cpu:.2f}x", f"{old.calls:.2f}") if old else ("none", "", "")
        yield f"{work:6} {mark.cpu:16.3f} {columns[0]:>10} {columns[1]:>13} {mark.calls:10.2f} {columns[2]:>9}".rstrip()


def worst(now: Mapping[str, Mark], before: Mapping[str, Mark]) -> float:
    """The largest ratio of processor time; 1 where there is nothing to compare."""
    return max((mark.cpu / before[work].cpu for work, mark in now.items() if work in before), default=1.0)
