"""How a value of an input type is coerced: found out once for each type, where graphql-core does so for each value.

What comes out is what graphql-core makes of the same value. Whatever is not as it usually is (one item in the place of
a list, something wrong) is not coerced here at all.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeAlias

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLNamedInputType,
    GraphQLString,
    Undefined,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)
from graphql.language.parser import MAX_NESTING_DEPTH
from graphql.utilities import coerce_input_value
from graphql.utilities.coerce_input_value import coerce_default_value

Coerce: TypeAlias = Callable[[Any], Any]
"""The coerced value, or Undefined where graphql-core has to be asked."""

# Values of exactly these types are what the scalar makes of them.
_PLAIN: Final[dict[Any, type]] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
# Types of one schema, or of a few.
_KEPT_TYPES = 256


def coercing(type_: GraphQLInputType) -> Coerce:
    """For variables of this type."""
    # Whether a value of a type that holds itself nests too deep depends on the value.
    return _ask if _depth(type_, ()) > MAX_NESTING_DEPTH else _of(type_)


def _ask(_: Any) -> Any:
    return Undefined


def _depth(type_: Any, above: tuple[Any, ...]) -> int:
    """How many levels of lists and objects a value can have, as graphql-core counts them."""
    if is_non_null_type(type_):
        return _depth(type_.of_type, above)
    if is_list_type(type_):
        return 1 + _depth(type_.of_type, above)
    if not is_input_object_type(type_):
        return 0
    if type_ in above:
        return MAX_NESTING_DEPTH + 1
    return 1 + max((_depth(field.type, (*above, type_)) for field in type_.fields.values()), default=0)


def _of(type_: Any) -> Coerce:
    required = is_non_null_type(type_)
    inner = type_.of_type if required else type_
    coerce = _each(_of(inner.of_type)) if is_list_type(inner) else _of_named(inner)
    null = Undefined if required else None
    return lambda value: null if value is None else coerce(value)


def _each(coerce: Coerce) -> Coerce:
    def each(value: Any) -> Any:
        if type(value) is not list:
            return Undefined
        items = [coerce(item) for item in value]
        return Undefined if any(item is Undefined for item in items) else items

    return each


@lru_cache(maxsize=_KEPT_TYPES)
def _of_named(type_: GraphQLNamedInputType) -> Coerce:
    """For values that are not null."""
    if is_input_object_type(type_):
        # Of what may hold only one field there is never much.
        return (lambda value: coerce_input_value(value, type_)) if type_.is_one_of else _object(type_)
    if is_enum_type(type_):
        return _member(type_)
    if type_ is GraphQLInt:
        return _whole_number
    if type_ in _PLAIN:
        kind = _PLAIN[type_]
        return lambda value: value if type(value) is kind else Undefined
    return lambda value: coerce_input_value(value, type_)


def _whole_number(value: Any) -> Any:
    return value if type(value) is int and GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT else Undefined


def _member(type_: GraphQLEnumType) -> Coerce:
    members = {name: coerce_input_value(name, type_) for name in type_.values}
    return lambda value: members.get(value, Undefined) if type(value) is str else Undefined


def _object(type_: GraphQLInputObjectType) -> Coerce:
    """In the order of the type's fields. A default is the same object for every value in graphql-core, too."""
    fields = tuple(
        (
            name,
            field.out_name or name,
            _of(field.type),
            None if is_required_input_field(field) else (coerce_default_value(field),),
        )
        for name, field in type_.fields.items()
    )
    made = type_.out_type

    def coerced(value: Any) -> Any:
        if type(value) is not dict:
            return Undefined
        found: dict[str, Any] = {}
        left = len(value)
        for name, called, coerce, default in fields:
            if name in value:
                left -= 1
                item = coerce(value[name])
                if item is Undefined:
                    return Undefined
                found[called] = item
            elif default is None:
                return Undefined
            elif default[0] is not Undefined:
                found[called] = default[0]
        # Else there is one that the type does not have.
        return Undefined if left else made(found)

    return coerced
