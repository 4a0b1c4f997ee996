"""How much later than the slowest provider a read of three ends, and what the gateway adds to one call."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.benchmarks.gateway_server import ROOT, gateway, link_persons
from tests.benchmarks.load import Load, Wrk
from tests.benchmarks.processes import wait_until_idle
from tests.benchmarks.server_process import ServerFailed, ServerProcess
from tests.benchmarks.works import FIRST_PERSON, WORKS
from tests.ports import lasting_port

DELAYS_MS = {"gately": 20, "klen": 50, "cometly": 200}
# The promise: a fan-out costs the slowest, not the sum.
MOST_LATER_MS = 5.0
READY_SECONDS = 10.0
WARM_UP_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Added:
    """Times of a read through the gateway and of the call itself, one at a time, in milliseconds."""

    what: str
    through: Wrk
    direct: Wrk

    @property
    def p50_ms(self) -> float:
        return (self.through.p50_us - self.direct.p50_us) / 1000

    @property
    def p99_ms(self) -> float:
        return (self.through.p99_us - self.direct.p99_us) / 1000

    def __str__(self) -> str:
        return (
            f"{self.what}: p50 {self.through.p50_us / 1000:.2f} ms, p99 {self.through.p99_us / 1000:.2f} ms;"
            f" directly {self.direct.p50_us / 1000:.2f} and {self.direct.p99_us / 1000:.2f};"
            f" added {self.p50_ms:.2f} and {self.p99_ms:.2f} ms"
        )


def three_providers(folder: Path, load: Load, core: int) -> Added:
    """The direct call is the slowest provider's."""
    with _slow_upstream(load.core) as upstream, gateway("gateway slow", folder, upstream, core) as server:
        link_persons(server)
        what = f"three providers that take {', '.join(f'{delay} ms' for delay in DELAYS_MS.values())}"
        slowest = max(DELAYS_MS, key=lambda provider: DELAYS_MS[provider])
        return _added(what, load, server, f"{upstream}/{slowest}/contacts/{FIRST_PERSON}", "W2")


def one_call(load: Load, server: ServerProcess, upstream: str) -> Added:
    """What the gateway adds to the call of the fast upstream."""
    return _added("one call", load, server, f"{upstream}/klen/contacts/1000001", "W1")


def verdict(added: Added) -> str:
    kept = "kept" if added.p50_ms <= MOST_LATER_MS else "BROKEN"
    return f"within {MOST_LATER_MS:.0f} ms of the slowest (p50): {kept}"


def _added(what: str, load: Load, server: ServerProcess, url: str, name: str) -> Added:
    work = next(work for work in WORKS if work.name == name)
    bodies = str(load.bodies(server, work))
    wait_until_idle(server.pid)
    load.run(server.url, bodies, connections=1, seconds=WARM_UP_SECONDS)
    return Added(
        what=what,
        through=load.run(server.url, bodies, connections=1),
        direct=load.run(url, "GET", connections=1),
    )


@contextlib.contextmanager
def _slow_upstream(core: int) -> Iterator[str]:
    port = lasting_port()
    delays = [f"{provider}={delay}" for provider, delay in DELAYS_MS.items()]
    command = ["taskset", "-c", str(core), sys.executable, "-m", "tests.benchmarks.slow_upstream", str(port), *delays]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            _wait(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{url}/klen/contacts/1", trust_env=False)
            return
        time.sleep(0.05)
    raise ServerFailed("the slow upstream did not start")
