"""The end of `gateway serve`: what runs is answered within a limit, and then broken off in good order."""

import json
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from tests.cli.conftest import ADDRESS, PATIENCE_SECONDS, Process, Started, until
from tests.http.sockets import Answer, Wire, get, post

READ = "{ contacts(first: 1, providers: [KLEN]) { nodes { name } } }"
CREATE = """mutation { createContact(input: {
  providers: [KLEN], firstName: "Ines", emails: [{address: "ines@aalto.test"}]
}) { status } }"""
SLOW = Fault(kind="slow", delay_ms=1_000)
HANGS = Fault(kind="hang")
# Of the answers: a provider that hangs is given up long after every limit of these tests.
PATIENT = {"GATEWAY_ATTEMPT_TIMEOUT_SECONDS": "25"}


@pytest.fixture
def serve(start: Started, simulators: RunningSandbox) -> Callable[..., Process]:
    return lambda **environment: start("serve", **simulators.environment(), **PATIENT, **environment)


@contextmanager
def asking(process: Process, sandbox: Sandbox, document: str) -> Iterator[Wire]:
    """A request that is at the provider just now."""
    port = urlsplit(process.address(ADDRESS)).port
    assert port
    with Wire(port) as wire:
        wire.patience(PATIENCE_SECONDS)
        wire.send(post(json.dumps({"query": document}).encode()))
        until(lambda: sandbox.klen.requests)
        yield wire


def lines(process: Process) -> list[Any]:
    return [json.loads(line) for line in process.stderr.splitlines()]


def outcomes(folder: Path) -> list[tuple[str, int]]:
    """Of the writes that are recorded; with the time until which nobody else may take them up."""
    with closing(sqlite3.connect(folder / "contact-gateway.db")) as database:
        query = "SELECT outcome, lease_until FROM operation_targets JOIN operations ON id = operation_id"
        return list(database.execute(query))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("document", "data"),
    [
        (READ, {"contacts": {"nodes": [{"name": "Bruno Moreau"}]}}),
        (CREATE, {"createContact": {"status": "SUCCEEDED"}}),
    ],
    ids=["query", "mutation"],
)
def test_what_runs_is_answered_and_nothing_new_is_taken(
    serve: Callable[..., Process], sandbox: Sandbox, document: str, data: Any, signum: int
) -> None:
    sandbox.klen.faults.add(SLOW)
    process = serve()
    with asking(process, sandbox, document) as wire:
        process.popen.send_signal(signum)
        until(lambda: process.refuses())
        answer = wire.answer()

        assert (answer.status, answer.data, answer.headers["connection"]) == (200, data, "close")
        assert wire.closed()
    assert (process.wait(), process.stderr) == (0, "")


def test_a_connection_that_rests_is_closed(serve: Callable[..., Process]) -> None:
    process = serve()
    port = urlsplit(process.address(ADDRESS)).port
    assert port
    with Wire(port) as wire:
        assert wire.send(get()).answer().status == 200
        process.popen.send_signal(signal.SIGTERM)

        assert wire.closed()
    assert process.wait() == 0


class TestOfWhatHangs:
    """It is broken off: by the limit, or by a second signal."""

    @pytest.fixture(params=["limit", "second signal"])
    def ended(
        self, request: pytest.FixtureRequest, serve: Callable[..., Process], sandbox: Sandbox
    ) -> Callable[[str], tuple[Process, Answer]]:
        limit = request.param == "limit"

        def end(document: str) -> tuple[Process, Answer]:
            sandbox.klen.faults.add(HANGS)
            process = serve(GATEWAY_SHUTDOWN_SECONDS="0.3" if limit else "20")
            with asking(process, sandbox, document) as wire:
                process.popen.send_signal(signal.SIGTERM)
                until(lambda: process.refuses())
                if not limit:
                    process.popen.send_signal(signal.SIGTERM)
                answer = wire.answer()
            began = time.monotonic()
            assert process.wait() == 0
            assert time.monotonic() - began < 10
            return process, answer

        return end

    def assert_told(self, process: Process, answer: Answer) -> None:
        assert (answer.status, answer.code, answer.headers["connection"]) == (503, "GATEWAY_STOPPING", "close")
        (line,) = lines(process)
        assert (line["event"], line["level"], line["count"]) == ("requests_broken_off", "warning", 1)

    def test_a_query_is_told_to_ask_again(self, ended: Callable[[str], tuple[Process, Answer]]) -> None:
        self.assert_told(*ended(READ))

    def test_a_write_stays_recorded_as_unknown_and_is_free_to_be_taken_up(
        self, ended: Callable[[str], tuple[Process, Answer]], tmp_path: Path
    ) -> None:
        self.assert_told(*ended(CREATE))

        assert outcomes(tmp_path) == [("UNKNOWN", 0)]


def test_no_provider_has_to_be_up_at_the_start(start: Started) -> None:
    with socket.socket() as taken:
        # Bound, but nobody listens: every connection is refused.
        taken.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        names = ("GATELY", "COMETLY", "KLEN")
        environment = {f"{name}_API_KEY": "key" for name in names} | {f"{name}_BASE_URL": nowhere for name in names}
        process = start("serve", **environment)
        port = urlsplit(process.address(ADDRESS)).port
        assert port
        with Wire(port) as wire:
            assert wire.send(get(b"/health/ready")).answer().json == {"status": "ok"}
        assert process.end(signal.SIGTERM) == 0
