"""Which resolvers are called past Strawberry's wrapper: those for whom it does nothing but hand everything on."""

import inspect
from functools import partial
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLSchema,
    Undefined,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
)
from strawberry.relay import GlobalID
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryOptional
from strawberry.types.fields.resolver import StrawberryResolver

from resolvers.input_reading import Read, reading
from resolvers.plans.plain_resolver import PlainResolver
from resolvers.plans.strawberry_types import plain_field


def plain_resolver(schema: GraphQLSchema, definition: GraphQLField) -> PlainResolver | None:
    """None where Strawberry's wrapper does more, or where the call itself could fail: of an asynchronous resolver its
    wrapper tells that only when it is awaited."""
    field = plain_field(schema, definition)
    resolver = None if field is None else field.base_resolver
    if resolver is None or not inspect.isfunction(resolver.wrapped_func):
        return None
    # Its own Info leads from the one schema to the other the same way.
    converter: Any = getattr(schema, "_strawberry_schema").schema_converter  # noqa: B009 (mypy knows no such attribute)
    taken = _taken(definition, resolver, converter.config)
    if taken is None:
        return None
    names, reads = taken
    objects = [one.name for one in (resolver.self_parameter, resolver.root_parameter, resolver.parent_parameter) if one]
    info = resolver.info_parameter.name if resolver.info_parameter else None
    filled = {*objects, *([info] if info else []), *names.values()}
    if len(objects) > 1 or not _takes_by_name(resolver, filled):
        return None
    made_info = partial(converter.config.info_class, _field=field)
    return PlainResolver(resolver.wrapped_func, names, reads, objects[0] if objects else None, info, made_info)


def _taken(
    definition: GraphQLField, resolver: StrawberryResolver[Any], config: StrawberryConfig
) -> tuple[dict[str, str], dict[str, Read]] | None:
    """The names that the resolver has for the arguments, and how those are read that are not handed on as they are.
    None where that is not known of one, or one may be missing though the function needs it."""
    names: dict[str, str] = {}
    reads: dict[str, Read] = {}
    for name, argument in definition.args.items():
        known = argument.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if not isinstance(known, StrawberryArgument) or argument.out_name:
            return None
        if not _is_handed_on(known, argument):
            if (read := reading(known.type, config)) is None:
                return None
            reads[known.python_name] = read
        parameter = resolver.signature.parameters.get(known.python_name)
        if parameter is None or (parameter.default is parameter.empty and not _comes(argument)):
            return None
        names[name] = known.python_name
    return names, reads


def _comes(argument: GraphQLArgument) -> bool:
    return is_required_argument(argument) or argument.default is not None or argument.default_value is not Undefined


def _is_handed_on(known: StrawberryArgument, argument: GraphQLArgument) -> bool:
    """A leaf, but for the one of which Strawberry makes an object; lists are copied and inputs made."""
    type_ = known.type.of_type if type(known.type) is StrawberryOptional else known.type
    return is_leaf_type(get_nullable_type(argument.type)) and not (
        isinstance(type_, StrawberryOptional) or type_ is GlobalID
    )


def _takes_by_name(resolver: StrawberryResolver[Any], filled: set[str]) -> bool:
    """Whether these are all that it takes."""
    parameters = resolver.signature.parameters
    by_name = all(one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) for one in parameters.values())
    return by_name and filled == set(parameters)
