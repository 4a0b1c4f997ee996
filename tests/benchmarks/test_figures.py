"""Medians, ratios and their spread."""

from __future__ import annotations

import pytest

from tests.benchmarks.figures import Spread


def test_the_middle_is_the_median_and_the_spread_goes_from_least_to_most() -> None:
    assert Spread.of([5.0, 1.0, 100.0]) == Spread(middle=5.0, least=1.0, most=100.0)


def test_of_an_even_number_of_rounds_the_middle_lies_between_two() -> None:
    assert Spread.of([4.0, 1.0, 2.0, 8.0]).middle == 3.0


def test_without_a_round_there_is_no_figure() -> None:
    with pytest.raises(ValueError, match="no round"):
        Spread.of([])


def test_a_ratio_compares_what_was_measured_in_the_same_round() -> None:
    # The second round was disturbed for both; the ratio of the medians would be 1.
    assert Spread.ratio([10.0, 2.0, 30.0], [5.0, 1.0, 10.0]) == Spread(middle=2.0, least=2.0, most=3.0)


def test_a_round_without_a_divisor_has_no_ratio() -> None:
    assert Spread.ratio([1.0, 6.0], [0.0, 2.0]) == Spread(middle=3.0, least=3.0, most=3.0)


def test_rounds_that_do_not_belong_together_are_not_compared() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Spread.ratio([1.0, 2.0], [1.0])
