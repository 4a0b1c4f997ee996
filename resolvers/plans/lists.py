"""Lists: each item at its own position."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from graphql import GraphQLError, GraphQLOutputType
from graphql.pyutils import is_iterable

from resolvers.plans.places import Place, to_path
from resolvers.plans.positions import Position
from resolvers.plans.run import Run, SelectedField, Unfinished, filled, is_awaited
from resolvers.plans.shown import UNSURE, Learning
from resolvers.plans.together import ToldList


class ListCompletion:
    """`items` is where each item stands. `shown_by` has the `show` of lists that are surely shown."""

    __slots__ = ("_as_they_are", "_finish", "_item_type", "_objects", "_selected", "shown_by")

    def __init__(self, selected: SelectedField, item_type: GraphQLOutputType, items: Position) -> None:
        self._selected = selected
        self._item_type = item_type
        self._finish = items.finish
        self._objects = items.objects
        self._as_they_are = items.as_they_are
        self.shown_by: Learning = items.objects or self

    def show(self, value: Any) -> Any:
        """What is shown of leaves that are shown as they are; UNSURE of others."""
        return list(value) if self._as_they_are and self._as_they_are.issuperset(map(type, value)) else UNSURE

    def complete(self, run: Run, value: Any, place: Place) -> Any:
        if type(value) is list or type(value) is tuple:
            if (sure := self.shown_by.show(value)) is not UNSURE:
                return sure
        elif self._objects is not None and issubclass(type(value), ToldList):
            if (sure := self._objects.told(value)) is not UNSURE:
                return sure
        elif run.executor.is_async_iterable(value):
            return _one_after_another(run, self._selected, self._item_type, value, place)
        elif not is_iterable(value):
            raise GraphQLError(f"Expected Iterable, but did not find one for field '{self._selected}'.")
        return self._each(run, iter(value), place)

    def _each(self, run: Run, iterator: Iterator[Any], place: Place) -> Any:
        results: list[Any] = []
        waiting: list[int] = []
        finish = self._finish
        try:
            for item in iterator:
                result = finish(run, item, (place, len(results), None))
                if type(result) is Unfinished:
                    waiting.append(len(results))
                results.append(result)
        except Exception:
            run.settle([*(results[index] for index in waiting), *_left_over(iterator)])
            raise
        return filled(results, waiting) if waiting else results


def _left_over(iterator: Iterator[Any]) -> list[Any]:
    """What nobody will await any more; an iterator that breaks on the way to it has no more."""
    found: list[Any] = []
    with suppress(Exception):
        found.extend(item for item in iterator if is_awaited(item))
    return found


def _one_after_another(
    run: Run, selected: SelectedField, item_type: GraphQLOutputType, value: Any, place: Place
) -> Any:
    """No list of an answer that is told whole comes so here, so its items are executed the ordinary way."""
    info, path = run.info(selected, place), to_path(place)
    return run.executor.complete_async_iterator_value(item_type, selected.details, info, path, value.__aiter__(), None)
