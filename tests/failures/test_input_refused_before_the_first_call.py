"""Wrong input is refused as a whole, with everything that is wrong in it, before anybody is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.failures.outcomes import (
    CREATE,
    DELETE,
    PERSON,
    PROVIDERS,
    UPDATE,
    a_fault,
    assert_failed,
    assert_fit_for_people,
    contact_id,
    everything_received,
    linked,
    operations,
)

StartGateway = Callable[..., Gateway]


def assert_invalid(answer: dict[str, Any], field: str, *problems: dict[str, Any]) -> None:
    (error,) = answer["errors"]
    assert (answer["data"], error["path"]) == ({field: None}, [field])
    assert_fit_for_people(error["message"])
    extensions = error["extensions"]
    shown = [{name: value for name, value in one.items() if name != "message"} for one in extensions["fields"]]
    assert {**extensions, "fields": shown} == {"code": "INVALID_INPUT", "fields": list(problems)}
    for problem in extensions["fields"]:
        assert_fit_for_people(problem["message"])


def a_problem(path: str, code: str, provider: str | None = None) -> dict[str, Any]:
    return {"path": ["input", *path.split(".")], "code": code, "provider": provider}


def test_everything_that_is_wrong_for_anybody_is_said_at_once_and_nobody_is_called(
    sandbox: Sandbox, gateway: Gateway
) -> None:
    answer = gateway.send(CREATE, input={"company": "Aalto Oy", "providers": ["COMETLY", "KLEN", "GATELY"]})
    assert_invalid(
        answer,
        "createContact",
        a_problem("emails", "REQUIRED", "COMETLY"),
        a_problem("firstName", "REQUIRED", "KLEN"),
        a_problem("name", "REQUIRED", "GATELY"),
        a_problem("emails", "REQUIRED", "GATELY"),
    )
    assert everything_received(sandbox) == []


def test_a_problem_at_one_provider_stops_the_whole_creation(sandbox: Sandbox, gateway: Gateway) -> None:
    answer = gateway.send(CREATE, input={**PERSON, "phones": [{"number": "040 1234"}]})
    assert_invalid(answer, "createContact", a_problem("phones.0.number", "NOT_E164", "KLEN"))
    assert everything_received(sandbox) == []


def test_a_problem_at_one_provider_stops_the_whole_update(sandbox: Sandbox, gateway: Gateway) -> None:
    contact = linked(gateway)
    answer = gateway.send(UPDATE, input={"id": contact, "tags": {"set": ["a, b"]}, "company": " "})
    assert_invalid(answer, "updateContact", a_problem("company", "BLANK"))
    answer = gateway.send(UPDATE, input={"id": contact, "tags": {"set": ["a, b"]}})
    assert_invalid(answer, "updateContact", a_problem("tags.set.0", "COMMA", "GATELY"))
    assert everything_received(sandbox) == []


def test_no_provider_at_all_is_invalid(sandbox: Sandbox, gateway: Gateway) -> None:
    created = gateway.send(CREATE, input={**PERSON, "providers": []})
    assert_invalid(created, "createContact", a_problem("providers", "NO_PROVIDER"))
    updated = gateway.send(UPDATE, input={"id": contact_id("KLEN"), "company": "A", "providers": []})
    assert_invalid(updated, "updateContact", a_problem("providers", "NO_PROVIDER"))
    deleted = gateway.send(DELETE, input={"id": contact_id("GATELY"), "providers": []})
    assert_invalid(deleted, "deleteContact", a_problem("providers", "NO_PROVIDER"))
    assert everything_received(sandbox) == []


def test_a_provider_that_is_not_configured_is_invalid(start_gateway: StartGateway, sandbox: Sandbox) -> None:
    gateway = start_gateway(environment={"KLEN_API_KEY": None})
    problem = a_problem("providers", "NOT_CONFIGURED", "KLEN")
    created = gateway.send(CREATE, input={**PERSON, "providers": ["GATELY", "KLEN"]})
    assert_invalid(created, "createContact", problem)
    updated = gateway.send(UPDATE, input={"id": contact_id("GATELY"), "company": "A", "providers": ["KLEN"]})
    assert_invalid(updated, "updateContact", problem)
    assert everything_received(sandbox) == []


def test_a_record_of_a_provider_that_is_not_configured_cannot_be_written(
    start_gateway: StartGateway, sandbox: Sandbox
) -> None:
    gateway = start_gateway(environment={"KLEN_API_KEY": None})
    answer = gateway.send(UPDATE, input={"id": contact_id("KLEN"), "company": "Aalto Oy"})
    assert_failed(answer, "updateContact", a_fault("KLEN", "UNSUPPORTED_OPERATION"))
    answer = gateway.send(DELETE, input={"id": contact_id("KLEN")})
    assert_failed(answer, "deleteContact", a_fault("KLEN", "UNSUPPORTED_OPERATION"))
    assert everything_received(sandbox) == []


def test_no_provider_configured_is_invalid(start_gateway: StartGateway, sandbox: Sandbox) -> None:
    gateway = start_gateway(environment={f"{name}_API_KEY": None for name in PROVIDERS})
    answer = gateway.send(CREATE, input=PERSON)
    assert_invalid(answer, "createContact", a_problem("providers", "NO_PROVIDER"))
    assert everything_received(sandbox) == []


def test_a_provider_named_twice_counts_once(sandbox: Sandbox, gateway: Gateway) -> None:
    order = ["KLEN", "GATELY", "KLEN", "KLEN", "GATELY"]
    payload = gateway.data(CREATE, input={**PERSON, "providers": order})["createContact"]
    assert [result["provider"] for result in payload["results"]] == ["KLEN", "GATELY"]
    assert [operations(simulator) for simulator in sandbox.simulators] == [["create"], [], ["create"]]


def test_a_provider_without_a_record_of_the_contact_is_invalid(sandbox: Sandbox, gateway: Gateway) -> None:
    change = {"id": contact_id("GATELY"), "company": "Aalto Oy", "providers": ["GATELY", "KLEN"]}
    answer = gateway.send(UPDATE, input=change)
    assert_invalid(answer, "updateContact", a_problem("providers", "NO_RECORD", "KLEN"))
    assert everything_received(sandbox) == []
