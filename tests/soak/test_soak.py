"""The soak in a small size, and that its counting can find something."""

from __future__ import annotations

import argparse
from dataclasses import replace

import pytest

from tests.soak.clients import Heard
from tests.soak.figures import Soak
from tests.soak.providers import most_in_a_window, most_once_open
from tests.soak.soak import run


@pytest.mark.parametrize(
    ("times", "most"),
    [
        ([], 0),
        ([5.0], 1),
        ([0.0, 30.0, 59.9], 3),
        ([0.0, 60.0, 120.0], 1),
        ([0.0, 50.0, 55.0, 61.0, 62.0, 109.9, 111.0], 5),
    ],
)
def test_calls_are_counted_in_the_worst_window(times: list[float], most: int) -> None:
    assert most_in_a_window(times) == most


@pytest.mark.parametrize(
    ("times", "most"),
    [
        ([0.0, 1.0, 2.0, 3.0], 0),
        # Those under way when the circuit opens end with it.
        ([0.0, 1.0, 2.0, 3.0, 4.0, 8.0], 0),
        ([0.0, 0.1, 0.2, 0.3, 0.4, 10.4, 20.4, 30.3], 1),
        ([0.0, 0.1, 0.2, 0.3, 0.4, 10.4, 19.4], 2),
    ],
)
def test_calls_to_the_hanging_provider_count_once_its_circuit_is_open(times: list[float], most: int) -> None:
    assert most_once_open(times, open_seconds=5, attempt_seconds=5) == most


def heard(*seconds: float) -> Heard:
    found = Heard()
    found.seconds["healthy"] = list(seconds)
    return found


KEPT = Soak(
    alone=heard(0.02),
    storm=heard(0.03),
    seen={
        "windows": {"klen *": [60, 60]},
        "hung": {"read": [9, 1]},
        "refused": {"klen": 0},
        "doubled": [],
        "created": {"gately": 7},
    },
    memory_mib=[80.0, 90.0, 91.0, 98.0],
    unfinished=0,
    made=7,
)


def test_a_soak_that_kept_every_promise_has_nothing_to_say() -> None:
    assert KEPT.violations() == []


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (replace(KEPT, storm=heard(0.0302)), "the healthy provider's p99 is 1.51 times of that alone"),
        (replace(KEPT, memory_mib=[80.0, 90.0, 91.0, 99.9]), "memory grew 1.11 times"),
        (replace(KEPT, unfinished=2), "2 creations were never done"),
        (replace(KEPT, made=8), "gately holds 7 of 8 creations"),
        (
            replace(KEPT, seen={**KEPT.seen, "windows": {"klen *": [61, 60]}}),
            "61 calls in 60 s where klen * allows 60",
        ),
        (
            replace(KEPT, seen={**KEPT.seen, "hung": {"read": [9, 2]}}),
            "2 calls (read) to the hanging provider in one breaker window",
        ),
        (replace(KEPT, seen={**KEPT.seen, "refused": {"klen": 3}}), "klen had to refuse 3 calls itself"),
        (replace(KEPT, seen={**KEPT.seen, "doubled": ["klen a@soak.test"]}), "doubled: klen a@soak.test"),
    ],
)
def test_a_broken_promise_is_told(broken: Soak, told: str) -> None:
    assert broken.violations() == [told]


@pytest.mark.lasting
def test_a_small_soak_keeps_what_does_not_depend_on_the_machine() -> None:
    found = run(argparse.Namespace(minutes=0.6, clients=20, pause=0.5, creates=1.0, seed=1, redis=None))

    # Times belong to the benchmark: here other tests run beside it.
    assert [*found._calls(), *found._writes()] == []
    assert found.made > 0
