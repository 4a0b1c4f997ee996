"""A contact that exists already is a duplicate, whatever status says so, and names the one that exists."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import GatelySwitches, KlenSwitches, Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL, EVERYWHERE_GATELY_ID
from tests.conftest import Gateway
from tests.failures.outcomes import (
    CREATE,
    PERSON,
    PROVIDERS,
    REMOTE_IDS,
    UPDATE,
    a_fault,
    assert_failed,
    contact_id,
    operations,
    record_id,
    simulator_of,
)

providers = pytest.mark.parametrize("provider", PROVIDERS)


def _strike(sandbox: Sandbox, provider: str, operation: str, status: int, **rest: Any) -> None:
    simulator_of(sandbox, provider).faults.add(Fault(kind="status", status=status, operation=operation, **rest))


def _person(**fields: Any) -> dict[str, Any]:
    return {**PERSON, "emails": [{"address": EVERYWHERE_EMAIL.upper()}], **fields}


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_taken_address_at_gately_is_a_duplicate_whatever_its_status(
    status: Any, sandbox: Sandbox, gateway: Gateway
) -> None:
    sandbox.gately.switches = GatelySwitches(duplicate_status=status)
    answer = gateway.send(CREATE, input=_person(providers=["GATELY"]))
    fault = a_fault("GATELY", "DUPLICATE", status, field=["input", "emails"])
    assert_failed(answer, "createContact", {**fault, "existing": record_id("GATELY")})
    assert operations(sandbox.gately) == ["create", "find"]


@pytest.mark.parametrize("status", [400, 409, 422])
def test_an_update_to_a_taken_address_at_gately_is_a_duplicate_whatever_its_status(
    status: Any, sandbox: Sandbox, gateway: Gateway
) -> None:
    sandbox.gately.switches = GatelySwitches(duplicate_status=status)
    other = EVERYWHERE_GATELY_ID[:-1] + "2"
    answer = gateway.send(UPDATE, input={"id": contact_id("GATELY", other), "emails": [{"address": EVERYWHERE_EMAIL}]})
    fault = a_fault("GATELY", "DUPLICATE", status, field=["input", "emails"])
    assert_failed(answer, "updateContact", {**fault, "existing": record_id("GATELY")})
    assert operations(sandbox.gately) == ["update", "find"]


def test_the_contact_itself_is_not_its_own_duplicate(sandbox: Sandbox, gateway: Gateway) -> None:
    _strike(sandbox, "GATELY", "update", 422)
    answer = gateway.send(UPDATE, input={"id": contact_id("GATELY"), "emails": [{"address": EVERYWHERE_EMAIL}]})
    assert_failed(answer, "updateContact", a_fault("GATELY", "INVALID_INPUT", 422))


def test_a_refusal_whose_look_up_fails_stays_what_it_is(sandbox: Sandbox, gateway: Gateway) -> None:
    for status, code in ((409, "DUPLICATE"), (422, "INVALID_INPUT")):
        sandbox.reset()
        sandbox.gately.switches = GatelySwitches(duplicate_status=status)  # type: ignore[arg-type]
        sandbox.gately.faults.add(Fault(kind="drop_before", operation="find"))
        answer = gateway.send(CREATE, input=_person(providers=["GATELY"]))
        assert_failed(answer, "createContact", a_fault("GATELY", code, status))
        assert operations(sandbox.gately) == ["create", "find"]


@providers
def test_a_conflict_is_a_duplicate_even_when_nothing_is_found(
    provider: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    code = "sandbox_code" if provider == "KLEN" else None
    fault = a_fault(provider, "DUPLICATE", 409, upstreamCode=code)
    _strike(sandbox, provider, "create", 409, code="sandbox_code")
    assert_failed(gateway.send(CREATE, input={**PERSON, "providers": [provider]}), "createContact", fault)
    _strike(sandbox, provider, "update", 409, code="sandbox_code")
    change = {"id": contact_id(provider), "emails": [{"address": "new@aalto.test"}]}
    assert_failed(gateway.send(UPDATE, input=change), "updateContact", fault)


def test_a_conflict_at_klen_says_its_code_and_who_is_there(sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.klen.switches = KlenSwitches(duplicate_email="409")
    answer = gateway.send(CREATE, input=_person(providers=["KLEN"]))
    fault = a_fault("KLEN", "DUPLICATE", 409, upstreamCode="validation_error", field=["input", "emails"])
    assert_failed(answer, "createContact", {**fault, "existing": record_id("KLEN")})


def test_a_duplicate_beside_a_success_carries_the_record_that_exists(sandbox: Sandbox, gateway: Gateway) -> None:
    document = """mutation ($input: CreateContactInput!) {
      createContact(input: $input) { status results { provider outcome
        ... on ProviderWriteFailure { error { code } existing { id remoteId name contact { id } } } } }
    }"""
    payload = gateway.data(document, input=_person(providers=["GATELY", "COMETLY"]))["createContact"]
    assert payload == {
        "status": "PARTIAL",
        "results": [
            {
                "provider": "GATELY",
                "outcome": "NOT_APPLIED",
                "error": {"code": "DUPLICATE"},
                "existing": {
                    "id": record_id("GATELY"),
                    "remoteId": REMOTE_IDS["GATELY"],
                    "name": "Ada Winter",
                    "contact": {"id": contact_id("GATELY")},
                },
            },
            {"provider": "COMETLY", "outcome": "APPLIED"},
        ],
    }
