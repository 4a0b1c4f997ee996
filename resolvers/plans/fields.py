"""Fields: how the value of each is got."""

from collections.abc import Callable
from typing import Any, TypeAlias

from resolvers.plans.places import Place
from resolvers.plans.positions import Position
from resolvers.plans.run import Run, SelectedField

# The value of a field, of the object alone.
Get: TypeAlias = Callable[[Any], Any]


class Field:
    """One selected field of an object, at its position."""

    __slots__ = ("_as_they_are", "_get", "_selected", "finish")

    def __init__(self, selected: SelectedField, position: Position, get: Get | None) -> None:
        self._selected = selected
        self._get = get
        self._as_they_are = position.as_they_are
        self.finish = position.finish

    def begin(self, run: Run, source: Any, place: Place) -> Any:
        """What the answer shows of the field, or a coroutine that comes to it.

        Raises:
            GraphQLError: located, when it is null and may not be.
        """
        if self._get is None:
            return self.resolve(run, source, place)
        try:
            value = self._get(source)
        except Exception as error:
            value = error
        return value if type(value) in self._as_they_are else self.finish(run, value, place)

    def resolve(self, run: Run, source: Any, place: Place) -> Any:
        """The same by the schema's resolver, with the arguments and the info."""
        definition = self._selected.definition
        resolver = definition.resolve or run.executor.field_resolver
        info = run.info(self._selected, place)
        try:
            arguments = run.arguments(self._selected) if definition.args else {}
            value = resolver(source, info, **arguments)
        except Exception as error:
            value = error
        return self.finish(run, value, place)
