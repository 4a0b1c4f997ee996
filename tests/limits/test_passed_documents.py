"""A document that has passed is not looked at again; everything else about a request is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse

import resolvers.execution
from resolvers.passed_documents import Asked, PassedDocuments
from tests.conftest import Gateway

SCHEMA = build_schema("type Query { a: Int b: Int c: Int } type Mutation { a: Int } type Subscription { a: Int }")


def asked(text: str) -> Asked:
    document = parse(text)
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    return Asked(document, operation)


class TestKeeping:
    def test_what_passed_is_found_by_its_text_and_the_name_that_was_asked_for(self) -> None:
        kept, one = PassedDocuments(SCHEMA, 1_000), asked("{ a }")
        kept.keep("{ a }", None, one)

        found = kept.find("{ a }", None)
        assert found is not None
        assert (found.document, found.operation, found.passed) == (one.document, one.operation, True)
        assert kept.find("{ a }", "A") is None
        assert kept.find("{ a  }", None) is None

    @pytest.mark.parametrize(
        ("text", "shared"),
        [("{ a }", True), ("mutation { a }", False), ("subscription { a }", False), ("{ ... @defer { a } }", False)],
    )
    def test_only_queries_may_be_shared(self, text: str, shared: bool) -> None:
        assert not asked(text).may_be_shared
        assert PassedDocuments(SCHEMA, 1_000).keep(text, None, asked(text)).may_be_shared is shared

    def test_no_more_is_kept_than_the_setting_says(self) -> None:
        kept, texts = PassedDocuments(SCHEMA, 100), [f"{{ a{number:02d} }}" for number in range(40)]
        for text in texts:
            kept.keep(text, None, asked("{ a }"))
            assert kept.find(texts[0], None)

        found = [text for text in texts if kept.find(text, None)]
        assert sum(map(len, found)) <= 100
        assert (found[0], found[-1]) == (texts[0], texts[-1])

    def test_a_large_one_drives_nobody_out(self) -> None:
        kept, large = PassedDocuments(SCHEMA, 100), "{ " + "a " * 10 + "}"
        kept.keep("{ a }", None, asked("{ a }"))
        kept.keep(large, None, asked("{ a }"))

        assert kept.find(large, None) is None
        assert kept.find("{ a }", None)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was parsed, limited and validated."""
    seen: list[str] = []

    def watch(name: str) -> None:
        real: Callable[..., Any] = getattr(resolvers.execution, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            seen.append(name)
            return real(*arguments, **named)

        monkeypatch.setattr(resolvers.execution, name, watched)

    for name in ("read_document", "refuse_too_large", "check", "weigh"):
        watch(name)
    return seen


EVERY_LOOK = ["read_document", "refuse_too_large", "check", "weigh"]
FIRST = "query First($first: Int!) { contacts(first: $first) { nodes { id } } }"


class TestExecution:
    def test_the_second_time_only_what_depends_on_the_request_is_looked_at(
        self, start_gateway: Callable[..., Gateway], looks: list[str]
    ) -> None:
        gateway = start_gateway()
        answers = [gateway.send("{ __typename }") for _ in range(3)]

        assert answers == [{"data": {"__typename": "Query"}}] * 3
        assert looks == EVERY_LOOK

    def test_variables_that_make_a_difference_are_weighed(
        self, start_gateway: Callable[..., Gateway], looks: list[str]
    ) -> None:
        gateway = start_gateway()
        for first in (1, 2, 1, 2):
            gateway.data(FIRST, first=first)

        assert looks == [*EVERY_LOOK, "weigh"]

    def test_switched_off_every_look_is_taken_every_time(
        self, start_gateway: Callable[..., Gateway], looks: list[str]
    ) -> None:
        gateway = start_gateway(document_cache_characters=0)
        for _ in range(2):
            gateway.send("{ __typename }")

        assert looks == EVERY_LOOK * 2

    def test_what_is_refused_is_looked_at_again(self, start_gateway: Callable[..., Gateway], looks: list[str]) -> None:
        gateway = start_gateway()
        bodies = [gateway.request("POST", "/graphql", json={"query": "{ nothing }"}).json() for _ in range(2)]
        refused = [[error["message"] for error in body["errors"]] for body in bodies]

        assert refused[0] == refused[1]
        assert looks == ["read_document", "refuse_too_large", "check"] * 2

    def test_variables_and_what_they_cost_are_looked_at_every_time(self, start_gateway: Callable[..., Gateway]) -> None:
        gateway = start_gateway(max_cost=100)
        assert gateway.data(FIRST, first=1)["contacts"]["nodes"]
        (too_much,) = gateway.refused(FIRST, first=100)
        (wrong,) = gateway.refused(FIRST, first="many")

        assert too_much["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert wrong["extensions"]["code"] == "BAD_USER_INPUT"
        assert gateway.data(FIRST, first=1)["contacts"]["nodes"]

    def test_each_operation_of_a_document_is_its_own(self, start_gateway: Callable[..., Gateway]) -> None:
        gateway, document = start_gateway(), "query A { a: __typename } query B { b: __typename }"

        def run(name: str | None) -> dict[str, Any]:
            body = {"query": document, "operationName": name}
            answer: dict[str, Any] = gateway.request("POST", "/graphql", json=body).json()
            return answer

        for _ in range(2):
            assert run("A")["data"] == {"a": "Query"}
            assert run("B")["data"] == {"b": "Query"}
            assert run(None)["errors"][0]["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"
            assert run("C")["errors"][0]["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"

    def test_a_kept_mutation_is_still_refused_by_get(self, start_gateway: Callable[..., Gateway]) -> None:
        gateway, document = start_gateway(), 'mutation { deleteContact(input: {id: "x"}) { status } }'
        gateway.request("POST", "/graphql", json={"query": document})
        by_get = gateway.request("GET", "/graphql", params={"query": document}, headers={"Accept": "application/json"})

        assert by_get.status_code == 405
