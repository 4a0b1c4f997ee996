"""Kills the gateway at random instants while contacts are created, and counts at the providers afterwards.

Every contact has to be exactly once at each provider, none missing, every link right. docs/crash.md tells more.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox, running_in_thread
from tests.crash.clients import Clients, Turns
from tests.crash.counting import Count, held
from tests.crash.database import Outside
from tests.crash.jobs import jobs_of
from tests.crash.killer import Killer
from tests.crash.plan import ATTEMPT_SECONDS, MUTATION_SECONDS, SETTLING_SECONDS, Plan, Weather
from tests.crash.report import Report
from tests.crash.served import Served
from tests.crash.witness import Witness


def crash_loop(plan: Plan, folder: Path) -> Report:
    """`folder` takes the gateways' logs and, without another database, the SQLite file."""
    with ExitStack() as stack:
        simulators = stack.enter_context(running_in_thread(Sandbox()))
        weather = Weather(plan.chance("weather"))
        weather.is_calm = not plan.faults
        witness = Witness(simulators.sandbox.simulators, weather)
        url = plan.database_url or f"sqlite:///{folder}/gateway.db"
        gateways = _started(plan, folder, url, simulators, stack)
        return _run(plan, simulators.sandbox, weather, witness, Outside(url), gateways)


def _started(plan: Plan, folder: Path, url: str, simulators: RunningSandbox, stack: ExitStack) -> list[Served]:
    environment = {
        **simulators.environment(),
        "GATEWAY_DATABASE_URL": url,
        "GATEWAY_SETTLING_SECONDS": str(SETTLING_SECONDS),
        "GATEWAY_ATTEMPT_TIMEOUT_SECONDS": str(ATTEMPT_SECONDS),
        "GATEWAY_MUTATION_DEADLINE_SECONDS": str(MUTATION_SECONDS),
        # Nothing may hold back what the loop counts; tests/soak has both in place.
        "GATEWAY_RATE_BUDGETS": "off",
        "GATEWAY_BREAKER": "off",
    }
    gateways = [Served(f"gateway-{number + 1}", folder, environment) for number in range(plan.gateways)]
    for gateway in gateways:
        stack.callback(gateway.close)
        gateway.start()
    for gateway in gateways:
        gateway.wait_until_ready()
    return gateways


def _run(
    plan: Plan, sandbox: Sandbox, weather: Weather, witness: Witness, outside: Outside, gateways: Sequence[Served]
) -> Report:
    before, jobs, turns = held(sandbox), jobs_of(plan), Turns()
    began = time.monotonic()
    until = began + plan.seconds
    clients = Clients(plan, [gateway.url for gateway in gateways], turns, until)
    keys = {job.key: job.email for job in jobs}
    killer = Killer(plan, gateways, outside, witness, turns, keys, until)
    _at_once(killer.run, lambda: clients.storm(jobs))
    stormed = time.monotonic()
    weather.is_calm = True
    unfinished = clients.complete(jobs)
    killer.ended_at = completed = time.monotonic()
    counts = Count(sandbox, outside, jobs, before).take([gateway.url for gateway in gateways])
    seconds = {"storm": stormed - began, "calm": completed - stormed, "count": time.monotonic() - completed}
    return Report(plan, jobs, killer, witness, counts, unfinished, [gateway.log for gateway in gateways], seconds)


def _at_once(beside: Callable[[], None], work: Callable[[], None]) -> None:
    """Both to their end; what ends one of them badly is raised."""
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(beside)
        work()
        running.result()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--creates", type=int, default=300, help="contacts to create (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=40, help="SIGKILLs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn (default: %(default)s)")
    parser.add_argument("--gateways", type=int, default=1, choices=(1, 2), help="processes on the one database")
    parser.add_argument("--database", metavar="URL", help="an empty database; an SQLite file when left out")
    parser.add_argument(
        "--postgresql", action="store_true", help="a PostgreSQL database of its own, as the tests have it"
    )
    parser.add_argument("--seconds", type=float, default=1200, help="bound of the storm (default: %(default)s)")
    parser.add_argument("--no-faults", action="store_true", help="kills only")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        url = given.database
        if given.postgresql:
            from tests import postgresql

            url = stack.enter_context(stack.enter_context(postgresql.running()).database())
        plan = Plan(
            creates=given.creates,
            kills=given.kills,
            seed=given.seed,
            database_url=url,
            gateways=given.gateways,
            seconds=given.seconds,
            faults=not given.no_faults,
        )
        folder = Path(tempfile.mkdtemp(prefix="crash-loop-"))
        report = crash_loop(plan, folder)
        sys.stdout.write(f"{report}\n")
        if report.violations:
            sys.stdout.write(f"\nThe database and the logs of the gateway are in {folder}\n")
            return 1
        shutil.rmtree(folder)
        return 0


if __name__ == "__main__":
    sys.exit(main())
