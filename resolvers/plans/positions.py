"""Positions: where a value stands that may turn out null, which is a field or an item of a list.

GraphQL specification, section 6.4.4: an error makes its position null, or, where null may not stand, goes on to the
next position above.
"""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from graphql import Undefined

from resolvers.plans.places import Place
from resolvers.plans.run import PLAIN, Complete, Run, SelectedField, Unfinished, is_awaited
from resolvers.plans.shown import Shown

if TYPE_CHECKING:
    from resolvers.plans.objects import ObjectCompletion


class Position:
    """`required`: null may not stand here. `as_they_are`: the types of values that are shown so, and need no `finish`.
    `objects` are those of one type, where only such stand here."""

    __slots__ = ("_complete", "_required", "_selected", "as_they_are", "objects", "shown")

    def __init__(
        self,
        selected: SelectedField,
        complete: Complete,
        *,
        required: bool,
        shown: Shown,
        objects: "ObjectCompletion | None" = None,
    ) -> None:
        self._selected = selected
        self._complete = complete
        self._required = required
        self.shown = shown
        self.as_they_are = frozenset(kind for kind, show in shown.items() if show is None)
        self.objects = objects

    def finish(self, run: Run, value: Any, place: Place) -> Any:
        """What the answer shows of a value, or a coroutine that comes to it.

        Raises:
            GraphQLError: located, when it is null here and may not be.
        """
        try:
            if type(value) not in PLAIN:
                if is_awaited(value):
                    return self._finish_awaited(run, value, place)
                _raise_failure(value)
            completed = self._null() if value is None or value is Undefined else self._complete(run, value, place)
        except Exception as error:
            return self.failed(run, error, place)
        if type(completed) is Unfinished:
            return self._finish_completed(run, completed, place)
        return completed

    def failed(self, run: Run, error: Exception, place: Place) -> None:
        """
        Raises:
            GraphQLError: located, where null may not stand.
        """
        located = run.located(error, self._selected, place)
        if self._required:
            raise located
        run.note(located, place)

    def _null(self) -> Any:
        if self._required:
            raise TypeError(f"Cannot return null for non-nullable field {self._selected}.")
        return None

    async def _finish_awaited(self, run: Run, value: Awaitable[Any], place: Place) -> Any:
        try:
            come = await value
            _raise_failure(come)
            completed = self._null() if come is None or come is Undefined else self._complete(run, come, place)
            return await completed if type(completed) is Unfinished else completed
        except Exception as error:
            return self.failed(run, error, place)

    async def _finish_completed(self, run: Run, completed: Awaitable[Any], place: Place) -> Any:
        try:
            return await completed
        except Exception as error:
            return self.failed(run, error, place)


def _raise_failure(value: Any) -> None:
    """The honest null: a failure in the place of a value."""
    if isinstance(value, Exception):
        raise value
