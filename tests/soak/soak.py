"""Half an hour of two hundred clients with one provider healthy, one flapping and one hanging; docs/soak.md tells more.

The exit code is 1 when any promise is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.crash.served import ROOT, Served
from tests.soak.clients import MIX, Clients
from tests.soak.figures import Soak

OPEN_SECONDS, ATTEMPT_SECONDS = 5.0, 5.0
# Shares of the whole time; the rest is for what is still to be done.
ALONE, STORM = 0.1, 0.85
LEAST_CALM_SECONDS = 900.0
# For everything that a first time costs.
WARM_UP_SECONDS = 10.0


async def soak(served: Served, providers: subprocess.Popen[str], given: argparse.Namespace) -> Soak:
    clients = Clients(served.url, count=given.clients, pause_seconds=given.pause, seed=given.seed)
    seconds = given.minutes * 60
    # As many questions for the healthy one as in the storm; where another one comes then, nothing does now.
    quiet = {"healthy": MIX["healthy"], "nothing": sum(MIX.values()) - MIX["healthy"] + given.creates}
    await clients.ask(quiet, WARM_UP_SECONDS)
    alone = await clients.ask(quiet, seconds * ALONE)
    _order(providers, "storm")
    memory: list[float] = []
    watching = asyncio.create_task(_watch_memory(served, memory))
    storm = await clients.ask({**MIX, "create": given.creates}, seconds * STORM)
    watching.cancel()
    _order(providers, "calm")
    unfinished = await clients.complete(max(LEAST_CALM_SECONDS, seconds * (1 - ALONE - STORM)))
    _order(providers, "end")
    seen = json.loads(await asyncio.to_thread(providers.stdout.readline))  # type: ignore[union-attr]
    return Soak(alone=alone, storm=storm, seen=seen, memory_mib=memory, unfinished=len(unfinished), made=clients.made)


async def _watch_memory(served: Served, into: list[float]) -> None:
    while True:
        into.append(served.memory_mib)
        await asyncio.sleep(1)


def _order(providers: subprocess.Popen[str], word: str) -> None:
    assert providers.stdin is not None
    providers.stdin.write(word + "\n")
    providers.stdin.flush()


@contextmanager
def _providers(seed: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.soak.providers", str(seed), str(OPEN_SECONDS), str(ATTEMPT_SECONDS)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def run(given: argparse.Namespace) -> Soak:
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, _providers(given.seed) as providers:
        assert providers.stdout is not None
        environment = {
            **json.loads(providers.stdout.readline()),
            # Gately publishes no limit, so the healthy one is not held back by our own.
            "GATELY_CALLS_PER_MINUTE": "100000",
            "GATEWAY_SETTLING_SECONDS": "5",
            "GATEWAY_BREAKER_OPEN_SECONDS": str(OPEN_SECONDS),
            "GATEWAY_ATTEMPT_TIMEOUT_SECONDS": str(ATTEMPT_SECONDS),
            **({"GATEWAY_REDIS_URL": given.redis} if given.redis else {}),
        }
        served = Served("gateway", Path(folder), environment)
        served.start()
        try:
            served.wait_until_ready()
            return asyncio.run(soak(served, providers, given))
        finally:
            served.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30, help="of everything together (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=200, help="at a time (default: %(default)s)")
    parser.add_argument("--pause", type=float, default=5, help="mean seconds between questions (default: %(default)s)")
    parser.add_argument("--creates", type=float, default=0.2, help="weight of creations (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn (default: %(default)s)")
    parser.add_argument("--redis", metavar="URL", help="count calls there")
    found = run(parser.parse_args())
    violations = found.violations()
    sys.stdout.write(f"{found}" + "\n\n" + ("\n".join(violations) or "Every promise was kept.") + "\n")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
