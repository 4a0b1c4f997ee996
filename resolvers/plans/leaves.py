"""Leaves: scalars and enums, coerced by their types; the types that need no coercion are known beforehand."""

from typing import Any

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.execution import Executor
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.enum import StrawberryEnumDefinition

from resolvers.plans.places import Place
from resolvers.plans.run import Complete, Run, is_awaited
from resolvers.plans.shown import Shown, surely_shown

# Values of exactly these types are what the scalar makes of them; subclasses may say something else.
_AS_THEY_ARE = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}


def shown_by(type_: GraphQLLeafType) -> Shown:
    """The types of values of which it is sure what a leaf type makes of them."""
    if isinstance(type_, GraphQLEnumType):
        return {kind: names.__getitem__ for kind, names in _names(type_).items()}
    exact = next((python for known, python in _AS_THEY_ARE.items() if known is type_), None)
    return {exact: None} if exact else surely_shown(type_.coerce_output_value)


def completing_leaf(type_: GraphQLLeafType) -> Complete:
    if type_ is GraphQLInt:
        return _complete_int
    if isinstance(type_, GraphQLEnumType):
        return _completing_enum(type_)
    return _coercing(type_)


def _coercing(type_: GraphQLLeafType) -> Complete:
    coerce, coerce_value = Executor.complete_leaf_value, type_.coerce_output_value

    def complete(_run: Run, value: Any, _place: Place) -> Any:
        coerced = coerce_value(value)
        if type(coerced) is str:
            return coerced
        # It is made once more, so that the executor says what is wrong with it.
        if coerced is None or coerced is Undefined:
            coerced = coerce(type_, value)
        return _awaited(coerced) if is_awaited(coerced) else coerced

    return complete


async def _awaited(value: Any) -> Any:
    return await value


_coerce_int = _coercing(GraphQLInt)


def _complete_int(run: Run, value: Any, place: Place) -> Any:
    if type(value) is int and GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT:
        return value
    return _coerce_int(run, value, place)


def _completing_enum(type_: GraphQLEnumType) -> Complete:
    coerce, names = _coercing(type_), _names(type_)

    def complete(run: Run, value: Any, place: Place) -> Any:
        # By class first: a member may be equal to what is no member.
        known = names.get(type(value))
        name = known.get(value) if known else None
        return name if name is not None else coerce(run, value, place)

    return complete


def _names(type_: GraphQLEnumType) -> dict[type, dict[Any, str]]:
    """What the type makes of each member of the Python enum that it was made of."""
    definition = type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(definition, StrawberryEnumDefinition):
        return {}
    members: Any = definition.wrapped_cls
    return {members: {member: type_.coerce_output_value(member) for member in members}}
