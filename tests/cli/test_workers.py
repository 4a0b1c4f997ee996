"""`gateway serve --workers`: one address, several processes, and nothing that a client could tell them apart by."""

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import Result

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from tests import redis_server
from tests.cli.conftest import ADDRESS, PATIENCE_SECONDS, Process, Started, until
from tests.graphql.ids import contact_id
from tests.http.sockets import Wire, get, post

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells who holds a connection")

# Of 24 connections all go to the same one of two once in eight million times.
CONNECTIONS = 24
LIST = b'{"query": "{ contacts(first: 1, providers: [KLEN]) { nodes { name } } }"}'
TYPENAME = b'{"query": "{ __typename }"}'
SLOW = Fault(kind="slow", delay_ms=1_000)


@pytest.fixture
def serve(start: Started, simulators: RunningSandbox) -> Callable[..., Process]:
    """Two of them, without the Redis that rate budgets would need."""

    def serve(**environment: str) -> Process:
        alone = {"GATEWAY_RATE_BUDGETS": "off", **simulators.environment(), **environment}
        process = start("serve", "--workers", "2", **alone)
        process.address(ADDRESS)
        return process

    return serve


def workers(process: Process) -> list[int]:
    pid = process.popen.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def sockets(pid: int) -> int:
    links = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(os.readlink(link))
        except FileNotFoundError:
            continue
    return sum(link.startswith("socket:") for link in links)


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def connected(process: Process) -> Iterator[list[Wire]]:
    """Connections that have been answered on, so somebody holds each of them."""
    port = urlsplit(process.address(ADDRESS)).port
    assert port
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(port)) for _ in range(CONNECTIONS)]
        for wire in wires:
            wire.patience(PATIENCE_SECONDS)
            assert wire.send(post(TYPENAME)).answer().status == 200
        yield wires


def ask(wire: Wire, document: str) -> Any:
    return wire.send(post(json.dumps({"query": document}).encode())).answer().data


def events(process: Process) -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.stderr.splitlines()]


def logged(process: Process, event: str) -> Callable[[], bool]:
    return lambda: f'"{event}"' in process.stderr


