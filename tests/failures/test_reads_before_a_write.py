"""The read that an update begins with: whatever fails there, nothing was sent that changes anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.failures.outcomes import (
    PROVIDERS,
    UPDATE,
    a_fault,
    assert_failed,
    contact_id,
    operations,
    simulator_of,
)

StartGateway = Callable[..., Gateway]
providers = pytest.mark.parametrize("provider", PROVIDERS)


NEEDS_READING: dict[str, dict[str, Any]] = {
    "GATELY": {"tags": {"add": ["Spring"]}},
    "KLEN": {"tags": {"add": ["Spring"]}},
    "COMETLY": {"name": "Ada Summer"},
}


@providers
@pytest.mark.parametrize(
    ("event", "code", "retryable", "status"),
    [
        (Fault(kind="status", status=401, code="sandbox_code"), "PROVIDER_UNAUTHENTICATED", False, 401),
        (Fault(kind="status", status=404, code="sandbox_code"), "NOT_FOUND", False, 404),
        (Fault(kind="status", status=500, code="sandbox_code"), "PROVIDER_ERROR", True, 500),
        (Fault(kind="drop_before"), "PROVIDER_TIMEOUT", True, None),
        (Fault(kind="drop_after"), "PROVIDER_TIMEOUT", True, None),
        (Fault(kind="html"), "PROVIDER_BAD_RESPONSE", False, 200),
        (Fault(kind="cut_json"), "PROVIDER_BAD_RESPONSE", False, 200),
        (Fault(kind="no_id"), "PROVIDER_BAD_RESPONSE", False, 200),
        (Fault(kind="huge"), "PROVIDER_BAD_RESPONSE", False, 200),
        (Fault(kind="redirect"), "PROVIDER_BAD_RESPONSE", False, 302),
    ],
    ids=["401", "404", "500", "drop_before", "drop_after", "html", "cut_json", "no_id", "huge", "redirect"],
)
def test_an_update_whose_first_read_fails_is_surely_not_applied(
    event: Fault, code: str, retryable: bool, status: int | None, provider: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    simulator = simulator_of(sandbox, provider)
    simulator.faults.add(event)
    answer = gateway.send(UPDATE, input={**NEEDS_READING[provider], "id": contact_id(provider)})
    fault = a_fault(provider, code, retryable=retryable)
    fault |= {"upstreamStatus": status, "upstreamCode": event.code if provider == "KLEN" else None}
    assert_failed(answer, "updateContact", fault)
    assert operations(simulator) == ["read"]
