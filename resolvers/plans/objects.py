"""Objects: the selected fields of one type, executed at the same time, or at the root of a mutation one by one."""

from collections.abc import Awaitable, Callable
from typing import Any

from graphql import GraphQLError, GraphQLObjectType
from graphql.execution.executor import invalid_return_type_error
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

from resolvers.plans.places import Place, to_path
from resolvers.plans.rows import Rows, Steps
from resolvers.plans.run import Execute, Run, SelectedField, Unfinished, filled, is_awaited
from resolvers.plans.shown import UNSURE, unsure
from resolvers.plans.strawberry_types import class_of
from resolvers.plans.together import ToldList


class ObjectCompletion:
    """Values of one type at one place. `compiled` makes the steps when the first one comes, or None when they have to
    go the ordinary way.

    `show` is the list of the answers of several objects which tell themselves what is shown of them; of others, and
    until the first one has come, it is UNSURE."""

    __slots__ = ("_compiled", "_execute", "_rows", "_selected", "_sure", "_type", "show")

    def __init__(self, selected: SelectedField, type_: GraphQLObjectType, compiled: Callable[[], Steps | None]) -> None:
        self._selected = selected
        self._type = type_
        self._compiled = compiled
        self._execute: Execute | None = None
        self._rows: Rows | None = None
        self.show: Callable[[Any], Any] = unsure
        self._sure = class_of(type_) if type_.is_type_of else None

    def complete(self, run: Run, value: Any, place: Place) -> Any:
        is_type_of = self._type.is_type_of
        if is_type_of and (type(value) is not self._sure or getattr(value, TYPE_CAST_ATTRIBUTE, None) is not None):
            held = is_type_of(value, run.info(self._selected, place))
            if is_awaited(held):
                return self._fields_if(run, value, place, held)
            if not held:
                raise self._wrong(value)
        return (self._execute or self._compile())(run, value, place)

    def _compile(self) -> Execute:
        steps = self._compiled()
        if steps is None:
            self._execute = _ordinarily(self._selected, self._type)
            return self._execute
        rows = self._rows = Rows(steps)
        # Not where a function has to say of each whether it is of this type.
        if not self._type.is_type_of:
            self.show = rows.read_each
        self._execute = executing(self._type.name, rows)
        return self._execute

    def told(self, objects: ToldList) -> Any:
        """The list of their answers, where others tell all of them; else UNSURE."""
        if self._rows is None or self._rows.together.tells_itself:
            return UNSURE
        tellers = objects.tellers(self._rows.together.whats)
        return UNSURE if tellers is None else self._rows.read_each(tellers, set(map(type, tellers)))

    async def _fields_if(self, run: Run, value: Any, place: Place, held: Awaitable[bool]) -> Any:
        if not await held:
            raise self._wrong(value)
        results = (self._execute or self._compile())(run, value, place)
        return await results if type(results) is Unfinished else results

    def _wrong(self, value: Any) -> GraphQLError:
        return invalid_return_type_error(self._type, value, self._selected.details)


def executing(type_name: str, rows: Rows) -> Execute:
    """All at the same time."""
    read, ways, by_itself = rows.read, rows.ways, rows.by_itself
    plain, tell, whats = rows.together.plain, rows.together.tell, rows.together.whats

    def execute(run: Run, source: Any, above: Place | None) -> Any:
        told = source if type(source) in plain else tell(source, whats)
        results: dict[str, Any]
        results, left = ({}, by_itself) if told is None else read(told)
        waiting: list[str] = []
        try:
            for number in left:
                key, field, was_read = ways[number]
                if was_read:
                    value = field.finish(run, results[key], (above, key, type_name))
                else:
                    value = field.begin(run, source, (above, key, type_name))
                results[key] = value
                if type(value) is Unfinished:
                    waiting.append(key)
        except Exception:
            run.settle([results[key] for key in waiting])
            raise
        return filled(results, waiting) if waiting else results

    return execute


def executing_serially(type_name: str, steps: Steps) -> Execute:
    """One by one."""

    def execute(run: Run, source: Any, above: Place | None) -> Any:
        results: dict[str, Any] = {}
        for number, (key, _get, _shown, field) in enumerate(steps):
            value = field.begin(run, source, (above, key, type_name))
            if type(value) is Unfinished:
                return going_on(run, source, above, results, number, value)
            results[key] = value
        return results

    async def going_on(
        run: Run, source: Any, above: Place | None, results: dict[str, Any], number: int, value: Any
    ) -> dict[str, Any]:
        results[steps[number][0]] = await value
        for key, _get, _shown, field in steps[number + 1 :]:
            begun = field.begin(run, source, (above, key, type_name))
            results[key] = await begun if type(begun) is Unfinished else begun
        return results

    return execute


def _ordinarily(selected: SelectedField, type_: GraphQLObjectType) -> Execute:
    details = selected.details

    def execute(run: Run, value: Any, place: Place | None) -> Any:
        assert place is not None, "the root is never told ordinarily"
        return run.executor.collect_and_execute_subfields(type_, details, to_path(place), value, None)

    return execute
