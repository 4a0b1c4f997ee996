"""Objects: the selected fields of one type, executed at the same time, or at the root of a mutation one by one."""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, TypeAlias

from graphql import GraphQLError, GraphQLObjectType
from graphql.execution.executor import invalid_return_type_error

from resolvers.plans.fields import Field, Get
from resolvers.plans.places import Place, to_path
from resolvers.plans.run import Execute, Run, SelectedField, Unfinished, filled, is_awaited
from resolvers.plans.shown import UNSURE, Shown, unsure
from resolvers.plans.strawberry_types import class_of, is_surely
from resolvers.plans.together import Together, together, told_of

# One field: its name in the answer, how its value is got where the source alone tells it, the types of which it is sure
# how their values are shown, and everything else about it.
Step: TypeAlias = tuple[str, Get | None, Shown, Field]
Steps: TypeAlias = tuple[Step, ...]


class ObjectCompletion:
    """Values of one type at one place. `compiled` makes the steps when the first one comes, or None when they have to
    go the ordinary way."""

    __slots__ = ("_compiled", "_execute", "_selected", "_sure", "_type")

    def __init__(self, selected: SelectedField, type_: GraphQLObjectType, compiled: Callable[[], Steps | None]) -> None:
        self._selected = selected
        self._type = type_
        self._compiled = compiled
        self._execute: Execute | None = None
        self._sure = class_of(type_) if type_.is_type_of else None

    def complete(self, run: Run, value: Any, place: Place) -> Any:
        is_type_of = self._type.is_type_of
        if is_type_of and not is_surely(self._sure, value):
            held = is_type_of(value, run.info(self._selected, place))
            if is_awaited(held):
                return self._fields_if(run, value, place, held)
            if not held:
                raise self._wrong(value)
        return (self._execute or self._compile())(run, value, place)

    def _compile(self) -> Execute:
        steps = self._compiled()
        execute = _ordinarily(self._selected, self._type) if steps is None else executing(self._type.name, steps)
        self._execute = execute
        return execute

    async def _fields_if(self, run: Run, value: Any, place: Place, held: Awaitable[bool]) -> Any:
        if not await held:
            raise self._wrong(value)
        results = (self._execute or self._compile())(run, value, place)
        return await results if type(results) is Unfinished else results

    def _wrong(self, value: Any) -> GraphQLError:
        return invalid_return_type_error(self._type, value, self._selected.details)


def executing(type_name: str, steps: Steps) -> Execute:
    """All at the same time."""
    read_together, with_places, each_by_itself = _places(steps)

    def execute(run: Run, source: Any, above: Place | None) -> Any:
        results: dict[str, Any] = {}
        waiting: list[str] = []
        values = read_together.values(source) if read_together else None
        try:
            for key, shown, field, place in each_by_itself if values is None else with_places:
                if place is None or values is None:
                    value = field.begin(run, source, (above, key, type_name))
                else:
                    value = values[place]
                    show = shown.get(type(value), unsure)
                    if show is not None:
                        sure = show(value)
                        value = field.finish(run, value, (above, key, type_name)) if sure is UNSURE else sure
                results[key] = value
                if type(value) is Unfinished:
                    waiting.append(key)
        except Exception:
            run.settle([results[key] for key in waiting])
            raise
        return filled(results, waiting) if waiting else results

    return execute


_Placed: TypeAlias = tuple[tuple[str, Shown, Field, int | None], ...]


def _places(steps: Steps) -> tuple[Together | None, _Placed, _Placed]:
    """What is read in one go, each step with its place therein, and each step for itself."""
    reading = together([get for _, get, _, _ in steps])
    fields, places = (reading.fields if reading else ()), count()
    each_by_itself = tuple((key, shown, field, None) for key, _, shown, field in steps)
    with_places = tuple(
        (key, shown, field, next(places) if told_of(get) in fields else None) for key, get, shown, field in steps
    )
    return reading, with_places, each_by_itself


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
