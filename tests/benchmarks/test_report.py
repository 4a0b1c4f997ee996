"""How the figures are laid out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.benchmarks.figures import Measured
from tests.benchmarks.report import Results, named

ONE = Measured(
    requests_per_second=100.0,
    p50_ms=10.0,
    p99_ms=20.0,
    cpu_ms=2.0,
    memory_mib=50.0,
    calls=1.0,
    beside=0.3,
    requests=1000,
    connections=32,
    wrong=0,
    failed=0,
)
TITLES = {"W1": "one contact", "W2": "one person"}


def results() -> Results:
    found = Results(titles=TITLES, reference="apollo", about={"machine": "two cores"})
    for factor in (1.0, 3.0, 2.0):
        found.add("W1", "gateway", replace(ONE, requests_per_second=50 * factor))
        found.add("W1", "apollo", replace(ONE, requests_per_second=100 * factor))
    return found


def lines(found: Results, work: str) -> list[str]:
    said = str(found).splitlines()
    begins = next(place for place, line in enumerate(said) if line.startswith(f"{work}:"))
    rest = said[begins:]
    return rest[: rest.index("")] if "" in rest else rest


def test_a_table_has_each_figure_and_its_ratio_with_their_spread() -> None:
    title, head, gateway, ratios, apollo = (line.split() for line in lines(results(), "W1"))

    assert title == ["W1:", "one", "contact"]
    assert head == ["req/s", "p50", "ms", "p99", "ms", "CPU", "ms/req", "MiB", "calls/req"]
    assert gateway[:5] == ["gateway", "100", "(50-150)", "10.00", "(10.00-10.00)"]
    assert ratios[:4] == ["/", "apollo", "0.50x", "(0.50x-0.50x)"]
    assert apollo[:3] == ["apollo", "200", "(100-300)"]


def test_where_and_when_stands_before_the_tables() -> None:
    assert str(results()).splitlines()[0] == "machine: two cores"


def test_without_the_reference_there_are_no_ratios() -> None:
    found = results()
    found.leave_out("W1", "apollo", "answers\n  wrongly")

    assert [line.split()[0] for line in lines(found, "W1")] == ["W1:", "req/s", "gateway", "apollo"]
    assert lines(found, "W1")[-1].split() == ["apollo", "not", "measured:", "answers", "wrongly"]


@pytest.mark.parametrize(
    ("doubtful", "said"),
    [
        (replace(ONE, wrong=2, failed=1), "! 2 wrong answers, 1 without any"),
        (replace(ONE, requests=639), "! few answers for each connection: CPU and calls per request are too high"),
        (replace(ONE, beside=0.95), "! upstream and load kept their core 95% busy: they were measured too"),
    ],
)
def test_a_doubt_about_the_figures_stands_below_them(doubtful: Measured, said: str) -> None:
    found = Results(titles=TITLES, reference="apollo")
    found.add("W2", "gateway", ONE)
    found.add("W2", "gateway", doubtful)

    assert lines(found, "W2")[-1].strip() == said


def test_figures_without_a_doubt_have_no_such_line() -> None:
    assert "!" not in str(results())


def test_all_figures_of_all_rounds_stand_in_the_json() -> None:
    written = json.loads(json.dumps(results().as_json()))

    assert [one["requests_per_second"] for one in written["rounds"]["W1"]["gateway"]] == [50, 150, 100]
    assert written["reference"] == "apollo"


def test_works_are_named_in_their_own_order() -> None:
    assert named(TITLES, ["W2", "W1"]) == ["W1", "W2"]
    assert named(TITLES, []) == ["W1", "W2"]


def test_a_work_that_does_not_exist_is_told() -> None:
    with pytest.raises(ValueError, match="no W9; there are W1, W2"):
        named(TITLES, ["W1", "W9"])
