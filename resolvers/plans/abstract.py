"""Interfaces and unions: each value is completed as the type that it turns out to be."""

from collections.abc import Callable
from typing import Any

from graphql import GraphQLAbstractType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from strawberry.types.cast import get_strawberry_type_cast

from resolvers.plans.places import Place
from resolvers.plans.run import Complete, Run, SelectedField, Unfinished, is_awaited
from resolvers.plans.strawberry_types import types_by_class


def completing_abstract(
    schema: GraphQLSchema,
    selected: SelectedField,
    type_: GraphQLAbstractType,
    completing: Callable[[GraphQLObjectType], Complete],
) -> Complete:
    """`completing` makes the completion of one of the possible types."""
    compiled: dict[GraphQLObjectType, Complete] = {}
    possible = schema.get_possible_types(type_)
    by_class = types_by_class(type_, possible) if isinstance(type_, GraphQLInterfaceType) else {}

    def complete_as(actual: GraphQLObjectType, run: Run, value: Any, place: Place) -> Any:
        complete_object = compiled.get(actual)
        if complete_object is None:
            complete_object = compiled[actual] = completing(actual)
        return complete_object(run, value, place)

    def named(run: Run, name: Any, value: Any, info: Any) -> GraphQLObjectType:
        return run.executor.ensure_valid_runtime_type(name, type_, selected.details, info, value)

    async def complete_later(run: Run, value: Any, place: Place, info: Any, name: Any) -> Any:
        completed = complete_as(named(run, await name, value, info), run, value, place)
        return await completed if type(completed) is Unfinished else completed

    def complete(run: Run, value: Any, place: Place) -> Any:
        known = by_class.get(type(value))
        if known is not None and get_strawberry_type_cast(value) is None:
            return complete_as(known, run, value, place)
        info = run.info(selected, place)
        name = (type_.resolve_type or run.executor.type_resolver)(value, info, type_)
        if is_awaited(name):
            return complete_later(run, value, place, info, name)
        return complete_as(named(run, name, value, info), run, value, place)

    return complete
