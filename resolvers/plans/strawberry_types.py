"""What Strawberry's own definitions tell of a schema: which fields the object alone tells, and which class is a type.

Everything that they do not surely tell is left to the schema's own functions.
"""

import inspect
from collections.abc import Iterable
from typing import Any

from graphql import GraphQLAbstractType, GraphQLField, GraphQLObjectType, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from resolvers.plans.fields import Get
from resolvers.plans.together import AttributeOf

_BACKREF = GraphQLCoreConverter.DEFINITION_BACKREF


def getter(schema: GraphQLSchema, definition: GraphQLField) -> Get | None:
    """How to get a field's value from the object alone, past Strawberry's wrapper: an attribute, or a resolver that
    takes nothing else. None where the wrapper may do more than that."""
    field = plain_field(schema, definition)
    if field is None:
        return None
    if field.base_resolver is not None:
        return _resolver_of_the_object(field.base_resolver)
    return AttributeOf(field.python_name) if field.default_resolver is getattr and not definition.args else None


def plain_field(schema: GraphQLSchema, definition: GraphQLField) -> StrawberryField | None:
    """Of a field around whose resolver nothing stands but Strawberry's wrapper."""
    field = definition.extensions.get(_BACKREF)
    if not isinstance(field, StrawberryField) or not _is_plain(field) or _handles_exceptions(schema):
        return None
    return field


def _is_plain(field: StrawberryField) -> bool:
    own_way = type(field).get_result is not StrawberryField.get_result
    return not (field.extensions or field.permission_classes or field.is_subscription or own_way)


def _handles_exceptions(schema: GraphQLSchema) -> bool:
    """Whether Strawberry makes exceptions values. Its own Info leads from the one schema to the other the same way."""
    strawberry_schema: Any = getattr(schema, "_strawberry_schema", None)
    return strawberry_schema is None or bool(strawberry_schema.schema_converter.exception_handlers)


def _resolver_of_the_object(resolver: StrawberryResolver[Any]) -> Get | None:
    function = resolver.wrapped_func
    if not inspect.isfunction(function) or inspect.isasyncgenfunction(function) or resolver.arguments:
        return None
    taken = list(resolver.signature.parameters.values())
    if not taken:
        return lambda _source: function()
    (only, *more) = taken
    by_place = only.kind in (only.POSITIONAL_ONLY, only.POSITIONAL_OR_KEYWORD)
    is_the_object = only in (resolver.self_parameter, resolver.root_parameter, resolver.parent_parameter)
    return function if by_place and is_the_object and not more else None


def types_by_class(type_: GraphQLAbstractType, possible: Iterable[GraphQLObjectType]) -> dict[type, GraphQLObjectType]:
    """The types of an interface by the classes that they were made of, where Strawberry itself tells them by these. It
    does not hold for a value that was cast."""
    interface = type_.extensions.get(_BACKREF)
    if not isinstance(interface, StrawberryObjectDefinition) or interface.resolve_type is not None:
        return {}
    by_class = {class_of(one): one for one in possible}
    return {made_of: one for made_of, one in by_class.items() if made_of and issubclass(made_of, interface.origin)}


def class_of(type_: GraphQLObjectType) -> type | None:
    """The class whose instances are of this type by Strawberry's rules alone."""
    definition = type_.extensions.get(_BACKREF)
    if not isinstance(definition, StrawberryObjectDefinition) or definition.is_type_of is not None:
        return None
    # One class stands for several types, or for one by another name.
    if definition.is_graphql_generic or definition.concrete_of is not None or definition.name != type_.name:
        return None
    return definition.origin
