"""A client that leaves in the middle: its query is broken off down to the provider, its mutation is not."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from gateway.main import build_app, build_connectors
from gateway.sandbox.faults import Fault
from gateway.sandbox.misbehaviour import HANG_SECONDS, Exchange
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from gateway.settings import read_gateway_settings
from tests.conftest import BARE
from tests.failures.outcomes import CREATE, LIST, PERSON, READ, contact_id, operations
from tests.http.sockets import Wire, get, post, until
from tests.live import Served, serving

LONG_SECONDS = 300
"""No time-out of the gateway ends anything here."""


@pytest.fixture
def served(
    running_sandbox: RunningSandbox, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    monkeypatch.chdir(tmp_path)
    for name, value in running_sandbox.environment().items():
        monkeypatch.setenv(name, value)
    settings = read_gateway_settings(
        database_url=f"sqlite:///{tmp_path}/gateway.db",
        **BARE,
        attempt_timeout_seconds=LONG_SECONDS,
        query_deadline_seconds=LONG_SECONDS,
        mutation_deadline_seconds=LONG_SECONDS,
    )
    with serving(build_app(settings, build_connectors(settings)), settings) as live:
        yield live


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the simulators' clients left calls that hang."""
    times: list[float] = []
    wait = Exchange.wait_until_left

    async def watched(exchange: Exchange) -> None:
        await wait(exchange)
        times.append(time.monotonic())

    monkeypatch.setattr(Exchange, "wait_until_left", watched)
    return times


def a_post(document: str, *headers: bytes, **variables: Any) -> bytes:
    return post(json.dumps({"query": document, "variables": variables}).encode(), *headers)


def a_get(document: str, **variables: Any) -> bytes:
    target = f"/graphql?query={quote(document)}&variables={quote(json.dumps(variables))}"
    return get(target.encode(), b"GraphQL-Require-Preflight: 1", b"Accept: application/json")


QUERIES = {
    "one record by POST": a_post(READ, id=contact_id("KLEN")),
    "one record by GET": a_get(READ, id=contact_id("KLEN")),
    "a list": a_post(LIST, providers=["KLEN"]),
    "one record as a stream": a_post(READ, b"Accept: text/event-stream", id=contact_id("KLEN")),
}


@pytest.mark.parametrize("request_", QUERIES.values(), ids=QUERIES)
def test_a_query_is_broken_off_and_so_is_its_call(
    request_: bytes, served: Served, sandbox: Sandbox, left: list[float]
) -> None:
    sandbox.klen.faults.add(Fault(kind="hang"))
    with Wire(served.port) as wire:
        wire.send(request_)
        until(lambda: bool(sandbox.klen.requests))
        assert left == []
        gone = time.monotonic()
    until(lambda: bool(left))

    assert left[0] - gone < HANG_SECONDS / 4
    until(lambda: not served.server.server_state.tasks)


def queued(served: Served) -> int:
    """How many requests wait for the end of another one."""
    return sum(len(connection.pipeline) for connection in served.server.server_state.connections)  # type: ignore[union-attr]  # this protocol has one


ONE, OTHER = QUERIES["one record by POST"], a_post(LIST, providers=["GATELY"])
BEHIND_IT = {
    "with it": [ONE + OTHER],
    "later": [ONE, OTHER],
    "a stream": [QUERIES["one record as a stream"], OTHER],
    "and more": [ONE, OTHER + get(), get() + ONE[:-5]],
    "many": [ONE, OTHER + get() * 100],
    "a refusal": [ONE, b"nonsense\r\n\r\n"],
}


@pytest.mark.parametrize("pieces", BEHIND_IT.values(), ids=BEHIND_IT)
def test_so_it_is_with_others_behind_it_which_never_begin(
    pieces: list[bytes], served: Served, sandbox: Sandbox, left: list[float]
) -> None:
    sandbox.klen.faults.add(Fault(kind="hang"))
    first, *rest = pieces
    with Wire(served.port) as wire:
        wire.send(first)
        until(lambda: bool(sandbox.klen.requests))
        wire.send(*rest)
        until(lambda: queued(served) > 0)
        assert left == []
    until(lambda: bool(left))
    until(lambda: not served.server.server_state.tasks)

    assert (operations(sandbox.klen), sandbox.gately.requests) == (["read"], [])


def test_a_client_that_waits_gets_its_answer(served: Served) -> None:
    with Wire(served.port) as wire:
        wire.send(QUERIES["one record by POST"])
        assert wire.answer().data["contact"]["name"]
        wire.send(QUERIES["one record by GET"])
        assert wire.answer().data["contact"]["name"]


def creating_until(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Klen AI creates nothing before it is set."""
    gone = threading.Event()

    async def until_gone(_: float) -> None:
        # In the simulators' own thread, where nothing else is under way.
        assert gone.wait(10)

    monkeypatch.setattr(sandbox.klen, "sleep", until_gone)
    sandbox.klen.faults.add(Fault(kind="slow", operation="create"))
    return gone


def test_a_mutation_runs_to_its_end_and_is_recorded(
    served: Served, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, gone = len(sandbox.klen.contacts), creating_until(sandbox, monkeypatch)
    request = a_post(CREATE, b'Idempotency-Key: "gone"', input={**PERSON, "providers": ["KLEN"]})
    with Wire(served.port) as wire:
        wire.send(request)
        until(lambda: bool(sandbox.klen.requests))
    until(lambda: not served.server.server_state.connections)
    gone.set()

    def answered() -> bool:
        with Wire(served.port) as again:
            answer = again.send(request).answer().json
        return bool(answer["data"]["createContact"] and answer["data"]["createContact"]["status"] == "SUCCEEDED")

    until(answered)
    # Nothing had to be looked for: its end was noted when it came.
    assert operations(sandbox.klen) == ["create"]
    assert len(sandbox.klen.contacts) == before + 1


@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_queued_behind_a_mutation_never_begins(
    at_once: bool, served: Served, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, gone = len(sandbox.klen.contacts), creating_until(sandbox, monkeypatch)
    request = a_post(CREATE, input={**PERSON, "providers": ["KLEN"]})
    with Wire(served.port) as wire:
        wire.send(request + request if at_once else request)
        until(lambda: bool(sandbox.klen.requests))
        if not at_once:
            wire.send(request)
        until(lambda: queued(served) == 1)
    until(lambda: not served.server.server_state.connections)
    gone.set()
    until(lambda: not served.server.server_state.tasks)

    assert operations(sandbox.klen) == ["create"]
    assert len(sandbox.klen.contacts) == before + 1
