"""What a process and its children have used, from /proc (Linux)."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
IDLE_SECONDS, IDLE_SHARE = 0.2, 0.1


@dataclass(frozen=True, slots=True)
class Stat:
    """Processor time of all threads, user and system, of the process itself and of its children that have ended."""

    pid: int
    parent: int
    ticks: int


def read_stat(text: str) -> Stat:
    """The text of /proc/PID/stat (proc(5)). The name in brackets may hold spaces and brackets itself."""
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    # Fields 4 (ppid) and 14 to 17 (utime, stime, cutime, cstime), counted from 3 after the name.
    return Stat(pid=int(head.split()[0]), parent=int(fields[1]), ticks=sum(int(field) for field in fields[11:15]))


def read_resident_kib(status: str) -> int:
    """VmRSS of the text of /proc/PID/status; 0 for a process that has none any more."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) if found else 0


def family(root: int, proc: Path = PROC) -> list[Stat]:
    """A process and everything below it."""
    stats = []
    for folder in proc.iterdir():
        if folder.name.isdecimal():
            try:
                stats.append(read_stat((folder / "stat").read_text(encoding="utf-8", errors="replace")))
            except (FileNotFoundError, ProcessLookupError):
                continue
    found = [stat for stat in stats if stat.pid == root]
    for parent in found:
        found += [stat for stat in stats if stat.parent == parent.pid]
    return found


def cpu_seconds(root: int, proc: Path = PROC) -> float:
    return sum(stat.ticks for stat in family(root, proc)) / TICKS_PER_SECOND


def memory_mib(root: int, proc: Path = PROC) -> float:
    """Resident memory; pages that parent and child share count twice."""
    total = 0
    for stat in family(root, proc):
        try:
            total += read_resident_kib((proc / str(stat.pid) / "status").read_text(encoding="utf-8", errors="replace"))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1024


def shared_memory_mib(root: int, proc: Path = PROC) -> float:
    """Resident memory; a page that several processes have counts in equal parts (proc(5), smaps_rollup)."""
    total = 0
    for stat in family(root, proc):
        try:
            rollup = (proc / str(stat.pid) / "smaps_rollup").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += read_proportional_kib(rollup)
    return total / 1024


def read_proportional_kib(rollup: str) -> int:
    """Pss of the text of /proc/PID/smaps_rollup."""
    found = re.search(r"^Pss:\s+(\d+) kB$", rollup, re.MULTILINE)
    return int(found[1]) if found else 0


def wait_until_idle(root: int, patience_seconds: float = 30.0) -> None:
    """Until the process has used next to nothing for a fifth of a second: what it was still busy with is not the next
    load's."""
    until, used = time.monotonic() + patience_seconds, cpu_seconds(root)
    while time.monotonic() < until:
        time.sleep(IDLE_SECONDS)
        before, used = used, cpu_seconds(root)
        if used - before <= IDLE_SECONDS * IDLE_SHARE:
            return
