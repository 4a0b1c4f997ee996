"""Lists: each item at its own position."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from graphql import GraphQLError, GraphQLOutputType
from graphql.pyutils import is_iterable

from resolvers.plans.places import Place, to_path
from resolvers.plans.positions import Position
from resolvers.plans.run import Complete, Run, SelectedField, Unfinished, filled, is_awaited
from resolvers.plans.shown import UNSURE, unsure


def completing_list(selected: SelectedField, item_type: GraphQLOutputType, items: Position) -> Complete:
    """`items` is where each item stands."""
    shown, finish = items.shown, items.finish

    def complete(run: Run, value: Any, place: Place) -> Any:
        if type(value) is not list and type(value) is not tuple:
            if run.executor.is_async_iterable(value):
                return _one_after_another(run, selected, item_type, value, place)
            if not is_iterable(value):
                raise GraphQLError(f"Expected Iterable, but did not find one for field '{selected}'.")
        results: list[Any] = []
        waiting: list[int] = []
        iterator = iter(value)
        try:
            for item in iterator:
                show = shown.get(type(item), unsure)
                result = item if show is None else show(item)
                if result is UNSURE:
                    result = finish(run, item, (place, len(results), None))
                    if type(result) is Unfinished:
                        waiting.append(len(results))
                results.append(result)
        except Exception:
            run.settle([*(results[index] for index in waiting), *_left_over(iterator)])
            raise
        return filled(results, waiting) if waiting else results

    return complete


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
