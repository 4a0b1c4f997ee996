"""Fields whose values are attributes of one object that the source leads to, or is: they are read in one go."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import MemberDescriptorType, WrapperDescriptorType
from typing import Any, TypeAlias

# From the source, and what is to be told, to the object that tells all of it; None where none does.
Teller: TypeAlias = Callable[[Any, frozenset[Any]], Any | None]


@dataclass(frozen=True, slots=True)
class Told:
    """One such field: `what` is its name to the teller, `attribute` where its value stands. Without a teller the source
    itself tells."""

    teller: Teller | None
    what: Hashable
    attribute: str


def read_together(resolve: Any, teller: Teller, what: Hashable, attribute: str) -> None:
    """Lets plans read the fields of this resolver together. Where there is an object that tells them, its attribute has
    to be what the resolver would answer."""
    resolve.told = Told(teller, what, attribute)


class AttributeOf:
    """Gets an attribute of the source itself."""

    def __init__(self, name: str) -> None:
        self._get = attrgetter(name)
        self.told = Told(None, name, name)

    def __call__(self, source: Any) -> Any:
        return self._get(source)


class Together:
    """Fields of one teller."""

    __slots__ = ("_plain", "_read", "_teller", "_whats", "fields")

    def __init__(self, fields: Sequence[Told]) -> None:
        self.fields = fields
        self._teller = fields[0].teller
        self._whats = frozenset(field.what for field in fields)
        # Of each class that a source had: whether to look at these attributes of it does nothing else.
        self._plain: dict[type, bool] = {}
        # Of a single one attrgetter would not make a tuple.
        self._read = attrgetter(*(field.attribute for field in fields), fields[0].attribute)

    def values(self, source: Any) -> tuple[Any, ...] | None:
        """In the order of the fields, and something behind them; None where each has to be asked for by itself."""
        told = self._itself(source) if self._teller is None else self._teller(source, self._whats)
        if told is None:
            return None
        try:
            read: tuple[Any, ...] = self._read(told)
        except AttributeError:
            # Which one is missing is found out by each for itself.
            return None
        return read

    def _itself(self, source: Any) -> Any:
        kind = type(source)
        plain = self._plain.get(kind)
        if plain is None:
            plain = self._plain[kind] = all(_is_plain(kind, field.attribute) for field in self.fields)
        return source if plain else None


def together(getters: Sequence[Any]) -> Together | None:
    """Those of the getters that are read together with the first one that can be."""
    told = [found for get in getters if (found := told_of(get)) is not None]
    return Together([one for one in told if one.teller is told[0].teller]) if told else None


def _is_plain(kind: type, attribute: str) -> bool:
    """Whether the attribute stands in the object, or in its class as it is: no code runs when it is looked at."""
    if has_own_attributes(kind):
        return False
    found = next((vars(one)[attribute] for one in kind.__mro__ if attribute in vars(one)), None)
    return isinstance(found, MemberDescriptorType) or not hasattr(type(found), "__get__")


def told_of(get: Any) -> Told | None:
    return getattr(get, "told", None)


def has_own_attributes(kind: type) -> bool:
    """Whether a class decides in Python which attributes each of its instances has."""
    return not isinstance(kind.__getattribute__, WrapperDescriptorType) or any(
        "__getattr__" in vars(one) for one in kind.__mro__
    )
