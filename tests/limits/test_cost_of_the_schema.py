"""What the published schema says about costs, and what ordinary and hostile operations cost by it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    GraphQLString,
    get_introspection_query,
    get_named_type,
    is_composite_type,
    is_interface_type,
    is_introspection_type,
    is_object_type,
    parse,
    validate,
)
from graphql.execution.values import VariableValues, get_variable_values

from gateway.http.settings import DocumentLimits
from resolvers.cost_directives import ListSize
from resolvers.limits.cost import weigh
from resolvers.limits.structure import refuse_too_large
from resolvers.limits.weights import directive_of
from resolvers.refused import LimitExceeded
from tests.limits.conftest import first_operation

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "gateway/http/graphiql_ui/examples").glob("*.graphql"))
README = re.findall(r"```graphql\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)

VALUES = (
    "id name firstName lastName emails { address normalized primary } phones { number e164 type primary doNotCall }"
    " addresses { street street2 city state postalCode country formatted primary } company website status stage tags"
    " notes customFields unsubscribed externalId createdAt updatedAt lastContactedAt"
)
SOURCES = "sources { provider state latencyMs error { code message provider retryable retryAfterMs field } }"
RECORDS = f"records {{ {VALUES} provider remoteId providerStatus raw fetchedAt contact {{ id }} }}"
LARGEST_PAGE = (
    "{ contacts(first: 100) { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
    f" {SOURCES} edges {{ cursor node {{ {VALUES} {SOURCES} {RECORDS} }} }} }} }}"
)


def estimate(schema: GraphQLSchema, text: str, variables: dict[str, Any] | None = None) -> float:
    """With every limit at its default."""
    document = parse(text)
    operation, limits = first_operation(document), DocumentLimits()
    refuse_too_large(document, operation, schema, limits)
    assert validate(schema, document) == []
    coerced = get_variable_values(schema, operation.variable_definitions or (), variables or {})
    assert isinstance(coerced, VariableValues)
    return weigh(document, operation, schema, coerced, limits)["estimated"]


def test_every_list_of_objects_has_a_size(schema: GraphQLSchema) -> None:
    unsized = set()
    for type_ in schema.type_map.values():
        if is_introspection_type(type_) or not (is_object_type(type_) or is_interface_type(type_)):
            continue
        for name, field in type_.fields.items():
            if "[" in str(field.type) and is_composite_type(get_named_type(field.type)):
                unsized |= set() if directive_of(field, ListSize) else {f"{type_.name}.{name}"}

    # A page's own arguments size these two.
    assert unsized == {"ContactConnection.edges", "ContactConnection.nodes"}


def test_sizes_and_weights_name_what_is_there(schema: GraphQLSchema) -> None:
    assert schema.query_type is not None
    size = directive_of(schema.query_type.fields["contacts"], ListSize)

    assert size is not None
    assert (size.slicing_arguments, size.sized_fields) == (["first"], ["edges", "nodes"])
    assert str(schema.query_type.fields["contacts"].args["first"].type) == "Int!"


class TestOrdinaryUse:
    @pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
    def test_every_example_passes(self, example: Path, schema: GraphQLSchema) -> None:
        path = example.with_suffix(".variables.json")
        variables = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

        assert 0 < estimate(schema, example.read_text(encoding="utf-8"), variables) < 200

    @pytest.mark.parametrize("document", README)
    def test_so_does_every_query_of_the_readme(self, document: str, schema: GraphQLSchema) -> None:
        assert 0 < estimate(schema, document) < 200

    def test_so_does_the_largest_page_with_everything(self, schema: GraphQLSchema) -> None:
        assert estimate(schema, LARGEST_PAGE) == 8_045

    def test_so_does_the_introspection_of_tools(self, schema: GraphQLSchema) -> None:
        text = get_introspection_query(
            specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
        )

        assert 1_000 < estimate(schema, text) < 2_000

    def test_a_write_costs_more_than_a_read_and_a_read_more_than_a_value(self, schema: GraphQLSchema) -> None:
        write = estimate(schema, "mutation { createContact(input: {}) { status } }")
        read = estimate(schema, '{ contact(id: "a") { name } }')

        assert write > 5 * read > 5 * estimate(schema, "{ __typename }")


class TestHostile:
    @pytest.mark.parametrize(
        "document",
        {
            "150,000 nodes": "{ "
            + " ".join(
                f"a{one}: contacts(first: 100) {{ nodes {{ records {{ contact {{ {SOURCES} }} emails {{ address }}"
                " phones { number } addresses { city } } } }"
                for one in range(20)
            )
            + " }",
            "the largest page twice": LARGEST_PAGE[:-1] + LARGEST_PAGE[1:].replace("contacts", "again: contacts", 1),
            "the schema in many copies": "{ __schema { types { "
            + " ".join(f"a{one}: fields {{ type {{ fields {{ type {{ name }} }} }} }}" for one in range(40))
            + " } } }",
        }.values(),
        ids=["150,000 nodes", "the largest page twice", "the schema in many copies"],
    )
    def test_it_is_refused_with_its_estimate(self, document: str, schema: GraphQLSchema) -> None:
        with pytest.raises(LimitExceeded) as refused:
            estimate(schema, document)

        told = refused.value.extensions or {}
        assert (told["limit"], told["allowed"]) == ("maxCost", 10_000)
        assert told["measured"] > 10_000


def test_the_directives_are_those_of_the_specification(schema: GraphQLSchema) -> None:
    cost, list_size = schema.get_directive("cost"), schema.get_directive("listSize")

    assert cost is not None
    assert list_size is not None
    assert {one.name for one in cost.locations} == {
        "ARGUMENT_DEFINITION",
        "ENUM",
        "FIELD_DEFINITION",
        "INPUT_FIELD_DEFINITION",
        "OBJECT",
        "SCALAR",
    }
    assert [one.name for one in list_size.locations] == ["FIELD_DEFINITION"]
    assert str(cost.args["weight"].type) == f"{GraphQLString}!"
    assert {name: str(argument.type) for name, argument in list_size.args.items()} == {
        "assumedSize": "Int",
        "slicingArguments": "[String!]",
        "sizedFields": "[String!]",
        "requireOneSlicingArgument": "Boolean",
    }
    assert list_size.args["requireOneSlicingArgument"].default_value is True
