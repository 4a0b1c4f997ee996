"""The published schema is the binding sketch, and everything in it is described for the API's user."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_client_schema,
    build_schema,
    get_introspection_query,
    is_introspection_type,
    is_specified_scalar_type,
)
from graphql.utilities.print_schema import print_input_value

from tests.conftest import Gateway

PUBLISHED = build_schema((Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8"))
SKETCH = build_schema((Path(__file__).parent / "sketch.graphql").read_text(encoding="utf-8"))


def own_types(schema: GraphQLSchema) -> dict[str, GraphQLNamedType]:
    return {
        name: type_
        for name, type_ in schema.type_map.items()
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
    }


def outline(type_: GraphQLNamedType) -> dict[str, Any]:
    """Everything that a client depends on, descriptions left out."""
    told: dict[str, Any] = {"kind": type(type_).__name__}
    match type_:
        case GraphQLScalarType():
            told["specified by"] = type_.specified_by_url
        case GraphQLEnumType():
            told["values"] = set(type_.values)
        case GraphQLInputObjectType():
            told["one of"] = type_.is_one_of
            told["fields"] = {print_input_value(name, field) for name, field in type_.fields.items()}
        case GraphQLObjectType() | GraphQLInterfaceType():
            told["implements"] = {interface.name for interface in type_.interfaces}
            told["fields"] = {
                name: (
                    str(field.type),
                    {print_input_value(argument_name, argument) for argument_name, argument in field.args.items()},
                )
                for name, field in type_.fields.items()
            }
    return told


def test_the_schema_has_the_types_of_the_sketch_and_no_others() -> None:
    assert set(own_types(PUBLISHED)) == set(own_types(SKETCH))


def test_beyond_the_sketch_stand_directives_for_costs_and_for_parts_and_no_others() -> None:
    """docs/adr/0009 and 0012: they change nothing for a client that does not use them."""
    beyond = {"cost", "listSize", "defer", "stream"}
    assert {one.name for one in PUBLISHED.directives} - {one.name for one in SKETCH.directives} == beyond


@pytest.mark.parametrize("name", sorted(own_types(SKETCH)))
def test_a_type_is_as_the_sketch_says(name: str) -> None:
    assert outline(own_types(PUBLISHED)[name]) == outline(own_types(SKETCH)[name])


def everything_that_can_be_described() -> Iterator[tuple[str, str | None]]:
    for name, type_ in own_types(PUBLISHED).items():
        yield name, type_.description
        if isinstance(type_, GraphQLEnumType):
            yield from ((f"{name}.{value}", one.description) for value, one in type_.values.items())
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field_name, field in type_.fields.items():
                yield f"{name}.{field_name}", field.description
                for argument_name, argument in getattr(field, "args", {}).items():
                    yield f"{name}.{field_name}({argument_name}:)", argument.description


def test_everything_has_a_description_that_is_a_sentence() -> None:
    described = dict(everything_that_can_be_described())

    assert len(described) > 200
    wrong = {
        name: text
        for name, text in described.items()
        if not text or not text.strip().endswith(".") or not (text[0].isupper() or text[0] == "`")
    }
    assert wrong == {}


def test_nothing_deprecated_is_published_in_the_first_stage() -> None:
    fields = [
        f"{name}.{field_name}"
        for name, type_ in own_types(PUBLISHED).items()
        for field_name, field in getattr(type_, "fields", {}).items()
        if field.deprecation_reason
    ]

    assert fields == []


def test_the_schema_that_is_served_is_the_one_that_is_published(gateway: Gateway) -> None:
    query = get_introspection_query(input_value_deprecation=True, specified_by_url=True)

    served = build_client_schema(gateway.data(query))  # type: ignore[arg-type]  # a dict, not the typed one

    def outlines(schema: GraphQLSchema) -> dict[str, dict[str, Any]]:
        # The query that graphql-core makes does not ask whether an input takes one of its fields only.
        return {name: {**outline(type_), "one of": None} for name, type_ in own_types(schema).items()}

    assert outlines(served) == outlines(PUBLISHED)


@pytest.mark.parametrize(
    ("name", "is_one_of"), [("TagsPatch", True), ("CustomFieldsPatch", True), ("EmailInput", False)]
)
def test_an_input_that_takes_one_field_only_says_so(gateway: Gateway, name: str, is_one_of: bool) -> None:
    query = "query($name: String!) { __type(name: $name) { isOneOf } }"

    assert gateway.data(query, name=name) == {"__type": {"isOneOf": is_one_of}}


def test_every_type_name_can_be_asked_for(gateway: Gateway) -> None:
    assert gateway.data('{ __typename __type(name: "Contact") { kind name } }') == {
        "__typename": "Query",
        "__type": {"kind": "OBJECT", "name": "Contact"},
    }
