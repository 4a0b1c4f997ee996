"""The gateway and its peers under the same works, interleaved, one core each; docs/performance.md tells more."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.benchmarks import answers, nginx_upstream, peers, series, tools
from tests.benchmarks.gateway_server import WITH_CACHE, gateway, link_persons
from tests.benchmarks.given import other_python, peer_names, positive, work_names
from tests.benchmarks.load import Load, LoadFailed
from tests.benchmarks.machine import described, two_cores
from tests.benchmarks.nginx_upstream import NginxUpstream
from tests.benchmarks.report import Results, named
from tests.benchmarks.server_process import ServerFailed, ServerProcess
from tests.benchmarks.works import WORKS, Work

GATEWAY, CACHED = "gateway", "gateway, cache"
TITLES = {work.name: work.title for work in WORKS}
WARM_UP_SECONDS = 2


class Bench:
    """The servers that run, and what has been measured of them."""

    def __init__(self, given: argparse.Namespace, load: Load, upstream: NginxUpstream) -> None:
        self.works = [work for work in WORKS if work.name in named(TITLES, given.only)]
        self.servers: dict[str, ServerProcess] = {}
        self._translated = {peer.name: peer.translated for peer in peers.ALL}
        self.results = Results(titles={work.name: work.title for work in self.works}, reference=given.reference)
        self._load = load
        self._upstream = upstream

    def start(self, stack: ExitStack, name: str, prepare: Callable[[], ServerProcess]) -> None:
        """One that does not start is left out of every work."""
        try:
            self.servers[name] = stack.enter_context(prepare())
        except ServerFailed as failure:
            _say(f"{name}: {failure}")
            for work in self.works:
                self.results.leave_out(work.name, name, str(failure))

    def verify(self) -> None:
        """Whoever answers wrongly is not measured there; whoever does is warmed up."""
        for work, server in self._pairs(0):
            try:
                said = answers.problem(server, work)
            except Exception as failure:
                # Whatever one server does, the others are measured.
                said = f"{type(failure).__name__}: {failure}"
            if said:
                self.results.leave_out(work.name, server.name, said)
            else:
                self._load.warm_up(server, work, WARM_UP_SECONDS)

    def round(self, number: int) -> None:
        for work, server in self._pairs(number):
            try:
                self.results.add(work.name, server.name, self._load.measure(server, work, self._upstream))
            except LoadFailed as failure:
                self.results.leave_out(work.name, server.name, str(failure))

    def _pairs(self, number: int) -> Iterator[tuple[Work, ServerProcess]]:
        """Another server begins in each round."""
        order = list(self.servers.values())
        shift = number % max(1, len(order))
        for work in self.works:
            for server in order[shift:] + order[:shift]:
                if server.name not in self.results.left_out.get(work.name, {}):
                    yield self._translated.get(server.name, _as_it_is)(work), server


def _as_it_is(work: Work) -> Work:
    return work


def run(given: argparse.Namespace, folder: Path) -> Results:
    core, beside = two_cores()
    load = Load(seconds=given.seconds, connections=given.concurrency, core=beside, folder=folder)
    with nginx_upstream.running(folder, beside) as upstream, ExitStack() as stack:
        bench = Bench(given, load, upstream)
        bench.results.about |= described()
        bench.results.about |= {"upstream alone": upstream_rate(load, upstream, core), "load": _load_text(given)}
        for name, prepare in _servers(given, folder, upstream.url, core):
            bench.start(stack, name, prepare)
        for name, server in bench.servers.items():
            if name.startswith(GATEWAY):
                link_persons(server)
        bench.verify()
        for number in range(given.rounds):
            _say(f"round {number + 1} of {given.rounds}")
            bench.round(number)
        return bench.results


def upstream_rate(load: Load, upstream: NginxUpstream, core: int) -> str:
    """Asked from the other core than usual, so that it has one for itself."""
    alone = Load(seconds=2, connections=load.connections, core=core, folder=load.folder)
    wrk = alone.run(f"{upstream.url}/klen/contacts/1000001", "GET")
    return f"{wrk.requests / wrk.microseconds * 1e6:.0f} req/s"


def _servers(
    given: argparse.Namespace, folder: Path, upstream: str, core: int
) -> Iterator[tuple[str, Callable[[], ServerProcess]]]:
    yield GATEWAY, partial(gateway, GATEWAY, folder, upstream, core)
    yield CACHED, partial(gateway, CACHED, folder, upstream, core, WITH_CACHE)
    for other in given.python:
        name = f"{GATEWAY}, {other.version}"
        yield name, partial(gateway, name, folder, upstream, core, script=other.script)
    for peer in peers.ALL:
        if given.peers == ["all"] or peer.name in given.peers:
            yield peer.name, partial(peer.server, folder, upstream, core)


def _load_text(given: argparse.Namespace) -> str:
    return f"{given.rounds} rounds of {given.seconds} s each, {given.concurrency} connections"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=positive, default=8, help="of one load (default: %(default)s)")
    parser.add_argument("--rounds", type=positive, default=5, help="each work on each server (default: %(default)s)")
    parser.add_argument("--concurrency", type=positive, default=32, help="connections (default: %(default)s)")
    parser.add_argument("--only", type=work_names, default=[], metavar="W1,W3", help="these works (default: all)")
    parser.add_argument(
        "--peers", type=peer_names, default=["all"], metavar="apollo,...", help="all, none, or their names"
    )
    parser.add_argument(
        "--python",
        type=other_python,
        action="append",
        default=[],
        metavar=".venv-3.14/bin/python",
        help="the gateway on this Python too, once more for each",
    )
    parser.add_argument("--reference", default="apollo", help="whom the ratios compare to (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    parser.add_argument("--series", action="store_true", help="the gateway alone: lengths, providers, connections, ...")
    parser.add_argument("--memory-requests", type=positive, default=100_000, help="in --series (default: %(default)s)")
    parser.add_argument("--memory-seconds", type=positive, default=300, help="at most for them (default: %(default)s)")
    return parser.parse_args(given)


def run_series(given: argparse.Namespace, folder: Path) -> None:
    """Each line as soon as it is known."""
    core, beside = two_cores()
    load = Load(seconds=given.seconds, connections=given.concurrency, core=beside, folder=folder)
    for name, value in described().items():
        sys.stdout.write(f"{name}: {value}\n")
    with nginx_upstream.running(folder, beside) as upstream:
        limits = {"requests": given.memory_requests, "seconds": given.memory_seconds}
        for line in series.lines(folder, load, core, upstream, **limits):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


def main() -> int:
    given = arguments()
    alone = given.series or given.peers == ["none"]
    if said := tools.complaints(None if alone else peers.MODULES):
        sys.stderr.write("\n".join(said) + "\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if given.series:
            run_series(given, Path(folder))
            return 0
        results = run(given, Path(folder))
    sys.stdout.write(f"{results}\n")
    if given.json:
        given.json.write_text(json.dumps(results.as_json(), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
