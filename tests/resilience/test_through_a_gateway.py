"""The policies as a client meets them: a whole gateway over the simulators."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from gateway.clock import Clocks
from gateway.conditions import build_conditions
from gateway.domain.contact import Provider
from gateway.domain.errors import ErrorCode
from gateway.domain.exchange import CallKind
from gateway.resilience.events import PolicyEvents
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox, running_in_thread
from gateway.settings import GatewaySettings
from gateway.upstream.upstream import Conditions
from tests.conftest import Gateway
from tests.failures.outcomes import (
    CREATE,
    PERSON,
    READ,
    a_fault,
    assert_read_failed,
    contact_id,
    failure_result,
    operations,
    results_without_messages,
    without_message,
)
from tests.ports import lasting_port

CREATION = {**PERSON, "providers": ["KLEN"]}
LONGEST_PAUSE_SECONDS = 2


class Told(PolicyEvents):
    def __init__(self) -> None:
        self.retries: list[ErrorCode] = []
        self.shared_calls = 0

    def retried(self, provider: Provider, kind: CallKind, code: ErrorCode) -> None:
        self.retries.append(code)

    def shared(self, provider: Provider, kind: CallKind) -> None:
        self.shared_calls += 1


class Pauses:
    """Lets the pauses before retries pass at once; deadlines keep their time. `at_each` is done in their place."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.at_each: Callable[[], Awaitable[object]] | None = None

    async def sleep(self, seconds: float) -> None:
        if seconds > LONGEST_PAUSE_SECONDS:
            await asyncio.sleep(seconds)
            return
        self.seconds.append(seconds)
        if self.at_each:
            await self.at_each()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def start(
    start_gateway: Callable[..., Gateway], told: Told, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Gateway]:
    """As `start_gateway`, with retries and a breaker."""
    clocks = Clocks(sleep=pauses.sleep, jitter=lambda: 1.0)

    def conditions(settings: GatewaySettings, *_: object) -> Conditions:
        return build_conditions(settings, told, clocks)

    monkeypatch.setattr("gateway.main.build_conditions", conditions)
    return partial(start_gateway, retries=2, breaker="on")


def status(code: int, **more: Any) -> Fault:
    return Fault(kind="status", status=code, count=more.pop("count", 1), **more)


def read_klen(gateway: Gateway) -> dict[str, Any]:
    return gateway.send(READ, id=contact_id("KLEN"))


def test_a_read_that_meets_a_500_is_repeated_and_answered(
    start: Callable[..., Gateway], sandbox: Sandbox, told: Told, pauses: Pauses
) -> None:
    sandbox.klen.faults.add(status(500, count=2))
    answer = read_klen(start())

    assert answer["data"]["contact"]["name"]
    assert "errors" not in answer
    assert operations(sandbox.klen) == ["read"] * 3
    assert told.retries == [ErrorCode.PROVIDER_ERROR] * 2
    assert pauses.seconds == [0.1, 0.2]


def test_a_creation_that_meets_a_500_is_sent_once_and_unknown(
    start: Callable[..., Gateway], sandbox: Sandbox, told: Told
) -> None:
    before = len(sandbox.klen.contacts)
    sandbox.klen.faults.add(status(500, operation="create", count=9))
    payload = start().data(CREATE, input=CREATION)["createContact"]

    assert payload["status"] == "UNKNOWN"
    fault = a_fault("KLEN", "PROVIDER_ERROR", 500, upstreamCode="server_error")
    assert results_without_messages(payload) == [failure_result(fault, "UNKNOWN")]
    assert operations(sandbox.klen).count("create") == 1
    assert (told.retries, len(sandbox.klen.contacts)) == ([], before)


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_creation_that_meets_a_429_is_sent_again_when_the_provider_said_and_created_once(
    seconds: int, start: Callable[..., Gateway], sandbox: Sandbox, told: Told, pauses: Pauses
) -> None:
    before = len(sandbox.klen.contacts)
    sandbox.klen.faults.add(status(429, operation="create", retry_after_seconds=seconds))
    payload = start().data(CREATE, input=CREATION)["createContact"]

    assert payload["status"] == "SUCCEEDED"
    assert operations(sandbox.klen).count("create") == 2
    assert len(sandbox.klen.contacts) == before + 1
    assert (told.retries, pauses.seconds) == ([ErrorCode.RATE_LIMITED], [seconds or 0.1])


def test_a_429_that_lasts_longer_than_the_operation_may_fails_at_once(
    start: Callable[..., Gateway], sandbox: Sandbox
) -> None:
    sandbox.klen.faults.add(status(429, retry_after_seconds=3_600))
    answer = read_klen(start())

    code = "rate_limit_exceeded"
    fault = a_fault("KLEN", "RATE_LIMITED", 429, retryable=True, retryAfterMs=3_600_000, upstreamCode=code)
    assert_read_failed(answer, ["contact", "name"], fault)
    assert operations(sandbox.klen) == ["read"]


