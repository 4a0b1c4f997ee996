"""Query.providers: what each provider can do, as its connector says and as the notes about it say."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.connectors.registry import REGISTRY
from gateway.domain.contact import CONTACT_FIELDS
from gateway.domain.exchange import CallKind
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway

PROVIDERS = """{ providers {
  provider displayName configured operations filters
  fields { field readable writable updatable clearable maxItems requiredOnCreate }
} }"""


def told(gateway: Gateway) -> dict[str, dict[str, Any]]:
    return {info["provider"]: info for info in gateway.data(PROVIDERS)["providers"]}


def test_they_come_in_order_of_precedence(start_gateway: Callable[..., Gateway]) -> None:
    query = "{ providers { provider displayName } }"

    assert start_gateway().data(query)["providers"] == [
        {"provider": "GATELY", "displayName": "Gately"},
        {"provider": "KLEN", "displayName": "Klen AI"},
        {"provider": "COMETLY", "displayName": "Cometly"},
    ]
    turned = start_gateway(precedence="cometly,klen").data(query)["providers"]
    assert [info["provider"] for info in turned] == ["COMETLY", "KLEN", "GATELY"]


@pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.provider)
def test_a_provider_tells_its_capabilities(gateway: Gateway, entry: Any) -> None:
    capabilities = entry.capabilities
    info = told(gateway)[entry.provider.name]

    assert info["operations"] == [kind.name for kind in CallKind if kind in capabilities.operations]
    assert info["filters"] == sorted(capabilities.filters)
    every = [*CONTACT_FIELDS, *(field for field in capabilities.fields if field not in CONTACT_FIELDS)]
    assert info["fields"] == [
        {
            "field": field.value,
            "readable": capabilities.of(field).readable,
            "writable": capabilities.of(field).writable,
            "updatable": capabilities.of(field).updatable,
            "clearable": capabilities.of(field).clearable,
            "maxItems": capabilities.of(field).max_items,
            "requiredOnCreate": capabilities.of(field).required_on_create,
        }
        for field in every
    ]


def test_who_can_delete_find_and_filter_is_what_the_notes_say(gateway: Gateway) -> None:
    """The comparison of the three documentations (docs/providers)."""
    every = told(gateway)

    can = {name: set(info["operations"]) for name, info in every.items()}
    assert can == {
        "GATELY": {"CREATE", "READ", "LIST", "UPDATE", "DELETE", "FIND_BY_EMAIL"},
        "KLEN": {"CREATE", "READ", "LIST", "UPDATE", "FIND_BY_EMAIL"},
        "COMETLY": {"CREATE", "READ", "LIST", "UPDATE"},
    }
    assert {name: info["filters"] for name, info in every.items()} == {
        "GATELY": ["search", "status", "tag"],
        "KLEN": ["search", "stage", "status", "tag"],
        "COMETLY": [],
    }
    required = {
        name: [field["field"] for field in info["fields"] if field["requiredOnCreate"]] for name, info in every.items()
    }
    assert required == {"GATELY": ["name", "emails"], "KLEN": ["firstName"], "COMETLY": ["emails"]}


def test_a_provider_without_a_key_is_told_but_not_configured(start_gateway: Callable[..., Gateway]) -> None:
    gateway = start_gateway(environment={"KLEN_API_KEY": None, "COMETLY_API_KEY": "  "})

    configured = {name: info["configured"] for name, info in told(gateway).items()}

    assert configured == {"GATELY": True, "KLEN": False, "COMETLY": False}


def test_a_provider_tells_how_it_answered_last(start_gateway: Callable[..., Gateway], sandbox: Sandbox) -> None:
    gateway = start_gateway(environment={"COMETLY_API_KEY": None})
    query = "{ providers { provider status { provider state since fault { code } limitedUntil } } }"
    sandbox.klen.faults.add(Fault(kind="status", status=429, retry_after_seconds=60, count=1))

    gateway.send("{ contacts(first: 1) { totalCount } }")

    told = {info["provider"]: info["status"] for info in gateway.data(query)["providers"]}
    assert {name: (status["provider"], status["state"], status["fault"]) for name, status in told.items()} == {
        "GATELY": ("GATELY", "UP", None),
        "KLEN": ("KLEN", "LIMITED", {"code": "RATE_LIMITED"}),
        "COMETLY": ("COMETLY", "UNKNOWN", None),
    }
    wait = datetime.fromisoformat(told["KLEN"]["limitedUntil"]) - datetime.fromisoformat(told["KLEN"]["since"])
    assert wait == timedelta(seconds=60)
