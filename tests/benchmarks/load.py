"""A load by wrk: prepared bodies in turn from one thread on one core, and what the server used meanwhile."""

from __future__ import annotations

import contextlib
import json
import resource
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from tests.benchmarks.figures import Measured
from tests.benchmarks.nginx_upstream import NginxUpstream
from tests.benchmarks.processes import cpu_seconds, memory_mib, wait_until_idle
from tests.benchmarks.server_process import ServerProcess
from tests.benchmarks.works import Work

SCRIPT = Path(__file__).with_name("wrk.lua")
MICROSECONDS, MILLISECONDS = 1_000_000, 1_000
# wrk waits for answers that are still out when its time is over.
PATIENCE_SECONDS = 60.0
LONGER = 4
# Answers for each connection, below which what is under way in the end would tell most.
ENOUGH = 4


class LoadFailed(Exception):
    """wrk could not measure; the text is what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrk:
    """What the script prints: counts, and times in microseconds."""

    requests: int
    microseconds: int
    p50_us: float
    p99_us: float
    wrong: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How hard and how long; `core` is where wrk runs."""

    seconds: float
    connections: int
    core: int
    folder: Path

    def bodies(self, server: ServerProcess, work: Work) -> Path:
        """Written once for each server, since a work may be put to it in its own way."""
        path = self.folder / f"{server.name} {work.name}.bodies".replace(" ", "-")
        if not path.exists():
            lines = (work.body(number) for number in range(work.distinct))
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def run(self, url: str, what: str, *, connections: int | None = None, seconds: float | None = None) -> Wrk:
        """`what` is the path of the bodies, or GET.

        Raises:
            LoadFailed: with what wrk said.
        """
        lasting = max(1, round(seconds or self.seconds))
        command = ["taskset", "-c", str(self.core), "wrk", "-t1", f"-c{connections or self.connections}"]
        command += [f"-d{lasting}s", "--timeout", "20s", "-s", str(SCRIPT), url, "--", what]
        done = subprocess.run(command, capture_output=True, text=True, timeout=lasting + PATIENCE_SECONDS, check=False)
        return read_wrk(done.stdout + done.stderr)

    def work(self, server: ServerProcess, work: Work, seconds: float | None = None) -> Wrk:
        connections = self._connections(work)
        return self.run(server.url, str(self.bodies(server, work)), connections=connections, seconds=seconds)

    def warm_up(self, server: ServerProcess, work: Work, seconds: float) -> None:
        with contextlib.suppress(LoadFailed):
            self.work(server, work, seconds)

    def measure(self, server: ServerProcess, work: Work, upstream: NginxUpstream) -> Measured:
        """Who answers nothing in that time, or hardly anything, gets more of it once.

        Raises:
            LoadFailed: with what wrk said.
        """
        with contextlib.suppress(LoadFailed):
            measured = self._measured(server, work, upstream)
            if measured.requests >= ENOUGH * measured.connections:
                return measured
        return replace(self, seconds=self.seconds * LONGER)._measured(server, work, upstream)

    def _measured(self, server: ServerProcess, work: Work, upstream: NginxUpstream) -> Measured:
        wait_until_idle(server.pid)
        calls, used, beside = upstream.calls(), cpu_seconds(server.pid), self._beside(upstream)
        wrk = self.work(server, work)
        used, beside = cpu_seconds(server.pid) - used, self._beside(upstream) - beside
        calls = upstream.calls() - calls
        return Measured(
            requests_per_second=wrk.requests * MICROSECONDS / wrk.microseconds,
            p50_ms=wrk.p50_us / MILLISECONDS,
            p99_ms=wrk.p99_us / MILLISECONDS,
            cpu_ms=used * MILLISECONDS / wrk.requests,
            memory_mib=memory_mib(server.pid),
            calls=calls / wrk.requests,
            beside=beside * MICROSECONDS / wrk.microseconds,
            requests=wrk.requests,
            connections=self._connections(work),
            wrong=wrk.wrong,
            failed=wrk.failed,
        )

    def _connections(self, work: Work) -> int:
        return max(1, round(self.connections * work.share))

    def _beside(self, upstream: NginxUpstream) -> float:
        """Processor time of the other core so far: the upstream's, and that of every wrk that has ended."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return cpu_seconds(upstream.pid) + ended.ru_utime + ended.ru_stime


def read_wrk(said: str) -> Wrk:
    """The line of figures among everything that wrk prints.

    Raises:
        LoadFailed: where there is none, or no answer came at all.
    """
    for line in said.splitlines():
        if line.startswith("figures "):
            wrk = Wrk(**json.loads(line.removeprefix("figures ")))
            if wrk.requests and wrk.microseconds:
                return wrk
            raise LoadFailed(f"no answer in {wrk.microseconds / MICROSECONDS:.0f} s")
    raise LoadFailed(said.strip() or "wrk said nothing")