def test_a_creation_whose_connection_was_refused_is_sent_again(
    start: Callable[..., Gateway], running_sandbox: RunningSandbox, told: Told, pauses: Pauses
) -> None:
    """Klen is up by the second attempt."""
    port, late = lasting_port(), Sandbox()
    path = running_sandbox.klen.base_url.split("/", 3)[3]
    with ExitStack() as stack:

        async def come_up() -> None:
            stack.enter_context(running_in_thread(late, ports=(0, 0, port)))

        pauses.at_each = come_up
        gateway = start({"KLEN_BASE_URL": f"http://127.0.0.1:{port}/{path}"})
        payload = gateway.data(CREATE, input=CREATION)["createContact"]

    assert payload["status"] == "SUCCEEDED"
    assert operations(late.klen).count("create") == 1
    assert told.retries == [ErrorCode.PROVIDER_UNREACHABLE]


def test_while_a_circuit_is_open_the_provider_receives_nothing_and_callers_hear_when_to_come_back(
    start: Callable[..., Gateway], sandbox: Sandbox
) -> None:
    gateway = start(breaker_failures=3, breaker_open_seconds=600)
    sandbox.klen.faults.add(status(500, count=3))
    read_klen(gateway)
    sandbox.klen.requests.clear()
    answer = read_klen(gateway)

    (error,) = answer["errors"]
    assert error["path"] == ["contact", "name"]
    assert error["message"].startswith("Klen AI failed too often just now, so it is not called for a while; try again")
    wait_ms = error["extensions"]["retryAfterMs"]
    assert 0 < wait_ms <= 600_000
    assert without_message(error["extensions"]) == a_fault(
        "KLEN", "PROVIDER_UNAVAILABLE", retryable=True, retryAfterMs=wait_ms
    )
    assert operations(sandbox.klen) == []
    assert gateway.send(READ, id=contact_id("GATELY"))["data"]["contact"]["name"]


def test_an_open_circuit_of_reads_lets_writes_through(start: Callable[..., Gateway], sandbox: Sandbox) -> None:
    gateway = start(breaker_failures=3, breaker_open_seconds=600)
    sandbox.klen.faults.add(status(500, operation="read", count=3))
    read_klen(gateway)

    gateway.send(CREATE, input=CREATION)
    assert operations(sandbox.klen).count("create") == 1


def test_five_queries_at_the_same_time_that_need_one_read_are_one_call(
    start: Callable[..., Gateway], sandbox: Sandbox, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def until_all_have_joined(_: float) -> None:
        async with asyncio.timeout(10):
            while told.shared_calls < 4:  # noqa: ASYNC110  (another thread counts)
                await asyncio.sleep(0.005)

    monkeypatch.setattr(sandbox.klen, "sleep", until_all_have_joined)
    sandbox.klen.faults.add(Fault(kind="slow", count=1))
    gateway = start()
    variables = {"id": contact_id("KLEN")}
    # Each is another document: those that are the same would be one execution (tests/reading/test_shared_answers.py).
    queries = [{"query": READ + "#" * number, "variables": variables} for number in range(5)]

    async def ask() -> list[Any]:
        replies = (gateway._client.post("/graphql", json=query) for query in queries)
        return [reply.json()["data"]["contact"]["name"] for reply in await asyncio.gather(*replies)]

    names = gateway._run(ask())
    assert names[0]
    assert names == [names[0]] * 5
    assert operations(sandbox.klen) == ["read"]


def test_whoever_wants_no_older_answer_joins_no_call_under_way(
    start: Callable[..., Gateway], sandbox: Sandbox, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def until_both_have_asked(_: float) -> None:
        async with asyncio.timeout(10):
            while len(sandbox.klen.requests) < 2:  # noqa: ASYNC110  (another thread counts)
                await asyncio.sleep(0.005)

    monkeypatch.setattr(sandbox.klen, "sleep", until_both_have_asked)
    sandbox.klen.faults.add(Fault(kind="slow", count=2))
    gateway = start()
    anew = "query ($id: ID!) { contact(id: $id, maxAgeSeconds: 0) { name } }"

    async def ask() -> list[int]:
        queries = ({"query": query, "variables": {"id": contact_id("KLEN")}} for query in (READ, anew))
        replies = (gateway._client.post("/graphql", json=query) for query in queries)
        return [reply.status_code for reply in await asyncio.gather(*replies)]

    assert gateway._run(ask()) == [200, 200]
    assert (operations(sandbox.klen), told.shared_calls) == (["read"] * 2, 0)


@pytest.mark.parametrize("retries", [0, 1])
def test_the_setting_says_how_often(retries: int, start: Callable[..., Gateway], sandbox: Sandbox) -> None:
    sandbox.klen.faults.add(status(500, count=9))
    read_klen(start(retries=retries))

    assert operations(sandbox.klen) == ["read"] * (1 + retries)
