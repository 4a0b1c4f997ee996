"""Every event of the table of outcomes, at every provider, for every kind of write: through GraphQL, over sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.failures.outcomes import (
    CHANGES,
    CREATE,
    DELETE,
    PERSON,
    PROVIDERS,
    REMOTE_IDS,
    ROWS,
    UPDATE,
    Row,
    assert_failed,
    contact_id,
    failure_result,
    operations,
    results_without_messages,
    simulator_of,
    success_result,
)

GatewayFor = Callable[[bool], Gateway]
rows = pytest.mark.parametrize("row", ROWS, ids=str)
providers = pytest.mark.parametrize("provider", PROVIDERS)


def assert_unknown(answer: dict[str, Any], field: str, fault: dict[str, Any], **rest: Any) -> None:
    """Possibly applied: data without errors."""
    assert "errors" not in answer
    payload = answer["data"][field]
    results = results_without_messages(payload)
    assert {**payload, "results": results} == {
        "status": "UNKNOWN",
        "results": [failure_result(fault, "UNKNOWN")],
        **rest,
    }


@providers
@rows
def test_a_creation_says_what_the_event_means_and_is_sent_once(
    row: Row, provider: str, sandbox: Sandbox, gateway_for: GatewayFor
) -> None:
    simulator = simulator_of(sandbox, provider)
    simulator.faults.add(row.fault)
    answer = gateway_for(row.endless).send(CREATE, input={**PERSON, "providers": [provider]})
    fault = row.fault_at(provider, "create")
    if row.outcome == "NOT_APPLIED":
        assert_failed(answer, "createContact", fault)
    else:
        assert_unknown(answer, "createContact", fault, contact=None)
    assert operations(simulator) == ["create"]


# Klen AI acknowledges an update with no id in it, so an answer without one is what it always says.
_KLEN_ACKNOWLEDGES = pytest.param("KLEN", next(row for row in ROWS if row.event == "no_id"), id="KLEN-no_id")


@pytest.mark.parametrize(
    ("provider", "row"),
    [
        pytest.param(provider, row, id=f"{provider}-{row}")
        for provider in PROVIDERS
        for row in ROWS
        # To the caller a slow or dripping answer is one that never came; creations show that.
        if (provider, row.event) != ("KLEN", "no_id") and row.event not in ("slow", "drip")
    ],
)
def test_an_update_says_what_the_event_means_and_is_sent_once(
    row: Row, provider: str, sandbox: Sandbox, gateway_for: GatewayFor
) -> None:
    simulator = simulator_of(sandbox, provider)
    simulator.faults.add(row.fault)
    answer = gateway_for(row.endless).send(UPDATE, input={**CHANGES[provider], "id": contact_id(provider)})
    fault = row.fault_at(provider, "update")
    if row.outcome == "NOT_APPLIED":
        assert_failed(answer, "updateContact", fault)
    else:
        assert_unknown(answer, "updateContact", fault, contact={"id": contact_id(provider)})
    assert operations(simulator) == ["update"]


@pytest.mark.parametrize(("provider", "row"), [_KLEN_ACKNOWLEDGES])
def test_an_acknowledged_update_is_applied(row: Row, provider: str, sandbox: Sandbox, gateway: Gateway) -> None:
    simulator = simulator_of(sandbox, provider)
    simulator.faults.add(row.fault)
    payload = gateway.data(UPDATE, input={**CHANGES[provider], "id": contact_id(provider)})["updateContact"]
    assert payload == {
        "status": "SUCCEEDED",
        "contact": {"id": contact_id(provider)},
        "results": [success_result(provider, "UPDATED", REMOTE_IDS[provider])],
    }
    assert operations(simulator) == ["update"]


# A deletion answers a message and no id; what shape the message has is nowhere promised.
_DELETION_ROWS = [row for row in ROWS if row.event not in ("no_id", "wrong_shape", "slow", "drip")]


@pytest.mark.parametrize("row", _DELETION_ROWS, ids=str)
def test_a_deletion_says_what_the_event_means_and_is_sent_once(
    row: Row, sandbox: Sandbox, gateway_for: GatewayFor
) -> None:
    sandbox.gately.faults.add(row.fault)
    answer = gateway_for(row.endless).send(DELETE, input={"id": contact_id("GATELY")})
    fault = row.fault_at("GATELY", "delete")
    if row.outcome == "NOT_APPLIED":
        assert_failed(answer, "deleteContact", fault)
    else:
        assert_unknown(answer, "deleteContact", fault, deletedId=None)
    assert operations(sandbox.gately) == ["delete"]


@pytest.mark.parametrize("provider", ["KLEN", "COMETLY"])
def test_a_deletion_is_refused_without_a_call_where_the_provider_has_none(
    provider: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    answer = gateway.send(DELETE, input={"id": contact_id(provider)})
    fault = {
        "code": "UNSUPPORTED_OPERATION",
        "provider": provider,
        "retryable": False,
        "retryAfterMs": None,
        "upstreamStatus": None,
        "upstreamCode": None,
        "field": None,
    }
    assert_failed(answer, "deleteContact", fault)
    assert operations(simulator_of(sandbox, provider)) == []
