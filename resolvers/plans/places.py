"""Places in an answer: linked from the leaf to the root, and made into graphql-core's paths only where one is shown."""

from typing import Any, TypeAlias

from graphql.pyutils import Path

# The place above, the name or index, and for a name the type of the object that it is a field of. A plain tuple is made
# in a tenth of the time that a Path takes, and most places are never shown to anybody.
Place: TypeAlias = tuple[Any, str | int, str | None]


def to_path(place: Place) -> Path:
    above, key, type_name = place
    return Path(to_path(above) if above else None, key, type_name)


def of_field(place: Place) -> Place:
    """The place of the field whose list an item stands in; a field's own."""
    while isinstance(place[1], int):
        place = place[0]
    return place
