"""A write that takes several calls at one provider, one of which fails; and what is read after a write."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import GatelySwitches, Sandbox
from tests.conftest import Gateway
from tests.failures.outcomes import (
    PERSON,
    REMOTE_IDS,
    UPDATE,
    a_fault,
    assert_failed,
    contact_id,
    failure_result,
    operations,
    results_without_messages,
    simulator_of,
    without_message,
)


def _status_fault(sandbox: Sandbox, provider: str, status: int, **rest: Any) -> None:
    simulator_of(sandbox, provider).faults.add(Fault(kind="status", status=status, code="sandbox_code", **rest))


@pytest.mark.parametrize(
    ("status", "code", "retry_after_seconds"),
    [(500, "PROVIDER_ERROR", None), (403, "PROVIDER_FORBIDDEN", None), (429, "RATE_LIMITED", 4)],
)
def test_a_later_call_that_fails_leaves_the_whole_unknown_and_names_the_field(
    status: int, code: str, retry_after_seconds: int | None, sandbox: Sandbox, gateway: Gateway
) -> None:
    _status_fault(sandbox, "GATELY", status, operation="unsubscribe", retry_after_seconds=retry_after_seconds)
    change = {"id": contact_id("GATELY"), "company": "Aalto Oy", "unsubscribed": True}
    payload = gateway.data(UPDATE, input=change)["updateContact"]
    wait = None if retry_after_seconds is None else retry_after_seconds * 1000
    fault = a_fault("GATELY", code, status, field=["input", "unsubscribed"], retryAfterMs=wait)
    assert payload["status"] == "UNKNOWN"
    assert results_without_messages(payload) == [failure_result(fault, "UNKNOWN")]
    assert operations(sandbox.gately) == ["update", "unsubscribe"]
    assert sandbox.gately.contacts[REMOTE_IDS["GATELY"]].company == "Aalto Oy"


def test_a_later_call_that_is_the_only_one_has_its_own_outcome(sandbox: Sandbox, gateway: Gateway) -> None:
    _status_fault(sandbox, "GATELY", 403, operation="unsubscribe")
    answer = gateway.send(UPDATE, input={"id": contact_id("GATELY"), "unsubscribed": True})
    assert_failed(answer, "updateContact", a_fault("GATELY", "PROVIDER_FORBIDDEN", 403))
    assert operations(sandbox.gately) == ["unsubscribe"]


@pytest.mark.parametrize("operation", ["unsubscribe", "resubscribe", "merge_custom_fields"])
def test_a_page_in_the_place_of_an_acknowledgement_leaves_the_write_unknown(
    operation: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    sandbox.gately.faults.add(Fault(kind="html", operation=operation))
    change: dict[str, dict[str, Any]] = {
        "unsubscribe": {"unsubscribed": True},
        "resubscribe": {"unsubscribed": False},
        "merge_custom_fields": {"customFields": {"merge": {"tier": "gold"}}},
    }
    payload = gateway.data(UPDATE, input={"id": contact_id("GATELY"), **change[operation]})["updateContact"]
    assert payload["status"] == "UNKNOWN"
    (result,) = results_without_messages(payload)
    assert (result["outcome"], result["error"]["code"]) == ("UNKNOWN", "PROVIDER_BAD_RESPONSE")
    assert operations(sandbox.gately) == [operation]


def test_a_merge_without_its_endpoint_whose_read_fails_is_surely_not_applied(
    sandbox: Sandbox, gateway: Gateway
) -> None:
    sandbox.gately.switches = GatelySwitches(custom_fields_endpoint="404")
    sandbox.gately.faults.add(Fault(kind="drop_before", operation="read"))
    answer = gateway.send(UPDATE, input={"id": contact_id("GATELY"), "customFields": {"merge": {"tier": "gold"}}})
    assert_failed(answer, "updateContact", a_fault("GATELY", "PROVIDER_TIMEOUT", retryable=True))
    assert operations(sandbox.gately)[-1] == "read"


def test_a_look_at_what_klen_kept_that_fails_is_a_warning(sandbox: Sandbox, gateway: Gateway) -> None:
    """The update itself was acknowledged: whether numbers went away is another question."""
    sandbox.klen.faults.add(Fault(kind="slow", delay_ms=0, operation="read", count=1))
    sandbox.klen.faults.add(Fault(kind="status", status=500, operation="read"))
    document = """mutation ($input: UpdateContactInput!) { updateContact(input: $input) {
      status results { outcome warnings { code field } } } }"""
    change = {"id": contact_id("KLEN"), "phones": [{"number": "+353209100777"}]}
    payload = gateway.data(document, input=change)["updateContact"]
    assert payload == {
        "status": "SUCCEEDED",
        "results": [{"outcome": "APPLIED", "warnings": [{"code": "FIELD_DROPPED", "field": ["input", "phones"]}]}],
    }
    assert operations(sandbox.klen) == ["read", "update", "read"]


def test_a_read_after_an_applied_write_may_fail_without_hiding_it(sandbox: Sandbox, gateway: Gateway) -> None:
    _status_fault(sandbox, "KLEN", 500, operation="read")
    document = """mutation ($input: CreateContactInput!) { createContact(input: $input) {
      status contact { id company notes } results { outcome ... on ProviderWriteSuccess { record { remoteId } } } } }"""
    answer = gateway.send(document, input={**PERSON, "providers": ["KLEN"]})
    payload = answer["data"]["createContact"]
    new_id = str(max(sandbox.klen.contacts))
    assert payload == {
        "status": "SUCCEEDED",
        "contact": {"id": contact_id("KLEN", new_id), "company": None, "notes": None},
        "results": [{"outcome": "APPLIED", "record": {"remoteId": new_id}}],
    }
    fault = a_fault("KLEN", "PROVIDER_ERROR", 500, retryable=True, upstreamCode="sandbox_code")
    paths = sorted(error["path"][-1] for error in answer["errors"])
    assert paths == ["company", "notes"]
    assert [without_message(error["extensions"]) for error in answer["errors"]] == [fault, fault]


def test_several_writes_of_one_operation_each_have_their_own_end(sandbox: Sandbox, gateway: Gateway) -> None:
    _status_fault(sandbox, "GATELY", 403, operation="create", count=1)
    document = """mutation ($first: CreateContactInput!, $second: CreateContactInput!) {
      one: createContact(input: $first) { status }
      two: createContact(input: $second) { status }
    }"""
    answer = gateway.send(
        document,
        first={**PERSON, "providers": ["GATELY"]},
        second={**PERSON, "providers": ["GATELY"]},
    )
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["one"], "PROVIDER_FORBIDDEN")
    assert answer["data"] == {"one": None, "two": {"status": "SUCCEEDED"}}
