"""One write, several providers: each has its own result, and together they have one of four ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway.connectors.cometly.connector import CometlyConnector
from gateway.connectors.gately.connector import GatelyConnector
from gateway.connectors.klen.connector import KlenConnector
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.failures.outcomes import (
    CREATE,
    DELETE,
    PERSON,
    PROVIDERS,
    REMOTE_IDS,
    a_fault,
    assert_failed,
    contact_id,
    everything_received,
    failure_result,
    linked,
    operations,
    results_without_messages,
    simulator_of,
    success_result,
)

CONNECTORS = {"GATELY": GatelyConnector, "KLEN": KlenConnector, "COMETLY": CometlyConnector}


def _status_fault(sandbox: Sandbox, provider: str, status: int, **rest: Any) -> None:
    simulator_of(sandbox, provider).faults.add(Fault(kind="status", status=status, code="sandbox_code", **rest))


def _coded(provider: str) -> dict[str, Any]:
    return {"upstreamCode": "sandbox_code" if provider == "KLEN" else None}


def test_results_stand_in_the_order_in_which_the_providers_were_named(sandbox: Sandbox, gateway: Gateway) -> None:
    order = ["COMETLY", "GATELY", "KLEN"]
    payload = gateway.data(CREATE, input={**PERSON, "providers": order})["createContact"]
    created = {
        "COMETLY": str(max(sandbox.cometly.contacts)),
        "GATELY": list(sandbox.gately.contacts)[-1],
        "KLEN": str(max(sandbox.klen.contacts)),
    }
    assert payload == {
        "status": "SUCCEEDED",
        "contact": {"id": contact_id("GATELY", created["GATELY"])},
        "results": [success_result(provider, "CREATED", created[provider]) for provider in order],
    }


@pytest.mark.parametrize("failing", PROVIDERS)
def test_applied_somewhere_is_partial_as_data_without_errors(failing: str, sandbox: Sandbox, gateway: Gateway) -> None:
    _status_fault(sandbox, failing, 403)
    payload = gateway.data(CREATE, input={**PERSON, "providers": list(PROVIDERS)})["createContact"]
    results = results_without_messages(payload)
    position = PROVIDERS.index(failing)
    assert payload["status"] == "PARTIAL"
    assert [result["provider"] for result in results] == list(PROVIDERS)
    expected = failure_result(a_fault(failing, "PROVIDER_FORBIDDEN", 403, **_coded(failing)), "NOT_APPLIED")
    assert results.pop(position) == expected
    assert [(result["outcome"], result["action"]) for result in results] == [("APPLIED", "CREATED")] * 2
    # The contact is named by the first record that exists.
    first = next(provider for provider in PROVIDERS if provider != failing)
    assert payload["contact"] == {"id": contact_id(first, results[0]["record"]["remoteId"])}


def test_applied_somewhere_and_unknown_elsewhere_is_partial(sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.gately.faults.add(Fault(kind="drop_after"))
    payload = gateway.data(CREATE, input={**PERSON, "providers": ["GATELY", "COMETLY"]})["createContact"]
    outcomes = [result["outcome"] for result in payload["results"]]
    assert (payload["status"], outcomes) == ("PARTIAL", ["UNKNOWN", "APPLIED"])


def test_perhaps_applied_somewhere_and_nowhere_for_sure_is_unknown(sandbox: Sandbox, gateway: Gateway) -> None:
    _status_fault(sandbox, "GATELY", 401)
    sandbox.klen.faults.add(Fault(kind="no_id"))
    _status_fault(sandbox, "COMETLY", 500)
    payload = gateway.data(CREATE, input={**PERSON, "providers": list(PROVIDERS)})["createContact"]
    assert {**payload, "results": results_without_messages(payload)} == {
        "status": "UNKNOWN",
        "contact": None,
        "results": [
            failure_result(a_fault("GATELY", "PROVIDER_UNAUTHENTICATED", 401), "NOT_APPLIED"),
            failure_result(a_fault("KLEN", "PROVIDER_BAD_RESPONSE", 201), "UNKNOWN"),
            failure_result(a_fault("COMETLY", "PROVIDER_ERROR", 500), "UNKNOWN"),
        ],
    }


def test_applied_nowhere_with_one_reason_is_one_error_of_that_code(sandbox: Sandbox, gateway: Gateway) -> None:
    order = ["KLEN", "GATELY", "COMETLY"]
    for provider in order:
        _status_fault(sandbox, provider, 429, retry_after_seconds=PROVIDERS.index(provider))
    answer = gateway.send(CREATE, input={**PERSON, "providers": order})
    faults = [
        a_fault(
            provider,
            "RATE_LIMITED",
            429,
            retryable=True,
            retryAfterMs=PROVIDERS.index(provider) * 1000,
            **_coded(provider),
        )
        for provider in order
    ]
    assert_failed(answer, "createContact", *faults, code="RATE_LIMITED")


def test_applied_nowhere_for_different_reasons_is_one_error_that_lists_them(sandbox: Sandbox, gateway: Gateway) -> None:
    order = ["COMETLY", "KLEN", "GATELY"]
    _status_fault(sandbox, "COMETLY", 429, retry_after_seconds=9)
    _status_fault(sandbox, "KLEN", 403)
    _status_fault(sandbox, "GATELY", 302)
    answer = gateway.send(CREATE, input={**PERSON, "providers": order})
    faults = [
        a_fault("COMETLY", "RATE_LIMITED", 429, retryable=True, retryAfterMs=9_000),
        a_fault("KLEN", "PROVIDER_FORBIDDEN", 403, upstreamCode="sandbox_code"),
        a_fault("GATELY", "PROVIDER_BAD_RESPONSE", 302),
    ]
    assert_failed(answer, "createContact", *faults, code="ALL_PROVIDERS_FAILED")
    assert [operations(simulator) for simulator in sandbox.simulators] == [["create"]] * 3


def test_a_deletion_beside_providers_that_cannot_delete_is_partial(sandbox: Sandbox, gateway: Gateway) -> None:
    contact = linked(gateway)
    payload = gateway.data(DELETE, input={"id": contact})["deleteContact"]
    assert {**payload, "results": results_without_messages(payload)} == {
        "status": "PARTIAL",
        "deletedId": None,
        "results": [
            success_result("GATELY", "DELETED", REMOTE_IDS["GATELY"]),
            failure_result(a_fault("KLEN", "UNSUPPORTED_OPERATION"), "NOT_APPLIED"),
            failure_result(a_fault("COMETLY", "UNSUPPORTED_OPERATION"), "NOT_APPLIED"),
        ],
    }
    assert [operations(simulator) for simulator in sandbox.simulators] == [["delete"], [], []]


def test_providers_that_hang_are_waited_for_together(start_gateway: Callable[..., Gateway], sandbox: Sandbox) -> None:
    # What a busy machine adds of its own is little beside a second.
    attempt_seconds = 1.0
    gateway = start_gateway(attempt_timeout_seconds=attempt_seconds)
    for simulator in sandbox.simulators:
        simulator.faults.add(Fault(kind="hang"))
    began = time.monotonic()
    payload = gateway.data(CREATE, input=PERSON)["createContact"]
    took = time.monotonic() - began
    assert [result["error"]["code"] for result in payload["results"]] == ["PROVIDER_TIMEOUT"] * 3
    assert payload["status"] == "UNKNOWN"
    # One after the other they would take three times as long.
    assert attempt_seconds <= took < 2.5 * attempt_seconds


@pytest.mark.parametrize("hanging", PROVIDERS)
def test_a_provider_that_hangs_costs_the_others_nothing(hanging: str, sandbox: Sandbox, impatient: Gateway) -> None:
    simulator_of(sandbox, hanging).faults.add(Fault(kind="hang"))
    payload = impatient.data(CREATE, input={**PERSON, "providers": list(PROVIDERS)})["createContact"]
    outcomes = {result["provider"]: result["outcome"] for result in payload["results"]}
    assert outcomes == {provider: "UNKNOWN" if provider == hanging else "APPLIED" for provider in PROVIDERS}
    assert payload["status"] == "PARTIAL"


@pytest.mark.parametrize("broken", PROVIDERS)
def test_a_mistake_of_ours_at_one_provider_does_not_hide_what_the_others_did(
    broken: str, sandbox: Sandbox, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stumble(*_: object) -> None:
        raise KeyError("private words")

    monkeypatch.setattr(CONNECTORS[broken], "create", stumble)
    payload = gateway.data(CREATE, input={**PERSON, "providers": list(PROVIDERS)})["createContact"]
    results = {result["provider"]: result for result in payload["results"]}
    assert payload["status"] == "PARTIAL"
    assert [results[provider]["outcome"] for provider in PROVIDERS if provider != broken] == ["APPLIED"] * 2
    (failed,) = [result for result in results_without_messages(payload) if result["provider"] == broken]
    # Whether it had been sent is not known, so nothing better can be said than that.
    assert failed == failure_result(a_fault(broken, "PROVIDER_ERROR"), "UNKNOWN")
    assert "private" not in str(payload)


def test_a_mistake_before_the_first_call_is_masked_and_nobody_is_called(
    sandbox: Sandbox, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError("private words")

    monkeypatch.setattr(KlenConnector, "plan_create", stumble)
    answer = gateway.send(CREATE, input=PERSON)
    (error,) = answer["errors"]
    assert (answer["data"], error["path"]) == ({"createContact": None}, ["createContact"])
    assert set(error["extensions"]) == {"code", "requestId"}
    assert error["extensions"]["code"] == "INTERNAL_ERROR"
    assert "private" not in str(answer)
    assert everything_received(sandbox) == []