class TestServing:
    def test_what_they_need_is_loaded_before_they_are_forked(self, serve: Callable[..., Process]) -> None:
        """What the event loop runs in, though the parent never runs one."""
        parent = serve().popen.pid

        assert "/uvloop/" in Path(f"/proc/{parent}/maps").read_text()

    def test_each_of_them_takes_connections(self, serve: Callable[..., Process]) -> None:
        process = serve()
        pids = workers(process)
        before = [sockets(pid) for pid in pids]

        with connected(process):
            taken = [sockets(pid) - had for pid, had in zip(pids, before, strict=True)]

        assert len(taken) == 2
        assert min(taken) > 0
        assert (process.end(signal.SIGTERM), process.stderr) == (0, "")
        assert process.stdout.count("\n") == 2

    def test_what_one_has_written_no_other_tells_as_it_was(
        self, serve: Callable[..., Process], sandbox: Sandbox
    ) -> None:
        process = serve()
        with connected(process) as wires:
            create = '{ createContact(input: {providers: [KLEN], name: "Old", emails: [{address: "a@b.test"}]})'
            made = ask(wires[0], f"mutation {create} {{ contact {{ id }} }} }}")["createContact"]["contact"]["id"]
            read = f'{{ contact(id: "{made}") {{ name }} }}'
            assert {ask(wire, read)["contact"]["name"] for wire in wires} == {"Old"}
            asked = len(sandbox.klen.requests)
            assert {ask(wire, read)["contact"]["name"] for wire in wires} == {"Old"}
            # Each of them has it in its memory.
            assert len(sandbox.klen.requests) == asked

            update = f'{{ updateContact(input: {{id: "{made}", name: "New"}}) {{ status }} }}'
            assert ask(wires[0], f"mutation {update}") == {"updateContact": {"status": "SUCCEEDED"}}

            assert {ask(wire, read)["contact"]["name"] for wire in wires} == {"New"}

    def test_whoever_asks_after_a_write_joins_no_read_from_before_it(
        self, serve: Callable[..., Process], sandbox: Sandbox
    ) -> None:
        process = serve()
        with connected(process) as wires:
            create = '{ createContact(input: {providers: [KLEN], name: "Old", emails: [{address: "a@b.test"}]})'
            made = ask(wires[0], f"mutation {create} {{ contact {{ id }} }} }}")["createContact"]["contact"]["id"]
            read = f'{{ contact(id: "{made}") {{ name }} }}'
            sandbox.klen.faults.add(Fault(kind="slow", delay_ms=3_000, operation="read", count=2))
            before, asked = wires[:12], len(sandbox.klen.requests)
            for wire in before:
                wire.send(post(json.dumps({"query": read}).encode()))
            until(lambda: len(sandbox.klen.requests) == asked + 2)

            update = f'{{ updateContact(input: {{id: "{made}", name: "New"}}) {{ status }} }}'
            assert ask(wires[12], f"mutation {update}") == {"updateContact": {"status": "SUCCEEDED"}}

            assert {ask(wire, read)["contact"]["name"] for wire in wires[13:]} == {"New"}
            assert {wire.answer().data["contact"]["name"] for wire in before} == {"Old"}

    def test_their_metrics_are_told_as_one(self, serve: Callable[..., Process], tmp_path: Path) -> None:
        process = serve(GATEWAY_METRICS="on", TMPDIR=str(tmp_path))
        assert len(list(tmp_path.glob("contact-gateway-metrics-*"))) == 1
        with connected(process) as wires:
            for wire in wires:
                told = wire.send(get(b"/metrics")).answer().body.decode()
                assert f'contact_gateway_operations_total{{kind="query",outcome="ok"}} {CONNECTIONS}.0\n' in told
                # That of the other one may have been answered just now.
                assert re.search(r"\ncontact_gateway_requests_in_flight [12]\.0\n", told)
                assert "contact_gateway_build_info{" in told
        assert process.end(signal.SIGTERM) == 0
        assert list(tmp_path.glob("contact-gateway-metrics-*")) == []

    def test_what_the_dead_were_doing_is_not_told_any_more(
        self, serve: Callable[..., Process], sandbox: Sandbox
    ) -> None:
        sandbox.klen.faults.add(Fault(kind="hang"))
        process = serve(GATEWAY_METRICS="on", GATEWAY_READ_CACHE_SECONDS="0")
        port = urlsplit(process.address(ADDRESS)).port
        assert port

        def in_flight() -> int:
            with Wire(port) as wire:
                told = wire.send(get(b"/metrics")).answer().body.decode()
            return int(float(told.split("\ncontact_gateway_requests_in_flight ")[1].split("\n")[0]))

        with connected(process) as wires:
            for wire in wires:
                wire.send(post(LIST))
            # The scrape itself is one.
            until(lambda: in_flight() == CONNECTIONS + 1)
            for pid in workers(process):
                os.kill(pid, signal.SIGKILL)
            until(lambda: in_flight() == 1)

    def test_rate_budgets_count_the_calls_of_all(self, start: Started, simulators: RunningSandbox) -> None:
        with redis_server.or_skipped(redis_server.running()) as url:
            simulators.sandbox.reset()
            settings = {"GATEWAY_REDIS_URL": url, "GATEWAY_RATE_WAIT_SECONDS": "0", "GATELY_CALLS_PER_MINUTE": "10"}
            process = start("serve", "--workers", "2", **simulators.environment(), **settings)
            with connected(process) as wires:
                for number, wire in enumerate(wires):
                    unknown = contact_id("gately", f"6f3d0001-0000-4000-8000-{9000 + number:012}")
                    document = f'{{ contact(id: "{unknown}") {{ name }} }}'
                    wire.send(post(json.dumps({"query": document}).encode())).answer()

        assert len(simulators.sandbox.gately.requests) == 10
        assert "rate_budgets_not_shared" not in process.stderr


class TestDying:
    def test_one_that_dies_is_replaced_and_those_who_wait_there_are_answered(
        self, serve: Callable[..., Process]
    ) -> None:
        process = serve()
        before = workers(process)
        os.kill(before[0], signal.SIGKILL)
        with connected(process):
            pass

        until(lambda: len(workers(process)) == 2)
        assert before[0] not in workers(process)
        (line,) = events(process)
        assert (line["event"], line["level"], line["worker"], line["exit_code"]) == ("worker_ended", "error", 0, -9)
        assert process.end(signal.SIGTERM) == 0

    def test_one_that_is_told_to_end_answers_first_and_is_replaced(
        self, serve: Callable[..., Process], sandbox: Sandbox
    ) -> None:
        sandbox.klen.faults.add(SLOW)
        process = serve()
        with connected(process) as wires:
            for wire in wires:
                wire.send(post(LIST))
            until(lambda: sandbox.klen.requests)
            before = workers(process)
            for pid in before:
                os.kill(pid, signal.SIGTERM)
            assert {wire.answer().status for wire in wires} == {200}
        until(lambda: len(workers(process)) == 2 and not set(before) & set(workers(process)))
        with connected(process):
            pass
        assert [(line["event"], line["level"], line["exit_code"]) for line in events(process)] == [
            ("worker_ended", "info", 0)
        ] * 2

    def test_one_that_stands_still_is_replaced_and_those_who_wait_there_are_told(
        self, serve: Callable[..., Process]
    ) -> None:
        process = serve(GATEWAY_WORKER_TIMEOUT_SECONDS="1")
        stopped, other = workers(process)
        os.kill(stopped, signal.SIGSTOP)

        until(lambda: len(workers(process)) == 2 and stopped not in workers(process))
        with connected(process):
            pass
        assert other in workers(process)
        assert [(line["event"], line["worker"], line["pid"]) for line in events(process)] == [
            ("worker_stuck", 0, stopped),
            ("worker_ended", 0, stopped),
        ]

    def test_when_the_whole_machine_stood_still_nobody_is(self, serve: Callable[..., Process]) -> None:
        process = serve(GATEWAY_WORKER_TIMEOUT_SECONDS="1")
        before = workers(process)
        every = (process.popen.pid, *before)
        for pid in every:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(2)
        for pid in reversed(every):
            os.kill(pid, signal.SIGCONT)
        time.sleep(2)

        assert (workers(process), process.stderr) == (before, "")

    def test_without_their_parent_they_end(self, serve: Callable[..., Process]) -> None:
        process = serve()
        pids = workers(process)

        process.popen.kill()

        until(lambda: not any(is_there(pid) for pid in pids))


