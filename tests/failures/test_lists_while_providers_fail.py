"""A list goes on without the provider that fails, says so in its place, and can be taken up again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.connectors.cometly.connector import CometlyConnector
from gateway.connectors.gately.connector import GatelyConnector
from gateway.connectors.klen.connector import KlenConnector
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL
from tests.conftest import Gateway
from tests.failures.conftest import ATTEMPT_SECONDS
from tests.failures.outcomes import (
    BY_EMAIL,
    FAULT,
    PROVIDERS,
    a_fault,
    assert_read_failed,
    contact_id,
    everything_received,
    operations,
    simulator_of,
    source,
    sources_without_messages,
    without_message,
)

CONNECTORS = {"GATELY": GatelyConnector, "KLEN": KlenConnector, "COMETLY": CometlyConnector}
PAGE = f"""query ($first: Int!, $after: String, $providers: [Provider!], $filter: ContactFilter) {{
  contacts(first: $first, after: $after, providers: $providers, filter: $filter) {{
    edges {{ node {{ records {{ provider remoteId }} }} }}
    nodes {{ id }}
    totalCount
    pageInfo {{ hasNextPage endCursor }}
    sources {{ provider state error {FAULT} }}
  }}
}}"""


def failing(sandbox: Sandbox, *providers: str, operation: str = "list", **rest: Any) -> None:
    for provider in providers:
        simulator_of(sandbox, provider).faults.add(Fault(kind="status", status=502, operation=operation, **rest))


def failed(provider: str) -> dict[str, Any]:
    code = "server_error" if provider == "KLEN" else None
    return a_fault(provider, "PROVIDER_ERROR", 502, retryable=True, upstreamCode=code)


def owners(page: dict[str, Any]) -> list[str | None]:
    """Whose record stands where; None for the mark of a failed provider."""
    return [edge and edge["node"]["records"][0]["provider"] for edge in page["edges"]]


def remote_ids(page: dict[str, Any], provider: str) -> list[str]:
    records = [edge["node"]["records"][0] for edge in page["edges"] if edge]
    return [record["remoteId"] for record in records if record["provider"] == provider]


@pytest.mark.parametrize("broken", PROVIDERS)
def test_a_failed_provider_is_one_null_with_an_error_and_the_others_go_on(
    broken: str, sandbox: Sandbox, gateway: Gateway
) -> None:
    failing(sandbox, broken)
    answer = gateway.send(PAGE, first=6)
    page = answer["data"]["contacts"]
    place = PROVIDERS.index(broken)
    first, second = (provider for provider in PROVIDERS if provider != broken)
    expected: list[str | None] = [first, second] * 3
    expected.insert(place, None)
    assert owners(page) == expected
    assert [node is None for node in page["nodes"]] == [provider is None for provider in expected]
    assert {tuple(error["path"]): without_message(error["extensions"]) for error in answer["errors"]} == {
        ("contacts", "edges", place): failed(broken),
        ("contacts", "nodes", place): failed(broken),
    }
    assert page["totalCount"] is None
    assert page["pageInfo"]["hasNextPage"] is True
    assert sources_without_messages(page["sources"]) == [
        source(provider, "FAILED", failed(provider)) if provider == broken else source(provider, "OK")
        for provider in PROVIDERS
    ]


def test_a_list_without_anybody_is_marks_and_errors_and_not_over(sandbox: Sandbox, gateway: Gateway) -> None:
    failing(sandbox, *PROVIDERS)
    answer = gateway.send(PAGE, first=3)
    page = answer["data"]["contacts"]
    assert {**page, "sources": sources_without_messages(page["sources"])} == {
        "edges": [None, None, None],
        "nodes": [None, None, None],
        "totalCount": None,
        "pageInfo": {"hasNextPage": True, "endCursor": page["pageInfo"]["endCursor"]},
        "sources": [source(provider, "FAILED", failed(provider)) for provider in PROVIDERS],
    }
    assert page["pageInfo"]["endCursor"]
    assert [error["path"][1] for error in answer["errors"]].count("edges") == 3


@pytest.mark.parametrize("broken", PROVIDERS)
def test_the_walk_is_taken_up_where_the_failed_provider_stood(broken: str, sandbox: Sandbox, gateway: Gateway) -> None:
    whole = gateway.data(PAGE, first=12)["contacts"]
    pages = [gateway.data(PAGE, first=3)["contacts"]]
    failing(sandbox, broken, count=1)
    pages.append(gateway.send(PAGE, first=4, after=pages[-1]["pageInfo"]["endCursor"])["data"]["contacts"])
    assert None in pages[1]["edges"]
    for _ in range(2):
        pages.append(gateway.data(PAGE, first=4, after=pages[-1]["pageInfo"]["endCursor"])["contacts"])
    walked = [remote_id for page in pages for remote_id in remote_ids(page, broken)]
    expected = remote_ids(whole, broken)
    assert walked[: len(expected)] == expected[: len(walked)]
    assert len(walked) >= 3
    every = [(provider, one) for page in pages for provider in PROVIDERS for one in remote_ids(page, provider)]
    assert len(every) == len(set(every))


def test_a_provider_that_hangs_leaves_the_others_in_the_page(sandbox: Sandbox, impatient: Gateway) -> None:
    sandbox.gately.faults.add(Fault(kind="hang"))
    document = "{ contacts(first: 4) { edges { node { id } } sources { provider state latencyMs } } }"
    page = impatient.send(document)["data"]["contacts"]
    assert [edge is None for edge in page["edges"]] == [True, False, False, False, False]
    latencies = {one["provider"]: one["latencyMs"] for one in page["sources"]}
    assert latencies.pop("GATELY") >= ATTEMPT_SECONDS * 1000
    assert max(latencies.values()) < ATTEMPT_SECONDS * 1000


def test_details_that_fail_cost_only_the_contact_they_belong_to(sandbox: Sandbox, gateway: Gateway) -> None:
    failing(sandbox, "KLEN", operation="read", count=1)
    document = "{ contacts(first: 3, providers: [KLEN]) { nodes { id name website } } }"
    answer = gateway.send(document)
    (error,) = answer["errors"]
    nodes = answer["data"]["contacts"]["nodes"]
    place = error["path"][2]
    assert error["path"] == ["contacts", "nodes", place, "website"]
    assert without_message(error["extensions"]) == failed("KLEN")
    # The name was in the list already, so it needed nobody.
    assert all(node["name"] for node in nodes)
    assert nodes[place]["website"] is None
    assert operations(sandbox.klen) == ["list", "read", "read", "read"]


def test_a_filter_that_a_provider_has_no_word_for_skips_it_without_an_error(sandbox: Sandbox, gateway: Gateway) -> None:
    page = gateway.data(PAGE, first=2, filter={"tag": "VIP"})["contacts"]
    assert owners(page) == ["GATELY", "GATELY"]
    assert sources_without_messages(page["sources"]) == [
        source("GATELY", "OK"),
        source("KLEN", "OK"),
        source("COMETLY", "SKIPPED", a_fault("COMETLY", "UNSUPPORTED_FIELD")),
    ]
    assert operations(sandbox.cometly) == []


def test_a_look_up_answers_with_whoever_could(sandbox: Sandbox, gateway: Gateway) -> None:
    failing(sandbox, "GATELY", operation="find")
    found = gateway.data(BY_EMAIL, email=EVERYWHERE_EMAIL.upper())["contactsByEmail"]
    assert {**found, "sources": sources_without_messages(found["sources"])} == {
        "contacts": [{"id": contact_id("KLEN")}],
        "sources": [
            source("GATELY", "FAILED", failed("GATELY")),
            source("KLEN", "OK"),
            source("COMETLY", "SKIPPED", a_fault("COMETLY", "UNSUPPORTED_OPERATION")),
        ],
    }


@pytest.mark.parametrize("broken", PROVIDERS)
def test_a_mistake_of_ours_at_one_provider_does_not_cost_the_lists_of_the_others(
    broken: str, sandbox: Sandbox, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stumble(*_: object) -> None:
        raise KeyError("private words")

    monkeypatch.setattr(CONNECTORS[broken], "list_page", stumble)
    answer = gateway.send("{ contacts(first: 4) { edges { node { id } } sources { provider state } } }")
    assert "private" not in str(answer)
    place = PROVIDERS.index(broken)
    assert_read_failed(answer, ["contacts", "edges", place], a_fault(broken, "PROVIDER_ERROR"))
    page = answer["data"]["contacts"]
    assert [edge is None for edge in page["edges"]] == [here == place for here in range(5)]
    assert [one["state"] for one in page["sources"]] == [
        "FAILED" if provider == broken else "OK" for provider in PROVIDERS
    ]


@pytest.mark.parametrize("broken", ["GATELY", "KLEN"])
def test_a_mistake_of_ours_at_one_provider_does_not_cost_the_look_ups_of_the_others(
    broken: str, sandbox: Sandbox, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stumble(*_: object) -> None:
        raise KeyError("private words")

    monkeypatch.setattr(CONNECTORS[broken], "find_by_email", stumble)
    answer = gateway.send(BY_EMAIL, email=EVERYWHERE_EMAIL)
    assert "private" not in str(answer)
    assert "errors" not in answer
    found = answer["data"]["contactsByEmail"]
    (other,) = {"GATELY", "KLEN"} - {broken}
    assert found["contacts"] == [{"id": contact_id(other)}]
    shown = {one["provider"]: one for one in sources_without_messages(found["sources"])}
    assert shown[broken] == source(broken, "FAILED", a_fault(broken, "PROVIDER_ERROR"))


MAX_CALLS = 100


def test_a_list_that_needs_too_many_calls_says_so_at_each_contact_left_out(sandbox: Sandbox, gateway: Gateway) -> None:
    answer = gateway.send("{ contacts(first: 100) { nodes { id website addresses { formatted } } } }")
    received = everything_received(sandbox)
    assert len(received) == MAX_CALLS
    nodes = answer["data"]["contacts"]["nodes"]
    assert len(nodes) == 100
    assert all(node["id"] for node in nodes)
    errors = answer["errors"]
    assert {error["extensions"]["code"] for error in errors} == {"UPSTREAM_CALL_LIMIT"}
    for error in errors:
        fault = error["extensions"]
        assert without_message(fault) == a_fault(fault["provider"], "UPSTREAM_CALL_LIMIT")
        assert nodes[error["path"][2]][error["path"][3]] is None
    # Every record is either read or has its error.
    read = sum(request.operation == "read" for request in received)
    starved = {error["path"][2] for error in errors}
    assert read == MAX_CALLS - 3
    assert starved
    assert sorted(error["path"][:2] for error in errors) == [["contacts", "nodes"]] * len(errors)


def test_the_call_limit_counts_for_the_whole_operation_and_begins_anew_with_the_next(
    sandbox: Sandbox, start_gateway: Callable[..., Gateway]
) -> None:
    gateway = start_gateway(max_root_fields=36)
    # Of different sizes, since what is the same is asked once.
    lists = " ".join(
        f"p{size}: contacts(first: {size}) {{ sources {{ state }} nodes {{ id }} }}" for size in range(1, 37)
    )
    answer = gateway.send(f"{{ {lists} }}")
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"UPSTREAM_CALL_LIMIT"}
    states = [one["state"] for page in answer["data"].values() for one in page["sources"]]
    assert (states.count("OK"), states.count("FAILED")) == (MAX_CALLS, 8)
    assert len(everything_received(sandbox)) == MAX_CALLS
    assert gateway.data("{ contacts(first: 1) { nodes { id } } }")["contacts"]["nodes"]
