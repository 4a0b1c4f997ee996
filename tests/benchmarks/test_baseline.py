"""What is remembered of the gateway's figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.benchmarks import baseline
from tests.benchmarks.baseline import Mark
from tests.benchmarks.calibration import one_pass
from tests.benchmarks.test_report import ONE
from tests.benchmarks.wire_bodies import gately_list
from tests.benchmarks.works import WORKS


def test_a_mark_is_a_ratio_to_the_calibration_of_its_round() -> None:
    slow, fast = replace(ONE, cpu_ms=8.0), replace(ONE, cpu_ms=2.0)

    # A machine that was four times slower in one round.
    assert Mark.of([slow, fast], [4.0, 1.0]) == Mark(cpu=2.0, calls=1.0)


def test_what_is_stored_is_read_again_and_other_works_stay(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    baseline.store({"W1": Mark(cpu=2.0, calls=1.0), "W2": Mark(cpu=6.0, calls=3.0)}, {"date": "then"}, file)
    baseline.store({"W1": Mark(cpu=1.5, calls=1.0)}, {"date": "now"}, file)

    assert baseline.load(file) == {"W1": Mark(cpu=1.5, calls=1.0), "W2": Mark(cpu=6.0, calls=3.0)}


def test_before_anything_is_stored_there_is_nothing_to_compare(tmp_path: Path) -> None:
    now = {"W1": Mark(cpu=2.0, calls=1.0)}

    assert baseline.load(tmp_path / "none.json") == {}
    assert baseline.worst(now, {}) == 1.0
    assert list(baseline.compared(now, {}))[1].split() == ["W1", "2.000", "none", "1.00"]


def test_each_work_is_compared_with_what_it_was() -> None:
    now = {"W1": Mark(cpu=3.0, calls=1.0), "W2": Mark(cpu=4.0, calls=3.0)}
    before = {"W1": Mark(cpu=2.0, calls=1.0), "W2": Mark(cpu=8.0, calls=3.0)}

    rows = [line.split() for line in baseline.compared(now, before)][1:]
    assert rows == [
        ["W1", "3.000", "2.000", "1.50x", "1.00", "1.00"],
        ["W2", "4.000", "8.000", "0.50x", "3.00", "3.00"],
    ]
    assert baseline.worst(now, before) == 1.5


def test_a_baseline_is_stored_for_every_work() -> None:
    assert list(baseline.load()) == [work.name for work in WORKS]


def test_the_calibration_is_what_every_stored_baseline_is_a_ratio_to() -> None:
    assert one_pass(gately_list(3)) == 198
