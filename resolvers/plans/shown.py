"""What an answer shows of values whose type says it all: nothing else has to be asked about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

UNSURE: Final = object()
"""What is told of a value that has to be completed as any other."""


@dataclass(frozen=True, slots=True)
class Mostly:
    """Shows most values by `show`, which is sure of them: those whose attributes equal these. Any other is put to
    `otherwise`. Nothing of it raises anything."""

    attributes: tuple[tuple[str, Any], ...]
    show: Callable[[Any], Any]
    otherwise: Callable[[Any], Any]

    def __call__(self, value: Any) -> Any:
        is_one = all(getattr(value, name) == wanted for name, wanted in self.attributes)
        return (self.show if is_one else self.otherwise)(value)


class Learning(Protocol):
    """Finds out how to show values when the first ones come: `show` is looked up for each value."""

    @property
    def show(self) -> Callable[[Any], Any]: ...


# By the exact type of a value, how it is shown: None, as it is; a function may answer UNSURE, and raises nothing. Other
# types, subclasses too, are not sure.
Shown: TypeAlias = Mapping[type, "Callable[[Any], Any] | Learning | None"]


def unsure(_: Any) -> Any:
    return UNSURE


def show_surely(coerce: Any, shown: Shown) -> None:
    """Says of a scalar's coercion what it makes of these types."""
    coerce.shown = shown


def surely_shown(coerce: Any) -> Shown:
    found: Shown = getattr(coerce, "shown", {})
    return found
