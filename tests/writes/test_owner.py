"""Who works on an operation, and whether that process has surely ended."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gateway.store.owner import is_surely_gone, new_owner


def _changed(place: int, value: str) -> str:
    parts = new_owner().split("/")
    parts[place] = value
    return "/".join(parts)


def test_every_owner_has_a_name_of_its_own_that_fits_its_column() -> None:
    first, second = new_owner(), new_owner()
    assert first != second
    assert first.rpartition("/")[0] == second.rpartition("/")[0]
    assert max(len(first), len(second)) <= 200
    assert first.split("/")[2] == str(os.getpid())


def test_this_process_is_there() -> None:
    assert not is_surely_gone(new_owner())


def test_a_killed_process_is_gone(dead_owner: str) -> None:
    assert is_surely_gone(dead_owner)


def test_a_process_is_gone_when_it_was_killed_and_not_before() -> None:
    program = "import time; from gateway.store.owner import new_owner; print(new_owner(), flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert not is_surely_gone(name)
        process.kill()
        # Not waited for yet: a zombie does no work.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_surely_gone(name)
    assert is_surely_gone(name)


def test_a_process_id_that_was_given_out_again_is_another_process() -> None:
    assert is_surely_gone(_changed(3, "1"))


@pytest.mark.parametrize("place", [0, 1], ids=["another machine or boot", "another namespace"])
def test_of_another_machine_nothing_is_sure(place: int, dead_owner: str) -> None:
    parts = dead_owner.split("/")
    parts[place] = "elsewhere"
    assert not is_surely_gone("/".join(parts))
    assert not is_surely_gone(_changed(place, "elsewhere"))


@pytest.mark.parametrize("name", ["", "/", "somebody", "////", "a/b/c/d/e", "a/b/c/d/e/f"])
def test_of_a_name_that_does_not_tell_nothing_is_sure(name: str) -> None:
    assert not is_surely_gone(name)


@pytest.mark.parametrize("place", range(4))
def test_of_a_name_that_lacks_a_part_nothing_is_sure(place: int) -> None:
    assert not is_surely_gone(_changed(place, ""))
