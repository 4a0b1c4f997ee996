"""What /proc says of a process and its children, read from a folder that looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.processes import (
    TICKS_PER_SECOND,
    Stat,
    cpu_seconds,
    family,
    memory_mib,
    read_proportional_kib,
    read_resident_kib,
    read_stat,
    shared_memory_mib,
)

# Of Linux 6.1: utime 150, stime 50, cutime 7, cstime 3.
STAT = (
    "{pid} ({name}) S {parent} {pid} {pid} 0 -1 4194304 900 0 1 0 150 50 7 3 20 0 4 0 8123 170000000 30000 18446744\n"
)
ROLLUP = "55d0-7ffc ---p 00000000 00:00 0 [rollup]\nRss:   120000 kB\nPss:    {kib} kB\nPss_Dirty:    40000 kB\n"
STATUS = "Name:\tpython\nVmPeak:\t  200000 kB\nVmRSS:\t   {kib} kB\nRssAnon:\t    90000 kB\nThreads:\t4\n"


def process(proc: Path, pid: int, parent: int, name: str = "python", kib: int = 1024) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(STAT.format(pid=pid, parent=parent, name=name))
    (proc / str(pid) / "status").write_text(STATUS.format(kib=kib))
    (proc / str(pid) / "smaps_rollup").write_text(ROLLUP.format(kib=kib // 2))


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    process(tmp_path, 10, 1, kib=2048)
    process(tmp_path, 11, 10)
    process(tmp_path, 12, 11)
    process(tmp_path, 20, 1, kib=99_999)
    (tmp_path / "self").mkdir()
    return tmp_path


def test_time_is_that_of_user_and_system_and_of_children_that_have_ended() -> None:
    assert read_stat(STAT.format(pid=10, parent=1, name="python")) == Stat(pid=10, parent=1, ticks=210)


def test_a_name_may_hold_brackets_and_spaces() -> None:
    assert read_stat(STAT.format(pid=10, parent=1, name="a) S 2 (b")) == Stat(pid=10, parent=1, ticks=210)


def test_resident_memory_is_read_and_not_its_parts() -> None:
    assert read_resident_kib(STATUS.format(kib=4096)) == 4096


def test_a_process_that_has_ended_has_no_memory() -> None:
    assert read_resident_kib("Name:\tpython\nState:\tZ (zombie)\n") == 0


def test_a_family_is_a_process_and_everything_below_it(proc: Path) -> None:
    assert [stat.pid for stat in family(10, proc)] == [10, 11, 12]


def test_figures_are_those_of_the_family(proc: Path) -> None:
    assert cpu_seconds(10, proc) == 3 * 210 / TICKS_PER_SECOND
    assert memory_mib(10, proc) == 4.0


def test_who_ends_meanwhile_is_left_out(proc: Path) -> None:
    (proc / "12" / "stat").unlink()
    (proc / "11" / "status").unlink()

    assert memory_mib(10, proc) == 2.0


def test_what_is_shared_counts_in_equal_parts(proc: Path) -> None:
    assert read_proportional_kib(ROLLUP.format(kib=512)) == 512
    assert read_proportional_kib("") == 0
    assert shared_memory_mib(10, proc) == (1024 + 512 + 512) / 1024
