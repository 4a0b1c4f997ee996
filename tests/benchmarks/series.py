"""The gateway along one dimension at a time: list length, providers, connections; its start and its memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

from tests.benchmarks import fan_out
from tests.benchmarks.figures import Measured
from tests.benchmarks.gateway_server import SETTINGS, gateway, link_persons, link_records
from tests.benchmarks.load import Load, LoadFailed
from tests.benchmarks.nginx_upstream import NginxUpstream
from tests.benchmarks.processes import family, memory_mib, shared_memory_mib
from tests.benchmarks.series_works import pages_work, providers_work
from tests.benchmarks.server_process import ServerProcess
from tests.benchmarks.wire_bodies import LIST_LENGTHS, PROVIDERS
from tests.benchmarks.works import PERSONS, WORKS, Work, list_work

PAGES = (3, 10)
CONNECTIONS = (1, 8, 32, 128, 512)
# Lists are long: few connections fill the server.
LIST_SHARE = 0.125
STARTS = 3
SCALED = ("W1", "W3")
MEMORY_LOAD_SECONDS = 5
FIRST_LINKED = {1: 4_000_001, 2: 3_000_001, 3: 2_000_001}


def lines(
    folder: Path, load: Load, core: int, upstream: NginxUpstream, *, requests: int, seconds: float
) -> Iterator[str]:
    """One after the other as they are measured; memory is watched until there were so many requests, or so long."""
    with ExitStack() as stack:
        server = stack.enter_context(gateway("gateway series", folder, upstream.url, core))
        link_persons(server)
        link_records(server, PROVIDERS[:2], FIRST_LINKED[2], PERSONS)
        yield "\nlist length"
        for work in (*map(list_work, LIST_LENGTHS), *map(pages_work, PAGES)):
            yield _line(load, server, replace(work, share=LIST_SHARE), upstream)
        yield "\nproviders"
        for count in (1, 2, 3):
            yield _line(load, server, providers_work(count, FIRST_LINKED[count]), upstream)
        yield "\nconnections (W1)"
        for connections in CONNECTIONS:
            named = replace(WORKS[0], name=f"{connections}")
            yield _line(replace(load, connections=connections), server, named, upstream)
        yield "\nlatency, one request at a time"
        yield str(fan_out.one_call(load, server, upstream.url))
    yield "\nworkers (W1, W3)"
    yield from _workers(folder, load, core, upstream)
    three = fan_out.three_providers(folder, load, core)
    yield f"{three}; {fan_out.verdict(three)}"
    yield f"\nstart-up\n{_starts(folder, upstream.url, core)}"
    yield "\nmemory (W1)"
    with gateway("gateway memory", folder, upstream.url, core) as server:
        yield from _memory(load, server, requests=requests, seconds=seconds)


def _line(load: Load, server: ServerProcess, work: Work, upstream: NginxUpstream) -> str:
    load.warm_up(server, work, 1)
    try:
        return row(work.name, load.measure(server, work, upstream))
    except LoadFailed as failure:
        return f"{work.name:>12}  not measured: {failure}"


def row(name: str, measured: Measured) -> str:
    wrong = f"  ! {measured.wrong} wrong, {measured.failed} without" if measured.wrong or measured.failed else ""
    return (
        f"{name:>12}  {measured.requests_per_second:8.1f} req/s  p50 {measured.p50_ms:8.2f} ms"
        f"  p99 {measured.p99_ms:8.2f} ms  CPU {measured.cpu_ms:8.3f} ms/req  {measured.calls:5.2f} calls/req{wrong}"
    )


def _workers(folder: Path, load: Load, core: int, upstream: NginxUpstream) -> Iterator[str]:
    """One of them on its core, then two on both cores, the second of which upstream and load use as well."""
    rates: dict[str, list[float]] = {work.name: [] for work in WORKS if work.name in SCALED}
    for count, cores in ((1, str(core)), (2, f"{core},{load.core}")):
        settings = {**SETTINGS, "GATEWAY_WORKERS": str(count)}
        with gateway(f"gateway of {count}", folder, upstream.url, cores, settings) as server:
            for work in WORKS:
                if work.name in SCALED:
                    load.warm_up(server, work, 1)
                    measured = load.measure(server, work, upstream)
                    rates[work.name].append(measured.requests_per_second)
                    yield row(f"{work.name}, {count}", measured)
            processes = len(family(server.pid))
            each = shared_memory_mib(server.pid) / processes
            yield f"{processes} processes, {each:.1f} MiB each, what they share in equal parts"
    for name, (one, two) in rates.items():
        yield f"{name:>12}  two answer {two / one:.2f} times as much as one"


def _starts(folder: Path, upstream: str, core: int) -> str:
    """From the start of the process to its first answer, the first time with a new database."""
    times = []
    for _ in range(STARTS):
        with gateway("gateway start", folder, upstream, core) as server:
            times.append(server.start_up_seconds)
    return f"{times[0]:.2f} s with a new database, then {median(times[1:]):.2f} s"


def _memory(load: Load, server: ServerProcess, *, requests: int, seconds: float) -> Iterator[str]:
    yield f"{0:>12} requests  {memory_mib(server.pid):6.1f} MiB"
    until, done, told = time.monotonic() + seconds, 0, 0
    while done < requests and time.monotonic() < until:
        done += load.work(server, WORKS[0], MEMORY_LOAD_SECONDS).requests
        if done >= 2 * told:
            told = done
            yield f"{done:>12} requests  {memory_mib(server.pid):6.1f} MiB"
    if done < requests:
        yield f"after {seconds:.0f} s there were {done} of {requests} requests: {memory_mib(server.pid):.1f} MiB"
    elif told != done:
        yield f"{done:>12} requests  {memory_mib(server.pid):6.1f} MiB"
