"""The deadline of an operation: no call begins after it, and none goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL
from tests.conftest import Gateway
from tests.failures.outcomes import (
    BY_EMAIL,
    CHANGES,
    CREATE,
    DELETE,
    FINDERS,
    LIST,
    PERSON,
    PROVIDERS,
    READ,
    UPDATE,
    a_fault,
    assert_failed,
    assert_read_failed,
    contact_id,
    everything_received,
    failure_result,
    operations,
    results_without_messages,
    source,
    sources_without_messages,
)

StartGateway = Callable[..., Gateway]
providers = pytest.mark.parametrize("provider", PROVIDERS)

NO_TIME = 1e-6
# A write is recorded and a connection made before its request is out: a busy machine takes some tenths of a second.
TIME_TO_SEND = 2


def deadline_exceeded(provider: str) -> dict[str, Any]:
    return a_fault(provider, "DEADLINE_EXCEEDED", retryable=True)


@pytest.fixture
def out_of_time(start_gateway: StartGateway) -> Gateway:
    return start_gateway(query_deadline_seconds=NO_TIME, mutation_deadline_seconds=NO_TIME)


def test_a_write_whose_deadline_has_passed_is_never_sent(out_of_time: Gateway, sandbox: Sandbox) -> None:
    for provider in PROVIDERS:
        created = out_of_time.send(CREATE, input={**PERSON, "providers": [provider]})
        assert_failed(created, "createContact", deadline_exceeded(provider))
        updated = out_of_time.send(UPDATE, input={**CHANGES[provider], "id": contact_id(provider)})
        assert_failed(updated, "updateContact", deadline_exceeded(provider))
    deleted = out_of_time.send(DELETE, input={"id": contact_id("GATELY")})
    assert_failed(deleted, "deleteContact", deadline_exceeded("GATELY"))
    assert everything_received(sandbox) == []


def test_a_read_whose_deadline_has_passed_is_never_sent(out_of_time: Gateway, sandbox: Sandbox) -> None:
    for provider in PROVIDERS:
        fault = deadline_exceeded(provider)
        assert_read_failed(out_of_time.send(READ, id=contact_id(provider)), ["contact", "name"], fault)
        assert_read_failed(out_of_time.send(LIST, providers=[provider]), ["contacts", "edges", 0], fault)
    for provider in FINDERS:
        found = out_of_time.data(BY_EMAIL, email=EVERYWHERE_EMAIL, providers=[provider])["contactsByEmail"]
        assert sources_without_messages(found["sources"]) == [source(provider, "FAILED", deadline_exceeded(provider))]
    assert everything_received(sandbox) == []


def test_the_deadline_cuts_an_attempt_short(start_gateway: StartGateway, sandbox: Sandbox) -> None:
    gateway = start_gateway(
        query_deadline_seconds=TIME_TO_SEND, mutation_deadline_seconds=TIME_TO_SEND, attempt_timeout_seconds=50
    )
    sandbox.klen.faults.add(Fault(kind="hang"))
    payload = gateway.data(CREATE, input={**PERSON, "providers": ["KLEN"]})["createContact"]
    timed_out = a_fault("KLEN", "PROVIDER_TIMEOUT")
    assert results_without_messages(payload) == [failure_result(timed_out, "UNKNOWN")]
    read = gateway.send(READ, id=contact_id("KLEN"))
    assert_read_failed(read, ["contact", "name"], a_fault("KLEN", "PROVIDER_TIMEOUT", retryable=True))
    assert operations(sandbox.klen) == ["create", "read"]


def test_a_second_call_after_the_deadline_is_not_begun(start_gateway: StartGateway, sandbox: Sandbox) -> None:
    """The read that the update begins with uses the time up, so the update itself is never sent."""
    gateway = start_gateway(mutation_deadline_seconds=TIME_TO_SEND, attempt_timeout_seconds=50)
    sandbox.klen.faults.add(Fault(kind="hang", operation="read"))
    answer = gateway.send(UPDATE, input={"id": contact_id("KLEN"), "tags": {"add": ["New"]}})
    assert_failed(answer, "updateContact", a_fault("KLEN", "PROVIDER_TIMEOUT", retryable=True))
    assert operations(sandbox.klen) == ["read"]
