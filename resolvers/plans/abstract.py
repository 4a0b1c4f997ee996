"""Interfaces and unions: each value is completed as the type that it turns out to be."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from graphql import GraphQLAbstractType, GraphQLObjectType
from strawberry.types.cast import get_strawberry_type_cast

from resolvers.plans.places import Place
from resolvers.plans.run import Complete, Run, SelectedField, Unfinished, is_awaited


class AbstractCompletion:
    """`completing` makes the completion of one of the possible types."""

    __slots__ = ("_by_class", "_compiled", "_completing", "_selected", "_type")

    def __init__(
        self,
        selected: SelectedField,
        type_: GraphQLAbstractType,
        by_class: Mapping[type, GraphQLObjectType],
        completing: Callable[[GraphQLObjectType], Complete],
    ) -> None:
        self._selected = selected
        self._type = type_
        self._by_class = by_class
        self._completing = completing
        self._compiled: dict[str, Complete] = {}

    def complete(self, run: Run, value: Any, place: Place) -> Any:
        known = self._by_class.get(type(value))
        if known is not None and get_strawberry_type_cast(value) is None:
            return self._complete_as(known, run, value, place)
        info = run.info(self._selected, place)
        name = (self._type.resolve_type or run.executor.type_resolver)(value, info, self._type)
        if is_awaited(name):
            return self._complete_later(run, value, place, info, name)
        return self._complete_as(self._named(run, name, value, info), run, value, place)

    async def _complete_later(self, run: Run, value: Any, place: Place, info: Any, name: Awaitable[Any]) -> Any:
        completed = self._complete_as(self._named(run, await name, value, info), run, value, place)
        return await completed if type(completed) is Unfinished else completed

    def _named(self, run: Run, name: Any, value: Any, info: Any) -> GraphQLObjectType:
        return run.executor.ensure_valid_runtime_type(name, self._type, self._selected.details, info, value)

    def _complete_as(self, actual: GraphQLObjectType, run: Run, value: Any, place: Place) -> Any:
        complete = self._compiled.get(actual.name)
        if complete is None:
            complete = self._compiled[actual.name] = self._completing(actual)
        return complete(run, value, place)
