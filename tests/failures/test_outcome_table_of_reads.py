"""Every event of the table of outcomes, at every provider, for every kind of read: through GraphQL, over sockets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import GatelySwitches, Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL, OTHER_TEAM_KLEN_ID
from tests.conftest import Gateway
from tests.failures.outcomes import (
    BY_EMAIL,
    DISTINCT_ROWS,
    FINDERS,
    LIST,
    PROVIDERS,
    READ,
    REMOTE_IDS,
    ROWS,
    Row,
    assert_read_failed,
    contact_id,
    operations,
    record_id,
    simulator_of,
    source,
    sources_without_messages,
)

GatewayFor = Callable[[bool], Gateway]
rows = pytest.mark.parametrize("row", [row for row in ROWS if row.event != "slow"], ids=str)
providers = pytest.mark.parametrize("provider", PROVIDERS)
finders = pytest.mark.parametrize("provider", FINDERS)


@providers
@rows
def test_a_read_says_what_the_event_means(row: Row, provider: str, sandbox: Sandbox, gateway_for: GatewayFor) -> None:
    simulator = simulator_of(sandbox, provider)
    simulator.faults.add(row.fault)
    answer = gateway_for(row.endless).send(READ, id=contact_id(provider))
    fault = row.fault_at(provider, "read")
    assert_read_failed(answer, ["contact", "name"], fault)
    contact = answer["data"]["contact"]
    assert contact["name"] is None
    assert sources_without_messages(contact["sources"]) == [source(provider, "FAILED", fault)]
    assert operations(simulator) == ["read"]


def _may_strike_a_list(provider: str, row: Row) -> bool:
    """Cometly's and Klen's list items hold neither booleans nor, without tags, lists of words."""
    return not (row.event == "wrong_shape" and provider in ("COMETLY", "KLEN"))


@pytest.mark.parametrize(
    ("provider", "row"),
    [
        pytest.param(provider, row, id=f"{provider}-{row}")
        for provider in PROVIDERS
        for row in DISTINCT_ROWS
        if _may_strike_a_list(provider, row)
    ],
)
def test_a_list_says_what_the_event_means(row: Row, provider: str, sandbox: Sandbox, gateway_for: GatewayFor) -> None:
    simulator = simulator_of(sandbox, provider)
    simulator.faults.add(row.fault)
    answer = gateway_for(row.endless).send(LIST, providers=[provider])
    fault = row.fault_at(provider, "list")
    assert_read_failed(answer, ["contacts", "edges", 0], fault)
    page = answer["data"]["contacts"]
    assert {**page, "sources": sources_without_messages(page["sources"])} == {
        "edges": [None],
        "totalCount": None,
        "pageInfo": {"hasNextPage": True},
        "sources": [source(provider, "FAILED", fault)],
    }
    assert operations(simulator) == ["list"]


@pytest.mark.parametrize(
    ("provider", "row"),
    [
        pytest.param(provider, row, id=f"{provider}-{row}")
        for provider in FINDERS
        for row in DISTINCT_ROWS
        if _may_strike_a_list(provider, row)
    ],
)
def test_a_look_up_says_what_the_event_means_without_an_error(
    row: Row, provider: str, sandbox: Sandbox, gateway_for: GatewayFor
) -> None:
    simulator = simulator_of(sandbox, provider)
    simulator.faults.add(row.fault)
    found = gateway_for(row.endless).data(BY_EMAIL, email=EVERYWHERE_EMAIL, providers=[provider])["contactsByEmail"]
    assert {**found, "sources": sources_without_messages(found["sources"])} == {
        "contacts": [],
        "sources": [source(provider, "FAILED", row.fault_at(provider, "find"))],
    }
    assert operations(simulator) == ["find"]


def test_a_look_up_that_a_provider_cannot_do_is_skipped_without_a_call(sandbox: Sandbox, gateway: Gateway) -> None:
    found = gateway.data(BY_EMAIL, email=EVERYWHERE_EMAIL, providers=["COMETLY"])["contactsByEmail"]
    fault = {
        "code": "UNSUPPORTED_OPERATION",
        "provider": "COMETLY",
        "retryable": False,
        "retryAfterMs": None,
        "upstreamStatus": None,
        "upstreamCode": None,
        "field": None,
    }
    assert {**found, "sources": sources_without_messages(found["sources"])} == {
        "contacts": [],
        "sources": [source("COMETLY", "SKIPPED", fault)],
    }
    assert operations(sandbox.cometly) == []


def _refusal(status: int, *, code: str | None = "sandbox_code", message: str | None = None) -> Fault:
    return Fault(kind="status", status=status, code=code, message=message)


@providers
@pytest.mark.parametrize("status", [404, 410])
def test_a_record_that_is_gone_is_null_without_an_error(
    status: int, provider: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    simulator = simulator_of(sandbox, provider)
    simulator.faults.add(_refusal(status))
    assert gateway.send(READ, id=contact_id(provider)) == {"data": {"contact": None}}
    assert operations(simulator) == ["read"]


@pytest.mark.parametrize(
    ("provider", "status", "code", "message"),
    [
        ("GATELY", 400, None, "The id is not a UUID"),
        ("GATELY", 422, None, "Invalid contact_id"),
        ("COMETLY", 400, None, "The id must be an integer."),
        ("COMETLY", 422, None, "The given data was invalid."),
        ("KLEN", 400, "validation_error", "Something is wrong"),
        ("KLEN", 422, "sandbox_code", "contact_id must be positive"),
    ],
)
def test_a_refusal_that_blames_the_id_means_that_there_is_no_such_record(
    provider: str, status: int, code: str | None, message: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    simulator_of(sandbox, provider).faults.add(_refusal(status, code=code, message=message))
    assert gateway.send(READ, id=contact_id(provider)) == {"data": {"contact": None}}


@pytest.mark.parametrize("status", [400, 404, 422])
def test_an_id_that_gately_finds_malformed_is_not_found(status: int, sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.gately.switches = GatelySwitches(malformed_id_status=status)  # type: ignore[arg-type]
    assert gateway.send(READ, id=contact_id("GATELY", "con_abc123")) == {"data": {"contact": None}}
    assert operations(sandbox.gately) == ["read"]


@pytest.mark.parametrize(("provider", "status"), [("GATELY", 400), ("GATELY", 422), ("COMETLY", 400), ("KLEN", 422)])
def test_a_refusal_that_does_not_blame_the_id_is_invalid_input(
    provider: str, status: int, sandbox: Sandbox, gateway: Gateway
) -> None:
    simulator_of(sandbox, provider).faults.add(_refusal(status, message="No more than that"))
    fault = {
        "code": "INVALID_INPUT",
        "provider": provider,
        "retryable": False,
        "retryAfterMs": None,
        "upstreamStatus": status,
        "upstreamCode": "sandbox_code" if provider == "KLEN" else None,
        "field": None,
    }
    assert_read_failed(gateway.send(READ, id=contact_id(provider)), ["contact", "name"], fault)


@providers
@pytest.mark.parametrize(("status", "code"), [(400, "INVALID_INPUT"), (422, "INVALID_INPUT"), (404, "PROVIDER_ERROR")])
def test_a_list_has_no_id_that_could_be_blamed(
    status: int, code: str, provider: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    simulator_of(sandbox, provider).faults.add(_refusal(status, message="The id is not a UUID"))
    fault = {
        "code": code,
        "provider": provider,
        "retryable": False,
        "retryAfterMs": None,
        "upstreamStatus": status,
        "upstreamCode": "sandbox_code" if provider == "KLEN" else None,
        "field": None,
    }
    assert_read_failed(gateway.send(LIST, providers=[provider]), ["contacts", "edges", 0], fault)


@providers
def test_a_conflict_on_a_read_is_no_duplicate(provider: str, sandbox: Sandbox, gateway: Gateway) -> None:
    simulator_of(sandbox, provider).faults.add(_refusal(409))
    fault = {
        "code": "PROVIDER_ERROR",
        "provider": provider,
        "retryable": False,
        "retryAfterMs": None,
        "upstreamStatus": 409,
        "upstreamCode": "sandbox_code" if provider == "KLEN" else None,
        "field": None,
    }
    assert_read_failed(gateway.send(READ, id=contact_id(provider)), ["contact", "name"], fault)


@pytest.mark.parametrize("provider", ["KLEN", "COMETLY"])
def test_list_items_of_a_wrong_type_are_a_bad_response(
    provider: str, sandbox: Sandbox, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulator_of(sandbox, provider)
    original = simulator.answer

    def answer(received: object) -> object:
        reply = original(received)  # type: ignore[arg-type]
        return type(reply)(200, reply.body.replace(b'"id": ', b'"id": true, "was": '), reply.media_type)

    monkeypatch.setattr(simulator, "answer", answer)
    fault = {
        "code": "PROVIDER_BAD_RESPONSE",
        "provider": provider,
        "retryable": False,
        "retryAfterMs": None,
        "upstreamStatus": 200,
        "upstreamCode": None,
        "field": None,
    }
    assert_read_failed(gateway.send(LIST, providers=[provider]), ["contacts", "edges", 0], fault)


def test_a_contact_of_another_team_looks_like_one_that_is_gone(sandbox: Sandbox, gateway: Gateway) -> None:
    assert gateway.send(READ, id=contact_id("KLEN", str(OTHER_TEAM_KLEN_ID))) == {"data": {"contact": None}}
    assert operations(sandbox.klen) == ["read"]


NODE = "query ($id: ID!) { node(id: $id) { id ... on ContactRecord { name } ... on Contact { name } } }"


@providers
def test_a_node_fails_like_the_contact_or_record_that_it_is(provider: str, sandbox: Sandbox, gateway: Gateway) -> None:
    row = next(row for row in ROWS if row.event == "500")
    simulator_of(sandbox, provider).faults.add(row.fault)
    fault = row.fault_at(provider, "read")
    assert_read_failed(gateway.send(NODE, id=contact_id(provider)), ["node", "name"], fault)
    answer = gateway.send(NODE, id=record_id(provider))
    assert_read_failed(answer, ["node"], fault)
    assert answer["data"] == {"node": None}


NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on ContactRecord { remoteId name } } }"


def test_one_bad_record_among_nodes_costs_nobody_else_an_answer(sandbox: Sandbox, gateway: Gateway) -> None:
    row = next(row for row in ROWS if row.event == "502")
    sandbox.klen.faults.add(row.fault)
    ids = [record_id("GATELY"), record_id("KLEN"), record_id("COMETLY"), record_id("GATELY", "gone-for-good")]
    answer = gateway.send(NODES, ids=ids)
    assert_read_failed(answer, ["nodes", 1], row.fault_at("KLEN", "read"))
    assert answer["data"]["nodes"] == [
        {"id": ids[0], "remoteId": REMOTE_IDS["GATELY"], "name": "Ada Winter"},
        None,
        {"id": ids[2], "remoteId": REMOTE_IDS["COMETLY"], "name": "Ada Winter"},
        None,
    ]
