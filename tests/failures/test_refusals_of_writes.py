"""What a provider's refusal of a write means, by its status and by its code."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import CometlySwitches, Sandbox
from tests.conftest import Gateway
from tests.failures.outcomes import (
    CHANGES,
    CREATE,
    DELETE,
    PERSON,
    PROVIDERS,
    UPDATE,
    a_fault,
    assert_failed,
    contact_id,
    operations,
    simulator_of,
)

providers = pytest.mark.parametrize("provider", PROVIDERS)


def _strike(sandbox: Sandbox, provider: str, operation: str, status: int, **rest: Any) -> None:
    simulator_of(sandbox, provider).faults.add(Fault(kind="status", status=status, operation=operation, **rest))


@providers
@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_creation_is_invalid_input(status: int, provider: str, sandbox: Sandbox, gateway: Gateway) -> None:
    _strike(sandbox, provider, "create", status, code="sandbox_code")
    answer = gateway.send(CREATE, input={**PERSON, "providers": [provider]})
    code = "sandbox_code" if provider == "KLEN" else None
    assert_failed(answer, "createContact", a_fault(provider, "INVALID_INPUT", status, upstreamCode=code))
    # Which status Gately has for a taken address is not documented, so there the address is looked up.
    looks = ["find"] if provider == "GATELY" else []
    assert operations(simulator_of(sandbox, provider)) == ["create", *looks]


@providers
@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_update_is_invalid_input(status: int, provider: str, sandbox: Sandbox, gateway: Gateway) -> None:
    _strike(sandbox, provider, "update", status, message="The id is not to our liking")
    answer = gateway.send(UPDATE, input={**CHANGES[provider], "id": contact_id(provider)})
    code = {400: "validation_error", 422: "http_422"}[status] if provider == "KLEN" else None
    assert_failed(answer, "updateContact", a_fault(provider, "INVALID_INPUT", status, upstreamCode=code))
    assert operations(simulator_of(sandbox, provider)) == ["update"]


@providers
@pytest.mark.parametrize("status", [404, 410])
def test_an_update_of_a_record_that_is_gone_is_not_found(
    status: int, provider: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    _strike(sandbox, provider, "update", status, code="sandbox_code")
    answer = gateway.send(UPDATE, input={**CHANGES[provider], "id": contact_id(provider)})
    code = "sandbox_code" if provider == "KLEN" else None
    assert_failed(answer, "updateContact", a_fault(provider, "NOT_FOUND", status, upstreamCode=code))
    assert operations(simulator_of(sandbox, provider)) == ["update"]


@pytest.mark.parametrize("status", [404, 410])
def test_a_deletion_of_a_record_that_is_gone_is_not_found(status: int, sandbox: Sandbox, gateway: Gateway) -> None:
    _strike(sandbox, "GATELY", "delete", status)
    answer = gateway.send(DELETE, input={"id": contact_id("GATELY")})
    assert_failed(answer, "deleteContact", a_fault("GATELY", "NOT_FOUND", status))
    assert operations(sandbox.gately) == ["delete"]


@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_deletion_is_invalid_input(status: int, sandbox: Sandbox, gateway: Gateway) -> None:
    _strike(sandbox, "GATELY", "delete", status)
    answer = gateway.send(DELETE, input={"id": contact_id("GATELY")})
    assert_failed(answer, "deleteContact", a_fault("GATELY", "INVALID_INPUT", status))


@providers
@pytest.mark.parametrize("status", [404, 410])
def test_nothing_can_be_missing_at_a_creation(status: int, provider: str, sandbox: Sandbox, gateway: Gateway) -> None:
    _strike(sandbox, provider, "create", status, code="sandbox_code")
    answer = gateway.send(CREATE, input={**PERSON, "providers": [provider]})
    code = "sandbox_code" if provider == "KLEN" else None
    assert_failed(answer, "createContact", a_fault(provider, "PROVIDER_ERROR", status, upstreamCode=code))
    assert operations(simulator_of(sandbox, provider)) == ["create"]


def test_a_team_that_klen_does_not_know_is_invalid_input_at_its_field(sandbox: Sandbox, gateway: Gateway) -> None:
    fault = a_fault("KLEN", "INVALID_INPUT", 404, upstreamCode="team_not_found", field=["input", "klen", "teamId"])
    created = gateway.send(CREATE, input={**PERSON, "providers": ["KLEN"], "klen": {"teamId": 4_321}})
    assert_failed(created, "createContact", fault)
    updated = gateway.send(UPDATE, input={"id": contact_id("KLEN"), "klen": {"teamId": 4_321}})
    assert_failed(updated, "updateContact", fault)
    assert operations(sandbox.klen) == ["create", "update"]


def test_a_team_that_the_key_may_not_use_is_forbidden(sandbox: Sandbox, gateway: Gateway) -> None:
    _strike(sandbox, "KLEN", "create", 403, code="team_access_denied")
    answer = gateway.send(CREATE, input={**PERSON, "providers": ["KLEN"], "klen": {"teamId": 7}})
    assert_failed(
        answer, "createContact", a_fault("KLEN", "PROVIDER_FORBIDDEN", 403, upstreamCode="team_access_denied")
    )


def test_an_inactive_subscription_at_cometly_is_forbidden(sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.cometly.switches = CometlySwitches(subscription="inactive")
    answer = gateway.send(CREATE, input={**PERSON, "providers": ["COMETLY"]})
    assert_failed(answer, "createContact", a_fault("COMETLY", "PROVIDER_FORBIDDEN", 403))
    assert "subscription" in answer["errors"][0]["message"]
