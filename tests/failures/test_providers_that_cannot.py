"""What one provider cannot do, or has nothing to do for, is its own result; the others go on."""

from __future__ import annotations

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.failures.outcomes import (
    REMOTE_IDS,
    UPDATE,
    a_fault,
    assert_failed,
    contact_id,
    everything_received,
    failure_result,
    linked,
    operations,
    results_without_messages,
    success_result,
)


def test_a_field_that_one_provider_cannot_clear_is_cleared_at_the_others(sandbox: Sandbox, gateway: Gateway) -> None:
    payload = gateway.data(UPDATE, input={"id": linked(gateway), "emails": None})["updateContact"]
    assert {**payload, "results": results_without_messages(payload)} == {
        "status": "PARTIAL",
        "contact": {"id": contact_id("GATELY")},
        "results": [
            failure_result(a_fault("GATELY", "UNSUPPORTED_CLEAR", field=["input", "emails"]), "NOT_APPLIED"),
            success_result("KLEN", "UPDATED", REMOTE_IDS["KLEN"]),
            success_result("COMETLY", "UPDATED", REMOTE_IDS["COMETLY"]),
        ],
    }
    assert [operations(simulator) for simulator in sandbox.simulators] == [[], ["update"], ["update"]]


@pytest.mark.parametrize("empty", [None, []])
def test_a_field_that_the_only_provider_cannot_clear_is_one_error(
    empty: object, sandbox: Sandbox, gateway: Gateway
) -> None:
    answer = gateway.send(UPDATE, input={"id": contact_id("GATELY"), "emails": empty, "company": "Aalto Oy"})
    fault = a_fault("GATELY", "UNSUPPORTED_CLEAR", field=["input", "emails"])
    assert_failed(answer, "updateContact", fault)
    assert everything_received(sandbox) == []


def test_a_provider_for_which_nothing_is_left_is_unchanged_and_not_called(sandbox: Sandbox, gateway: Gateway) -> None:
    payload = gateway.data(UPDATE, input={"id": linked(gateway), "company": "Aalto Oy"})["updateContact"]
    assert payload == {
        "status": "SUCCEEDED",
        "contact": {"id": contact_id("GATELY")},
        "results": [
            success_result("GATELY", "UPDATED", REMOTE_IDS["GATELY"]),
            success_result("KLEN", "UPDATED", REMOTE_IDS["KLEN"]),
            success_result("COMETLY", "UNCHANGED", REMOTE_IDS["COMETLY"]),
        ],
    }
    assert operations(sandbox.cometly) == []


def test_a_patch_that_mentions_nothing_calls_nobody(sandbox: Sandbox, gateway: Gateway) -> None:
    payload = gateway.data(UPDATE, input={"id": linked(gateway)})["updateContact"]
    assert (payload["status"], [result["action"] for result in payload["results"]]) == ("SUCCEEDED", ["UNCHANGED"] * 3)
    assert everything_received(sandbox) == []


def test_a_list_that_cometly_shows_in_part_is_not_written_back(sandbox: Sandbox, gateway: Gateway) -> None:
    profile = sandbox.cometly.contacts[48001]
    profile.names.add([f"Ada {number}" for number in range(30)])
    payload = gateway.data(UPDATE, input={"id": linked(gateway), "name": "Ada Summer"})["updateContact"]
    results = results_without_messages(payload)
    assert (payload["status"], [result["outcome"] for result in results]) == (
        "PARTIAL",
        ["APPLIED", "APPLIED", "NOT_APPLIED"],
    )
    truncated = a_fault("COMETLY", "LIST_TRUNCATED", field=["input", "name"])
    assert results[2] == failure_result(truncated, "NOT_APPLIED")
    assert operations(sandbox.cometly) == ["read"]
