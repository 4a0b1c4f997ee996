"""The gateway alone against what is stored of it: for every day, some minutes; docs/performance.md tells more."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import answers, baseline, nginx_upstream, tools
from tests.benchmarks.baseline import Mark
from tests.benchmarks.figures import Measured
from tests.benchmarks.gateway_server import ROOT, gateway, link_persons
from tests.benchmarks.given import positive, work_names
from tests.benchmarks.load import Load
from tests.benchmarks.machine import described, two_cores
from tests.benchmarks.report import named
from tests.benchmarks.works import WORKS

TITLES = {work.name: work.title for work in WORKS}
# Few enough that what is under way in the end hardly counts, enough that the gateway always has something to do.
CONNECTIONS = 8


def measure(given: argparse.Namespace, folder: Path) -> dict[str, Mark]:
    """
    Raises:
        AssertionError: when the gateway answers wrongly.
    """
    core, beside = two_cores()
    load = Load(seconds=given.seconds, connections=given.concurrency, core=beside, folder=folder)
    works = [work for work in WORKS if work.name in named(TITLES, given.only)]
    rounds: dict[str, list[Measured]] = defaultdict(list)
    calibrations: dict[str, list[float]] = defaultdict(list)
    with nginx_upstream.running(folder, beside) as upstream, gateway("gateway", folder, upstream.url, core) as server:
        link_persons(server)
        for work in works:
            said = answers.problem(server, work)
            assert said is None, f"{work.name}: {said}"
            load.warm_up(server, work, 1)
        for number in range(given.rounds):
            sys.stderr.write(f"round {number + 1} of {given.rounds}\n")
            for work in works:
                before = calibrated_ms(core)
                rounds[work.name].append(load.measure(server, work, upstream))
                # The machine may have become slower meanwhile.
                calibrations[work.name].append((before + calibrated_ms(core)) / 2)
    return {name: Mark.of(measured, calibrations[name]) for name, measured in rounds.items()}


def calibrated_ms(core: int) -> float:
    command = ["taskset", "-c", str(core), sys.executable, "-m", "tests.benchmarks.calibration"]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=positive, default=4, help="of one load (default: %(default)s)")
    parser.add_argument("--rounds", type=positive, default=3, help="of each work (default: %(default)s)")
    parser.add_argument("--concurrency", type=positive, default=CONNECTIONS, help="connections (default: %(default)s)")
    parser.add_argument("--only", type=work_names, default=[], metavar="W1,W3", help="these works (default: all)")
    parser.add_argument("--store", action="store_true", help="remember these figures as the baseline")
    parser.add_argument("--most", type=float, metavar="1.2", help="fail where a work needs so many times more")
    return parser.parse_args(given)


def main() -> int:
    given = arguments()
    if said := tools.complaints(None):
        sys.stderr.write("\n".join(said) + "\n")
        return 2
    before = baseline.load()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        now = measure(given, Path(folder))
    sys.stdout.write("\n".join(baseline.compared(now, before)) + "\n")
    if given.store:
        baseline.store(now, described())
    return int(given.most is not None and baseline.worst(now, before) > given.most)


if __name__ == "__main__":
    sys.exit(main())