def to_parent(process: Process, signum: int) -> None:
    process.popen.send_signal(signum)


def to_everybody(process: Process, signum: int) -> None:
    """A terminal, or a service manager."""
    for pid in (*workers(process), process.popen.pid):
        os.kill(pid, signum)


class TestEnding:
    @pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
    @pytest.mark.parametrize("send", [to_parent, to_everybody])
    def test_what_runs_is_answered_and_nothing_new_is_taken(
        self, serve: Callable[..., Process], sandbox: Sandbox, send: Callable[[Process, int], None], signum: int
    ) -> None:
        sandbox.klen.faults.add(SLOW)
        process = serve()
        pids = workers(process)
        with connected(process) as wires:
            for wire in wires:
                wire.send(post(LIST))
            until(lambda: sandbox.klen.requests)
            send(process, signum)
            until(lambda: process.refuses())
            # Each of them still has something to answer.
            assert all(is_there(pid) for pid in pids)
            answers = [wire.answer() for wire in wires]

        assert {(answer.status, answer.headers["connection"]) for answer in answers} == {(200, "close")}
        assert (process.wait(), process.stderr) == (0, "")
        assert not any(is_there(pid) for pid in pids)

    def test_a_second_signal_breaks_off_what_hangs(self, serve: Callable[..., Process], sandbox: Sandbox) -> None:
        sandbox.klen.faults.add(Fault(kind="hang"))
        process = serve(GATEWAY_ATTEMPT_TIMEOUT_SECONDS="25")
        with connected(process) as wires:
            wires[0].send(post(LIST))
            until(lambda: sandbox.klen.requests)
            process.popen.send_signal(signal.SIGTERM)
            until(lambda: wires[1].closed())
            process.popen.send_signal(signal.SIGTERM)

            assert wires[0].answer().code == "GATEWAY_STOPPING"
        assert process.wait() == 0


WRONG: dict[str, tuple[Sequence[str], dict[str, str], str]] = {
    "no Redis for the budgets": (["--workers", "2"], {}, "GATEWAY_REDIS_URL"),
    "so many by the environment": ([], {"GATEWAY_WORKERS": "2"}, "GATEWAY_REDIS_URL"),
    "a database in memory": (
        ["--workers", "2"],
        {"GATEWAY_RATE_BUDGETS": "off", "GATEWAY_DATABASE_URL": "sqlite://"},
        "memory",
    ),
    "too many": ([], {"GATEWAY_WORKERS": "65"}, "GATEWAY_WORKERS"),
    "none": ([], {"GATEWAY_WORKERS": "0"}, "GATEWAY_WORKERS"),
}


class TestStarting:
    @pytest.mark.parametrize(("words", "environment", "named"), WRONG.values(), ids=WRONG)
    def test_what_cannot_be_shared_is_refused_with_what_to_change(
        self, run: Callable[..., Result], words: Sequence[str], environment: dict[str, str], named: str
    ) -> None:
        result = run("serve", *words, KLEN_API_KEY="key", **environment)

        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
        assert "GATEWAY_WORKERS" in result.stderr
        assert named in result.stderr
        assert result.stderr.rstrip().endswith(".")

    def test_what_only_a_worker_finds_out_is_said_once(self, start: Started) -> None:
        nowhere = "sqlite:////no/such/folder/gateway.db"
        process = start(
            "serve", "--workers", "3", KLEN_API_KEY="key", GATEWAY_RATE_BUDGETS="off", GATEWAY_DATABASE_URL=nowhere
        )

        assert (process.wait(), process.stdout) == (1, "")
        assert (process.stderr.count("\n"), process.stderr.count("GATEWAY_DATABASE_URL")) == (1, 1)

    def test_a_port_is_not_shared_with_another_gateway(self, serve: Callable[..., Process], start: Started) -> None:
        port = urlsplit(serve().address(ADDRESS)).port

        other = start("serve", "--workers", "2", KLEN_API_KEY="key", GATEWAY_RATE_BUDGETS="off", GATEWAY_PORT=str(port))

        assert other.wait() == 1
        assert f"127.0.0.1:{port}" in other.stderr
