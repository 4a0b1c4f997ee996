"""A small crash loop with every `make test`; docs/crash.md has the large ones.

The whole count is one test: it takes some twenty seconds, and what it finds wrong it tells by itself.
"""

from pathlib import Path

import pytest

from tests.crash.crash_loop import crash_loop
from tests.crash.plan import Plan

BOUND_SECONDS = 60.0


def assert_every_contact_is_there_once(plan: Plan, folder: Path) -> None:
    report = crash_loop(plan, folder)

    assert not report.violations, f"\n{report}"
    assert report.killer.kills == plan.kills
    assert report.killer.interrupted.total() > 0, f"no kill hit a write\n{report}"


def test_a_gateway_that_is_killed_leaves_every_contact_exactly_once_and_linked(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path}/crash.db"
    plan = Plan(creates=40, kills=6, seed=1, database_url=database_url, seconds=BOUND_SECONDS)

    assert_every_contact_is_there_once(plan, tmp_path)


def test_two_gateways_on_one_database_of_which_one_is_killed_do_so_too(postgresql_url: str, tmp_path: Path) -> None:
    plan = Plan(creates=40, kills=6, seed=2, database_url=postgresql_url, gateways=2, seconds=BOUND_SECONDS)

    assert_every_contact_is_there_once(plan, tmp_path)


def test_a_loop_that_is_not_killed_as_often_as_it_should_be_says_so(tmp_path: Path) -> None:
    """A loop that ran out of time has not shown what it was started for."""
    report = crash_loop(Plan(creates=1, kills=1, seed=3, seconds=0.0, faults=False), tmp_path)

    assert report.violations[""] == ["only 0 of 1 kills in 0 seconds"]


@pytest.mark.parametrize("number", range(40))
def test_creations_are_spread_over_all_the_kills(number: int) -> None:
    plan = Plan(creates=40, kills=6, seed=1)

    assert 0 <= plan.round_of(number) < plan.kills
