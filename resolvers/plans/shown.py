"""What an answer shows of values whose type says it all: nothing else has to be asked about them."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

UNSURE: Final = object()
"""What is told of a value that has to be completed as any other."""

# By the exact type of a value, how it is shown: None, as it is; a function may answer UNSURE, and raises nothing. Other
# types, subclasses too, are not sure.
Shown: TypeAlias = Mapping[type, Callable[[Any], Any] | None]


def unsure(_: Any) -> Any:
    return UNSURE


def show_surely(coerce: Any, shown: Shown) -> None:
    """Says of a scalar's coercion what it makes of these types."""
    coerce.shown = shown


def surely_shown(coerce: Any) -> Shown:
    found: Shown = getattr(coerce, "shown", {})
    return found
