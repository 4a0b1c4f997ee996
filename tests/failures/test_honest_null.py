"""Null without an error is a promise: everybody who could hold the value answered, and nobody has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.connectors.cometly.connector import CometlyConnector
from gateway.connectors.gately.connector import GatelyConnector
from gateway.connectors.klen.connector import KlenConnector
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_COMETLY_ID, EVERYWHERE_GATELY_ID, EVERYWHERE_KLEN_ID
from tests.conftest import Gateway
from tests.failures.conftest import ATTEMPT_SECONDS
from tests.failures.outcomes import (
    FAULT,
    PROVIDERS,
    REMOTE_IDS,
    a_fault,
    assert_read_failed,
    contact_id,
    everything_received,
    linked,
    operations,
    record_id,
    simulator_of,
    source,
    sources_without_messages,
    without_message,
)

StartGateway = Callable[..., Gateway]
CONNECTORS = {"GATELY": GatelyConnector, "KLEN": KlenConnector, "COMETLY": CometlyConnector}


def asking(*fields: str) -> str:
    return f"query ($id: ID!) {{ contact(id: $id) {{ {' '.join(fields)} }} }}"


def failing(sandbox: Sandbox, *providers: str, status: int = 502) -> None:
    for provider in providers:
        simulator_of(sandbox, provider).faults.add(Fault(kind="status", status=status, operation="read"))


def failed(provider: str, status: int = 502) -> dict[str, Any]:
    code = "server_error" if provider == "KLEN" else None
    return a_fault(provider, "PROVIDER_ERROR", status, retryable=True, upstreamCode=code)


def gone(sandbox: Sandbox, *providers: str) -> None:
    keys: dict[str, Any] = {
        "GATELY": EVERYWHERE_GATELY_ID,
        "KLEN": EVERYWHERE_KLEN_ID,
        "COMETLY": EVERYWHERE_COMETLY_ID,
    }
    for provider in providers:
        contacts: Any = simulator_of(sandbox, provider).contacts  # type: ignore[attr-defined]
        del contacts[keys[provider]]


# A value of Ada Winter that each of these providers holds alone.
@pytest.mark.parametrize(
    ("field", "holder"), [("externalId", "GATELY"), ("unsubscribed", "GATELY"), ("website", "KLEN"), ("stage", "KLEN")]
)
def test_only_those_who_can_hold_a_field_are_asked_for_it(
    field: str, holder: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    contact = linked(gateway)
    failing(sandbox, *(provider for provider in PROVIDERS if provider != holder))
    assert gateway.data(asking(field), id=contact)["contact"][field] is not None
    assert [one.operation for one in everything_received(sandbox)] == ["read"]


@pytest.mark.parametrize(
    ("field", "holder"), [("externalId", "GATELY"), ("unsubscribed", "GATELY"), ("website", "KLEN"), ("stage", "KLEN")]
)
def test_a_value_of_the_only_holder_that_failed_is_a_located_error(
    field: str, holder: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    contact = linked(gateway)
    failing(sandbox, holder)
    answer = gateway.send(asking(field, "name"), id=contact)
    assert_read_failed(answer, ["contact", field], failed(holder))
    assert answer["data"] == {"contact": {field: None, "name": "Ada Winter"}}


def test_a_single_value_comes_from_whoever_answered(sandbox: Sandbox, gateway: Gateway) -> None:
    contact = linked(gateway)
    failing(sandbox, "GATELY")
    assert gateway.data(asking("company"), id=contact) == {"contact": {"company": "Northwind Oy"}}


def test_a_single_value_is_null_without_an_error_when_everybody_answered(sandbox: Sandbox, gateway: Gateway) -> None:
    contact = linked(gateway)
    sandbox.gately.contacts[EVERYWHERE_GATELY_ID].company = None
    sandbox.klen.contacts[EVERYWHERE_KLEN_ID].company = None
    # Cometly keeps no company, so how it fares is nobody's business here.
    failing(sandbox, "COMETLY")
    assert gateway.data(asking("company"), id=contact) == {"contact": {"company": None}}


@pytest.mark.parametrize(("empty", "broken"), [("GATELY", "KLEN"), ("KLEN", "GATELY")])
def test_a_single_value_is_an_error_when_somebody_who_could_hold_it_failed(
    empty: str, broken: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    contact = linked(gateway)
    sandbox.gately.contacts[EVERYWHERE_GATELY_ID].company = None
    sandbox.klen.contacts[EVERYWHERE_KLEN_ID].company = None
    failing(sandbox, broken)
    answer = gateway.send(asking("company"), id=contact)
    assert_read_failed(answer, ["contact", "company"], failed(broken))
    assert answer["data"] == {"contact": {"company": None}}


def _emptied(sandbox: Sandbox) -> None:
    gately = sandbox.gately.contacts[EVERYWHERE_GATELY_ID]
    gately.phone = gately.mobile = gately.address_line_1 = gately.city = None
    gately.state = gately.zip = gately.country = None
    gately.tags, gately.custom_fields = [], {}
    klen = sandbox.klen.contacts[EVERYWHERE_KLEN_ID]
    klen.email = klen.address = klen.city = klen.state = klen.zip_code = klen.country = None
    klen.tags, klen.custom_context, klen.phone_numbers = [], {}, []
    profile = sandbox.cometly.contacts[EVERYWHERE_COMETLY_ID]
    for name in ("emails", "phones", "locations"):
        profile.values(name).replace([], sandbox.cometly.switches)
    profile.custom_fields = {}


LISTS = ("phones { number }", "addresses { formatted }", "tags", "customFields")
HOLDERS = {"phones": PROVIDERS, "addresses": PROVIDERS, "tags": ("GATELY", "KLEN"), "customFields": PROVIDERS}


def test_a_list_is_empty_without_an_error_when_everybody_answered(sandbox: Sandbox, gateway: Gateway) -> None:
    contact = linked(gateway)
    _emptied(sandbox)
    contact_data = gateway.data(asking(*LISTS), id=contact)["contact"]
    assert contact_data == {"phones": [], "addresses": [], "tags": [], "customFields": {}}


@pytest.mark.parametrize("field", LISTS)
@pytest.mark.parametrize("broken", PROVIDERS)
def test_a_list_that_would_come_out_empty_is_an_error_when_a_holder_failed(
    broken: str, field: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    contact = linked(gateway)
    _emptied(sandbox)
    failing(sandbox, broken)
    answer = gateway.send(asking(field), id=contact)
    name = field.split()[0]
    if broken in HOLDERS[name]:
        assert_read_failed(answer, ["contact", name], failed(broken))
        assert answer["data"] == {"contact": {name: None}}
    else:
        assert answer == {"data": {"contact": {name: []}}}


def test_a_list_with_something_in_it_is_answered_without_those_who_failed(sandbox: Sandbox, gateway: Gateway) -> None:
    contact = linked(gateway)
    failing(sandbox, "GATELY", "COMETLY")
    data = gateway.data(asking("tags", "emails { address }", "sources { provider state }"), id=contact)["contact"]
    assert data == {
        "tags": ["New", "Priority"],
        "emails": [{"address": "ada.winter@northwind.example"}],
        "sources": [
            {"provider": "GATELY", "state": "FAILED"},
            {"provider": "KLEN", "state": "OK"},
            {"provider": "COMETLY", "state": "FAILED"},
        ],
    }


def test_when_everybody_failed_the_first_in_precedence_is_named(sandbox: Sandbox, gateway: Gateway) -> None:
    contact = linked(gateway)
    failing(sandbox, *PROVIDERS)
    answer = gateway.send(asking("name", "website"), id=contact)
    located = {error["path"][-1]: without_message(error["extensions"]) for error in answer["errors"]}
    assert located == {"name": failed("GATELY"), "website": failed("KLEN")}
    assert answer["data"] == {"contact": {"name": None, "website": None}}


def test_each_alias_has_an_error_at_its_own_path(sandbox: Sandbox, gateway: Gateway) -> None:
    failing(sandbox, "KLEN")
    answer = gateway.send(asking("a: name", "b: name", "stage"), id=contact_id("KLEN"))
    assert sorted(error["path"] for error in answer["errors"]) == [
        ["contact", "a"],
        ["contact", "b"],
        ["contact", "stage"],
    ]
    assert operations(sandbox.klen) == ["read"]


RECORDS = f"records {{ id provider remoteId name }} sources {{ provider state error {FAULT} }}"


def _shown(provider: str) -> dict[str, Any]:
    return {
        "id": record_id(provider),
        "provider": provider,
        "remoteId": REMOTE_IDS[provider],
        "name": "Ada Winter",
    }


@pytest.mark.parametrize("broken", PROVIDERS)
def test_a_record_that_could_not_be_read_is_null_with_an_error_in_its_place(
    broken: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    contact = linked(gateway)
    failing(sandbox, broken)
    answer = gateway.send(asking(RECORDS), id=contact)
    place = PROVIDERS.index(broken)
    assert_read_failed(answer, ["contact", "records", place], failed(broken))
    data = answer["data"]["contact"]
    assert data["records"] == [None if provider == broken else _shown(provider) for provider in PROVIDERS]
    assert sources_without_messages(data["sources"]) == [
        source(provider, "FAILED", failed(provider)) if provider == broken else source(provider, "OK")
        for provider in PROVIDERS
    ]


@pytest.mark.parametrize("missing", PROVIDERS)
def test_a_record_that_is_gone_is_null_without_an_error(missing: str, sandbox: Sandbox, gateway: Gateway) -> None:
    contact = linked(gateway)
    gone(sandbox, missing)
    data = gateway.data(asking(RECORDS, "name"), id=contact)["contact"]
    assert data == {
        "records": [None if provider == missing else _shown(provider) for provider in PROVIDERS],
        "sources": [source(provider, "NOT_FOUND" if provider == missing else "OK") for provider in PROVIDERS],
        "name": "Ada Winter",
    }


def test_gone_failed_and_answered_are_told_apart(sandbox: Sandbox, gateway: Gateway) -> None:
    contact = linked(gateway)
    gone(sandbox, "GATELY")
    failing(sandbox, "KLEN")
    answer = gateway.send(asking(RECORDS, "externalId", "website"), id=contact)
    data = answer["data"]["contact"]
    located = {tuple(error["path"]): without_message(error["extensions"]) for error in answer["errors"]}
    assert located == {
        ("contact", "records", 1): failed("KLEN"),
        ("contact", "website"): failed("KLEN"),
    }
    assert {**data, "sources": sources_without_messages(data["sources"])} == {
        "records": [None, None, _shown("COMETLY")],
        "sources": [source("GATELY", "NOT_FOUND"), source("KLEN", "FAILED", failed("KLEN")), source("COMETLY", "OK")],
        # Gately answered that it has no such record, so it holds no such value either.
        "externalId": None,
        "website": None,
    }


def test_a_contact_is_null_without_an_error_when_every_record_is_gone(sandbox: Sandbox, gateway: Gateway) -> None:
    contact = linked(gateway)
    gone(sandbox, *PROVIDERS)
    assert gateway.send(asking(RECORDS, "name"), id=contact) == {"data": {"contact": None}}


def test_a_contact_is_not_called_gone_while_somebody_did_not_answer(sandbox: Sandbox, gateway: Gateway) -> None:
    contact = linked(gateway)
    gone(sandbox, "GATELY", "COMETLY")
    failing(sandbox, "KLEN")
    answer = gateway.send(asking("id", "name"), id=contact)
    assert_read_failed(answer, ["contact", "name"], failed("KLEN"))
    assert answer["data"] == {"contact": {"id": contact, "name": None}}


def test_a_provider_that_is_no_longer_configured_is_skipped(start_gateway: StartGateway, sandbox: Sandbox) -> None:
    contact = linked(start_gateway())
    gateway = start_gateway(environment={"KLEN_API_KEY": None})
    answer = gateway.send(asking(RECORDS, "name"), id=contact)
    fault = a_fault("KLEN", "UNSUPPORTED_OPERATION")
    assert_read_failed(answer, ["contact", "records", 1], fault)
    data = answer["data"]["contact"]
    assert data["name"] == "Ada Winter"
    assert data["records"] == [_shown("GATELY"), None, _shown("COMETLY")]
    assert sources_without_messages(data["sources"]) == [
        source("GATELY", "OK"),
        source("KLEN", "SKIPPED", fault),
        source("COMETLY", "OK"),
    ]
    assert operations(sandbox.klen) == []


@pytest.mark.parametrize("hanging", PROVIDERS)
def test_a_provider_that_hangs_does_not_delay_the_answers_of_the_others(
    hanging: str, sandbox: Sandbox, impatient: Gateway
) -> None:
    contact = linked(impatient)
    simulator_of(sandbox, hanging).faults.add(Fault(kind="hang"))
    data = impatient.data(asking("name", "sources { provider state latencyMs }"), id=contact)["contact"]
    assert data["name"] == "Ada Winter"
    states = {one["provider"]: one["state"] for one in data["sources"]}
    latencies = {one["provider"]: one["latencyMs"] for one in data["sources"]}
    assert states == {provider: "FAILED" if provider == hanging else "OK" for provider in PROVIDERS}
    assert latencies.pop(hanging) >= ATTEMPT_SECONDS * 1000
    assert max(latencies.values()) < ATTEMPT_SECONDS * 1000


def test_of_each_source_that_is_pending_it_is_told_how_long_it_was_waited_for(
    sandbox: Sandbox, impatient: Gateway
) -> None:
    """They are waited for at the same time, though one is looked at after the other."""
    contact = linked(impatient)
    for provider in PROVIDERS:
        simulator_of(sandbox, provider).faults.add(Fault(kind="hang"))
    query = "query($id: ID!) { contact(id: $id, maxAgeSeconds: 0, maxWaitMs: 100) { sources { state latencyMs } } }"
    sources = impatient.data(query, id=contact)["contact"]["sources"]
    assert [one["state"] for one in sources] == ["PENDING"] * len(PROVIDERS)
    assert min(one["latencyMs"] for one in sources) >= 50


def test_a_dripping_answer_does_not_stretch_the_attempt(sandbox: Sandbox, impatient: Gateway) -> None:
    """Each piece comes well within any read time-out, and the whole would take some seconds."""
    sandbox.klen.faults.add(Fault(kind="drip", delay_ms=50, chunk_bytes=8))
    query = asking("name", f"sources {{ provider state latencyMs error {FAULT} }}")
    answer = impatient.send(query, id=contact_id("KLEN"))
    assert_read_failed(answer, ["contact", "name"], a_fault("KLEN", "PROVIDER_TIMEOUT", retryable=True))
    (told,) = answer["data"]["contact"]["sources"]
    assert ATTEMPT_SECONDS * 1000 <= told["latencyMs"] < 3 * ATTEMPT_SECONDS * 1000


@pytest.mark.parametrize("broken", PROVIDERS)
def test_a_mistake_of_ours_at_one_provider_does_not_cost_the_answers_of_the_others(
    broken: str, sandbox: Sandbox, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = linked(gateway)

    async def stumble(*_: object) -> None:
        raise KeyError("private words")

    monkeypatch.setattr(CONNECTORS[broken], "read", stumble)
    answer = gateway.send(asking("name", "tags", "records { provider name }"), id=contact)
    assert "private" not in str(answer)
    place = PROVIDERS.index(broken)
    assert_read_failed(answer, ["contact", "records", place], a_fault(broken, "PROVIDER_ERROR"))
    data = answer["data"]["contact"]
    assert data["name"] == "Ada Winter"
    assert data["tags"]
    assert [record and record["provider"] for record in data["records"]] == [
        None if provider == broken else provider for provider in PROVIDERS
    ]
