"""Fields: how the value of each is got."""

from collections.abc import Callable
from typing import Any, TypeAlias

from graphql import default_field_resolver

from resolvers.plans.arguments import Arguments
from resolvers.plans.places import Place
from resolvers.plans.plain_resolver import PlainResolver
from resolvers.plans.positions import Position
from resolvers.plans.run import Run, SelectedField

# The value of a field, of the object alone.
Get: TypeAlias = Callable[[Any], Any]


class Field:
    """One selected field of an object, at its position."""

    __slots__ = ("_arguments", "_as_they_are", "_get", "_plain", "_selected", "finish")

    def __init__(
        self, selected: SelectedField, position: Position, get: Get | None, plain: PlainResolver | None
    ) -> None:
        self._selected = selected
        self._get = get
        self._plain = plain
        self._arguments = Arguments(selected, plain.names, plain.reads) if plain else Arguments(selected)
        self._as_they_are = position.as_they_are
        self.finish = position.finish

    def begin(self, run: Run, source: Any, place: Place) -> Any:
        """What the answer shows of the field, or a coroutine that comes to it.

        Raises:
            GraphQLError: located, when it is null and may not be.
        """
        try:
            value = self._resolve(run, source, place) if self._get is None else self._get(source)
        except Exception as error:
            value = error
        return value if type(value) in self._as_they_are else self.finish(run, value, place)

    def _resolve(self, run: Run, source: Any, place: Place) -> Any:
        """By the schema's resolver, with the arguments and the info."""
        selected, plain = self._selected, self._plain
        arguments = self._arguments.values(run)
        if plain is None:
            resolver = selected.definition.resolve or default_field_resolver
            return resolver(source, run.info(selected, place), **arguments)
        return plain.call(source, run.info(selected, place) if plain.info else None, arguments)
