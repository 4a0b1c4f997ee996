"""Fields whose values are attributes of one object that the source leads to, or is: they are read in one go."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import MemberDescriptorType, WrapperDescriptorType
from typing import Any, TypeAlias

# From the source, and what is to be told, to the object that tells all of it; None where none does.
Teller: TypeAlias = Callable[[Any, frozenset[Any]], Any | None]
# Whether the several items that stand in the attribute are what the resolver would answer. Raises nothing.
Fit: TypeAlias = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Told:
    """One such field: `what` is its name to the teller, `attribute` where its value stands. Without a teller the source
    itself tells."""

    teller: Teller | None
    what: Hashable
    attribute: str
    fit: Fit | None = None
    made: Callable[[Any], Any] | None = None


def read_together(
    resolve: Any,
    teller: Teller,
    attribute: str,
    what: Hashable = None,
    *,
    fit: Fit | None = None,
    made: Callable[[Any], Any] | None = None,
) -> None:
    """Lets plans read the fields of this resolver together. Where there is an object that tells them, its attribute has
    to be what the resolver would answer, or `made` has to make that of it. `what` is None where every teller tells it.
    Of several items `fit` may be asked: where it does not hold, the resolver is called."""
    resolve.told = Told(teller, what, attribute, fit, made)


class ToldList:
    """The base of lists whose objects may be told without being made. These are of the type of their field, and none
    was cast."""

    __slots__ = ()

    def tellers(self, whats: frozenset[Any]) -> Sequence[Any] | None:
        """For each item the object that its teller would lead to; None where there is none for one of them."""
        raise NotImplementedError


class Constant:
    """Gets what is the same for every source."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, _: Any) -> Any:
        return self.value


class AttributeOf:
    """Gets an attribute of the source itself."""

    def __init__(self, name: str) -> None:
        self._get = attrgetter(name)
        self.told = Told(None, name, name)

    def __call__(self, source: Any) -> Any:
        return self._get(source)


class Together:
    """Fields of one teller, and their `whats`. `tell` is that teller, and need not be asked of a source whose class is
    `plain`: such a source tells them itself."""

    __slots__ = ("_odd", "fields", "plain", "tell", "whats")

    def __init__(self, fields: Sequence[Told]) -> None:
        self.fields = fields
        self.whats = frozenset(field.what for field in fields if field.what is not None)
        self.plain: set[type] = set()
        self._odd: set[type] = set()
        self.tell: Teller = (fields[0].teller or self._itself) if fields else _nobody

    @property
    def tells_itself(self) -> bool:
        """Whether nobody else tells the fields of a source, or nobody does."""
        return not self.fields or self.fields[0].teller is None

    def _itself(self, source: Any, _whats: frozenset[Any]) -> Any | None:
        """The source, where looking at these attributes of it does nothing else."""
        kind = type(source)
        if kind in self._odd:
            return None
        if not all(_is_plain(kind, field.attribute) for field in self.fields):
            self._odd.add(kind)
            return None
        self.plain.add(kind)
        return source


def _nobody(_source: Any, _whats: frozenset[Any]) -> None:
    return None


def together(getters: Sequence[Any]) -> Together:
    """Those of the getters that are read together with the first one that can be."""
    told = [found for get in getters if (found := told_of(get)) is not None]
    return Together([one for one in told if one.teller is told[0].teller])


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
