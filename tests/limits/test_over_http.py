"""A document beyond a limit is refused over HTTP by one error, and nobody is asked for anything."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
import strawberry

from gateway.domain.caller import ANYBODY
from gateway.http.result import GraphQLRequest, GraphQLResult
from gateway.http.settings import DocumentLimits
from gateway.sandbox.sandbox import Sandbox
from gateway.settings import WrongSettings, read_gateway_settings
from resolvers.execution import Executor, Rules
from resolvers.schema import build_schema
from tests.conftest import Gateway
from tests.limits.documents import MEASURING
from tests.limits.test_cost_of_the_schema import LARGEST_PAGE

# Beyond the defaults, each of the kind that its limit is there for.
HOSTILE = {
    "maxDocumentTokens": "{ nodes(ids: [" + '"a" ' * 5_000 + "]) { id } }",
    "maxOperations": MEASURING["max_operations"](1_000),
    "maxFragments": MEASURING["max_fragments"](300),
    "maxVariables": MEASURING["max_variables"](400),
    "maxAliases": MEASURING["max_aliases"](1_500),
    "maxDirectives": "{ contacts { " + "totalCount @skip(if: false) " * 500 + "} }",
    "maxDirectivesPerNode": "query Q0 { __typename " + "@aa " * 10 + "}",
    "maxDepth": MEASURING["max_depth"](190),
    "maxListDepth": "{ contacts { nodes { records { contact { records { contact { records { tags } } } } } } } }",
    "maxSelfReference": "{ contact(id: 1) { records { contact { records { contact { name } } } } } }",
    "maxIntrospectionDepth": "{ __schema { types { "
    + "fields { type { " * 10
    + "fields { name }"
    + " } }" * 10
    + " } } }",
    "maxRepeatedNames": "{ " + "__typename " * 2_500 + "}",
    "maxRootFields": "{ contacts { totalCount } " + " ".join(f"a{one}: __typename" for one in range(40)) + " }",
    "maxMergedFields": "{ "
    + " ".join(f"a{one}: contact(id: {one}) {{ id ...F }}" for one in range(20))
    + " } fragment F on Contact { "
    + "id name firstName lastName company website status stage notes createdAt " * 99
    + "}",
    "maxCost": LARGEST_PAGE[:-1] + LARGEST_PAGE[1:].replace("contacts", "again: contacts", 1),
}


@pytest.fixture(scope="module")
def built() -> strawberry.Schema:
    return build_schema()


def refusal(executed: GraphQLResult) -> dict[str, Any]:
    """The extensions of the only error."""
    assert set(executed.body) == {"errors"}
    (error,) = executed.body["errors"]
    extensions: dict[str, Any] = error["extensions"]
    return extensions


def test_every_limit_has_its_hostile_document() -> None:
    names = {name for name in DocumentLimits.model_fields if name.startswith("max_")}

    assert {name.replace("_", "") for name in names} == {name.lower() for name in HOSTILE}


@pytest.mark.parametrize("limit", HOSTILE)
class TestHostile:
    def test_it_is_refused_where_there_is_nobody_to_ask(self, limit: str, built: strawberry.Schema) -> None:
        """Without a provider and without a database: any use of them would be another error."""
        rules = Rules(limits=DocumentLimits(), query_seconds=1, mutation_seconds=1)
        nobody = SimpleNamespace(changes=None, lingering=SimpleNamespace(clocks=None))
        execute = Executor(built, cast("Any", nobody), rules)
        name = "Q0" if "Q0" in HOSTILE[limit] else None
        request = GraphQLRequest(request_id="a", caller=ANYBODY, query=HOSTILE[limit], operation_name=name)

        executed = asyncio.run(cast("Any", execute(request)))

        told = refusal(executed)
        assert executed.status == 400
        assert set(told) == {"code", "limit", "allowed", "measured"}
        assert (told["code"], told["limit"]) == ("LIMIT_EXCEEDED", limit)
        assert told["measured"] > told["allowed"]


class TestOverHttp:
    def test_every_one_of_them_is_one_error_and_no_call(
        self, start_gateway: Callable[..., Gateway], sandbox: Sandbox
    ) -> None:
        gateway = start_gateway()
        for limit, document in HOSTILE.items():
            body = {"query": document, "operationName": "Q0" if "Q0" in document else None}
            accept = {"Accept": "application/graphql-response+json"}

            reply = gateway.request("POST", "/graphql", json=body, headers=accept)

            (error,) = reply.json()["errors"]
            assert (reply.status_code, error["extensions"]["code"]) == (400, "LIMIT_EXCEEDED"), limit
            assert "data" not in reply.json()
        assert [simulator.requests for simulator in sandbox.simulators] == [[], [], []]

    def test_the_cost_is_told_with_data_and_with_errors(self, start_gateway: Callable[..., Gateway]) -> None:
        gateway = start_gateway(max_cost=500)
        read = "query($id: ID!) { contact(id: $id) { id } }"

        assert gateway.answer("{ __typename }")["extensions"] == {"cost": {"estimated": 1, "allowed": 500}}
        failed = gateway.answer(read, id="nonsense")
        assert [error["extensions"]["code"] for error in failed["errors"]] == ["INVALID_INPUT"]
        assert failed["extensions"] == {"cost": {"estimated": 12, "allowed": 500}}

    def test_it_is_not_told_where_that_is_switched_off(
        self, start_gateway: Callable[..., Gateway], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GATEWAY_TELL_COST", "off")
        monkeypatch.setenv("GATEWAY_MAX_COST", "11")
        gateway = start_gateway()

        assert gateway.answer("{ __typename }") == {"data": {"__typename": "Query"}}
        told = gateway.error('{ contact(id: "a") { id } }')["extensions"]
        assert told == {"code": "LIMIT_EXCEEDED", "limit": "maxCost", "allowed": 11, "measured": 12}

    def test_no_cost_is_told_of_what_did_not_run(self, start_gateway: Callable[..., Gateway]) -> None:
        gateway = start_gateway()

        assert set(gateway.answer("{ unknown }")) == {"errors"}

    def test_time_that_is_up_is_one_error(self, start_gateway: Callable[..., Gateway]) -> None:
        told = start_gateway(validation_seconds=1e-9).error("{ __typename }")["extensions"]

        assert (told["code"], told["limit"], told["allowed"]) == ("LIMIT_EXCEEDED", "validationSeconds", 1e-9)
        assert told["measured"] >= 0

    def test_a_repeated_directive_is_one_error(self, start_gateway: Callable[..., Gateway]) -> None:
        error = start_gateway().error("{ __typename @skip(if: false) @skip(if: false) @skip(if: false) }")

        assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


class TestSettings:
    @pytest.mark.parametrize(
        ("name", "least", "most"),
        [
            (name, field.metadata[0].ge, field.metadata[1].le)
            for name, field in DocumentLimits.model_fields.items()
            if name.startswith("max_") and name != "max_cost"
        ],
    )
    def test_a_limit_has_a_range_that_its_description_tells(self, name: str, least: int, most: int) -> None:
        assert getattr(read_gateway_settings(**{name: least}), name) == least
        assert getattr(read_gateway_settings(**{name: most}), name) == most
        for beyond in (least - 1, most + 1, "many", 1.5):
            with pytest.raises(WrongSettings, match=rf"^GATEWAY_{name.upper()}: "):
                read_gateway_settings(**{name: beyond})
        assert (DocumentLimits.model_fields[name].description or "").endswith(f"{least} to {most}")

    @pytest.mark.parametrize("value", ["0", "-1", "1e13", "nan", "inf", ""])
    def test_a_cost_is_a_number_above_none(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv("GATEWAY_MAX_COST", value)

        with pytest.raises(WrongSettings, match=r"^GATEWAY_MAX_COST: "):
            read_gateway_settings()

    @pytest.mark.parametrize("value", ["yes", "", "ON"])
    def test_the_cost_is_told_or_not(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv("GATEWAY_TELL_COST", value)

        with pytest.raises(WrongSettings, match=r"^GATEWAY_TELL_COST: "):
            read_gateway_settings()
