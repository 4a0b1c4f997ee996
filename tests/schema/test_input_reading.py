"""Values of input types are built as Strawberry would have built them."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLSchema, is_list_type, is_non_null_type
from graphql.type import GraphQLEnumType
from hypothesis import given
from hypothesis import strategies as st
from strawberry.types.arguments import convert_argument
from strawberry.types.base import get_object_definition

from resolvers import inputs
from resolvers.inputs import CreateContactInput, UpdateContactInput
from resolvers.schema import build_schema

READ_AT_ONCE = [
    one for one in vars(inputs).values() if isinstance(one, type) and get_object_definition(one) is not None
]


BUILT = build_schema()
SCHEMA: GraphQLSchema = BUILT._schema


def values_of(type_: Any) -> st.SearchStrategy[Any]:
    """What graphql-core hands on for a type: everything that a client may send, coerced."""
    if is_non_null_type(type_):
        return values_of(type_.of_type).filter(lambda value: value is not None)
    if is_list_type(type_):
        return st.none() | st.lists(values_of(type_.of_type), max_size=2)
    if isinstance(type_, GraphQLInputObjectType):
        needed = {name: values_of(one.type) for name, one in type_.fields.items() if is_non_null_type(one.type)}
        others = {name: values_of(one.type) for name, one in type_.fields.items() if name not in needed}
        return st.none() | st.fixed_dictionaries(needed, optional=others)
    if isinstance(type_, GraphQLEnumType):
        return st.none() | st.sampled_from([value.value for value in type_.values.values()])
    samples = {"Boolean": st.booleans(), "Int": st.integers(0, 9), "JSON": st.sampled_from([{"a": None}, [1], "x"])}
    return st.none() | samples.get(type_.name, st.sampled_from(["", "x"]))


def at_once(value: Any, type_: type) -> Any:
    return convert_argument(value, type_, BUILT.schema_converter.scalar_registry, BUILT.config)


def by_strawberry(value: Any, type_: type) -> Any:
    with pytest.MonkeyPatch.context() as patched:
        for one in READ_AT_ONCE:
            patched.setattr(get_object_definition(one, strict=True), "from_input", None)
        return convert_argument(value, type_, BUILT.schema_converter.scalar_registry, BUILT.config)


@pytest.mark.parametrize("type_", [CreateContactInput, UpdateContactInput])
@given(data=st.data())
def test_every_value_is_read_alike(type_: type, data: st.DataObject) -> None:
    value = data.draw(values_of(SCHEMA.type_map[type_.__name__]).filter(lambda one: one is not None))
    # Its text too, which shows the types of all that is in it.
    read, told = (one(value, type_) for one in (at_once, by_strawberry))
    assert (read, repr(read)) == (told, repr(told))


def test_every_input_of_a_contact_is_read_that_way() -> None:
    read_at_once = [one for one in READ_AT_ONCE if get_object_definition(one, strict=True).from_input]
    # Whose fields the two inputs share; it is no type of the schema.
    assert {one.__name__ for one in READ_AT_ONCE} - {one.__name__ for one in read_at_once} == {"_ContactInput"}
    assert {"CreateContactInput", "UpdateContactInput", "EmailInput"} <= {one.__name__ for one in read_at_once}


def test_what_is_read_is_of_one_request_alone() -> None:
    sent = {"tags": ["a"], "emails": [{"address": "ines@aalto.test"}]}
    first = at_once(sent, CreateContactInput)
    first.tags.value.append("b")
    first.emails.value[0].address = ""
    assert sent == {"tags": ["a"], "emails": [{"address": "ines@aalto.test"}]}
    assert at_once(sent, CreateContactInput) == by_strawberry(sent, CreateContactInput) != first
