"""Which field of the input a provider blames, and in how many forms its errors come."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import CometlySwitches, GatelySwitches, KlenSwitches, Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL
from tests.conftest import Gateway
from tests.failures.outcomes import (
    CREATE,
    PERSON,
    PROVIDERS,
    UPDATE,
    a_fault,
    assert_failed,
    contact_id,
    record_id,
    results_without_messages,
    simulator_of,
)
from tests.failures.scripted_provider import ScriptedProvider, json_reply

Scripted = tuple[Gateway, ScriptedProvider]
providers = pytest.mark.parametrize("provider", PROVIDERS)


def _strike(sandbox: Sandbox, provider: str, operation: str, status: int, **rest: Any) -> None:
    simulator_of(sandbox, provider).faults.add(Fault(kind="status", status=status, operation=operation, **rest))


@pytest.mark.parametrize("details", ["in_message", "details_key"])
def test_klens_details_name_the_field(details: Any, sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.klen.switches = KlenSwitches(validation_details=details)
    answer = gateway.send(UPDATE, input={"id": contact_id("KLEN"), "stage": "limbo"})
    field = ["input", "stage"] if details == "details_key" else None
    fault = a_fault("KLEN", "INVALID_INPUT", 400, upstreamCode="validation_error", field=field)
    assert_failed(answer, "updateContact", fault)


@pytest.mark.parametrize("errors_in_422", [False, True])
def test_cometlys_errors_name_the_field(errors_in_422: bool, sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.cometly.switches = CometlySwitches(duplicate_email="refused", errors_in_422=errors_in_422)
    person = {**PERSON, "emails": [{"address": EVERYWHERE_EMAIL}]}
    answer = gateway.send(CREATE, input={**person, "providers": ["COMETLY"]})
    # Once it blames the address, a look shows who has it.
    existing = {"existing": record_id("COMETLY")}
    named = {**a_fault("COMETLY", "DUPLICATE", 422, field=["input", "emails"]), **existing}
    assert_failed(answer, "createContact", named if errors_in_422 else a_fault("COMETLY", "INVALID_INPUT", 422))


@pytest.mark.parametrize(
    "body",
    [
        {"message": "No", "errors": {"notes": ["is odd"]}},
        {"error": {"message": "No", "errors": {"notes": ["is odd"]}}},
        {"error": {"message": "No", "field": "notes"}},
    ],
    ids=str,
)
def test_gatelys_errors_name_the_field_wherever_they_stand(body: dict[str, Any], scripted: Scripted) -> None:
    gateway, provider = scripted
    provider.always(json_reply(422, body))
    answer = gateway.send(UPDATE, input={"id": contact_id("GATELY"), "notes": "Odd"})
    assert_failed(answer, "updateContact", a_fault("GATELY", "INVALID_INPUT", 422, field=["input", "notes"]))


@pytest.mark.parametrize("form", ["error", "error_object", "message", "success_false", "empty", "text"])
def test_gatelys_form_of_error_does_not_matter(form: Any, sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.gately.switches = GatelySwitches(error_form=form)
    _strike(sandbox, "GATELY", "create", 403, code="not_yours")
    answer = gateway.send(CREATE, input={**PERSON, "providers": ["GATELY"]})
    code = "not_yours" if form == "error_object" else None
    assert_failed(answer, "createContact", a_fault("GATELY", "PROVIDER_FORBIDDEN", 403, upstreamCode=code))


@pytest.mark.parametrize("form", ["json", "html"])
def test_cometlys_form_of_a_server_error_does_not_matter(form: Any, sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.cometly.switches = CometlySwitches(server_error_body=form)
    _strike(sandbox, "COMETLY", "create", 500)
    payload = gateway.data(CREATE, input={**PERSON, "providers": ["COMETLY"]})["createContact"]
    (result,) = results_without_messages(payload)
    assert result["error"] == a_fault("COMETLY", "PROVIDER_ERROR", 500)
