"""Rows: the fields that one object tells are read by a function made for them, which shows what is surely shown.

Such a function is the innermost loop of every answer. Written out, field by field, it takes a third of the time of any
loop over the fields. Its source consists of names of our own attributes and of numbers: nothing that a client has sent
stands in it, and the names in the answer are handed to it as values.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from resolvers.plans.fields import Field, Get
from resolvers.plans.shown import UNSURE, Learning, Mostly, Shown
from resolvers.plans.together import Constant, Told, together, told_of

# One field: its name in the answer, how its value is got where the source alone tells it, the types of which it is sure
# how their values are shown, and everything else about it.
Step: TypeAlias = tuple[str, Get | None, Shown, Field]
Steps: TypeAlias = tuple[Step, ...]

# How a field goes on that is left: its name in the answer, and whether with what was read, or by itself.
Way: TypeAlias = tuple[str, Field, bool]

# From an object to the answer so far, where values that have still to be looked at stand as they were read, and to the
# numbers of the ways that are left to go, in the order of the fields. Where one of the attributes is missing, nothing
# is read.
ReadRow: TypeAlias = Callable[[Any], tuple[Any, Sequence[int]]]


class ReadEach(Protocol):
    """From objects of these classes, which tell all of their fields, to the list of their answers; UNSURE where one is
    of another class, or something of it is left. Without classes: of those that tell their fields themselves."""

    def __call__(self, items: Iterable[Any], classes: Collection[type] = ...) -> Any: ...


class _Left(Exception):
    """Something is left of an object that was to be told as one of many."""


def _leave() -> Any:
    raise _Left


# Makes both: of the ways of every field by itself, of the names in the answer, and of what its source numbers.
_Maker: TypeAlias = Callable[[Sequence[int], Sequence[str], Sequence[Any]], tuple[ReadRow, ReadEach]]

# Documents differ in the names of their answers more than in what they read. One of twelve fields takes some 12 KiB.
_KEPT_MAKERS = 500

# Of more types than these a set is asked.
_FEW = 3


class Rows:
    """The objects at one place: who tells the fields, how they are read, and which ways there are to go on."""

    __slots__ = ("by_itself", "read", "read_each", "together", "ways")

    def __init__(self, steps: Steps) -> None:
        getters = [get for _, get, _, _ in steps]
        self.together = together(getters)
        self.ways: tuple[Way, ...] = (
            *((key, field, True) for key, _, _, field in steps),
            *((key, field, False) for key, _, _, field in steps),
        )
        self.by_itself = range(len(steps), len(self.ways))
        writing = _Writing([self._known(get) for get in getters], [shown for _, _, shown, _ in steps])
        source = writing.source(self.together.plain)
        self.read, self.read_each = _maker(source)(self.by_itself, [key for key, *_ in steps], writing.given)

    def _known(self, get: Get | None) -> Told | Constant | None:
        if isinstance(get, Constant):
            return get
        told = told_of(get)
        return told if told in self.together.fields else None


class _Writing:
    """The source of two functions: `a0` is the attribute of the first field, `k0` its name in the answer, and `g0` the
    first one of what was `given`."""

    def __init__(self, known: Sequence[Told | Constant | None], shown: Sequence[Shown]) -> None:
        self._known = known
        self._shown = shown
        self.given: list[Any] = []

    def source(self, plain: Collection[type]) -> str:
        """`plain`: the classes of objects that tell their fields themselves."""
        told = [(number, one) for number, one in enumerate(self._known) if isinstance(one, Told)]
        if odd := [one.attribute for _, one in told if not one.attribute.isidentifier()]:
            raise ValueError(f"no names of attributes: {odd}")
        attributes = [f"a{number} = {self._attribute(one)}" for number, one in told]
        row = self._row(lambda way: f"left.append({way})")
        each, unsure = self._each(attributes), self._give(UNSURE)
        lines = [
            "    def read(told):",
            "        try:",
            "            left = []",
            *_indented(3, attributes),
            "        except AttributeError:",
            "            return {}, by_itself",
            "        return {",
            *_indented(3, row),
            "        }, left",
            f"    def read_each(items, classes={self._give(plain)}):",
            *_indented(2, each),
            f"        return {unsure}",
            "    return read, read_each",
        ]
        return "\n".join(
            (
                "def make(by_itself, keys, given):",
                *_unpacked("k", len(self._known), "keys"),
                *_unpacked("g", len(self.given), "given"),
                *lines,
            )
        )

    def _each(self, attributes: Sequence[str]) -> Sequence[str]:
        """What comes to the list of all answers, or to nothing."""
        if not all(map(self._may_be_sure, self._known, self._shown)):
            return ()
        leave = self._give(_leave)
        return (
            "results = []",
            "try:",
            "    for told in items:",
            "        if type(told) not in classes:",
            "            break",
            *_indented(2, attributes),
            "        results.append({",
            *_indented(3, self._row(lambda _: f"{leave}()")),
            "        })",
            "    else:",
            "        return results",
            f"except (AttributeError, {self._give(_Left)}):",
            "    pass",
        )

    def _may_be_sure(self, known: Told | Constant | None, shown: Shown) -> bool:
        return isinstance(known, Constant) or (known is not None and any(kind is not type(None) for kind in shown))

    def _row(self, leave: Callable[[int], str]) -> Sequence[str]:
        """`leave` writes what is done where this way is left to go."""
        return [f"k{number}: {self._value(number, one, leave)}," for number, one in enumerate(self._known)]

    def _attribute(self, told: Told) -> str:
        attribute = f"told.{told.attribute}"
        return f"{self._give(told.made)}({attribute})" if told.made else attribute

    def _value(self, number: int, known: Told | Constant | None, leave: Callable[[int], str]) -> str:
        value, shown, by_itself = f"a{number}", self._shown[number], number + len(self._known)
        if known is None:
            return leave(by_itself)
        if isinstance(known, Constant):
            return self._give(known.value)
        cases = [f"None if {value} is None else"] if type(None) in shown else []
        if known.fit:
            # Only of what is fit the cases are looked at that follow; else nothing but the field itself is asked.
            fit = f"type({value}) is tuple and (len({value}) < 2 or {self._give(known.fit)}({value}))"
            cases.append(f"{leave(by_itself)} or {value} if not ({fit}) else")
        cases += self._cases(number, shown)
        return " ".join((*cases, f"{leave(number)} or {value}"))

    def _cases(self, number: int, shown: Shown) -> Iterator[str]:
        """What is shown at once, by the type of the value."""
        value = f"a{number}"
        as_they_are = [kind for kind, show in shown.items() if show is None and kind is not type(None)]
        if len(as_they_are) > _FEW:
            yield f"{value} if type({value}) in {self._give(frozenset(as_they_are))} else"
        elif as_they_are:
            yield f"{value} if {' or '.join(f'type({value}) is {self._give(kind)}' for kind in as_they_are)} else"
        for kind, show in shown.items():
            if show is None:
                continue
            is_one = f"type({value}) is {self._give(kind)}"
            if isinstance(show, Mostly):
                equal = (f"{value}.{name} == {self._give(wanted)}" for name, wanted in show.attributes)
                yield f"{self._give(show.show)}({value}) if {' and '.join((is_one, *equal))} else"
            shower = self._shower(show.otherwise if isinstance(show, Mostly) else show)
            yield f"b{number} if {is_one} and (b{number} := {shower}({value})) is not {self._give(UNSURE)} else"

    def _shower(self, show: Callable[[Any], Any] | Learning) -> str:
        return self._give(show) if callable(show) else f"{self._give(show)}.show"

    def _give(self, what: Any) -> str:
        """Twice the same is one."""
        for number, given in enumerate(self.given):
            if given is what:
                return f"g{number}"
        self.given.append(what)
        return f"g{len(self.given) - 1}"


def _unpacked(letter: str, count: int, of: str) -> Iterator[str]:
    if count:
        yield f"    [{', '.join(f'{letter}{number}' for number in range(count))}] = {of}"


def _indented(levels: int, lines: Iterable[str]) -> Iterator[str]:
    return (f"{levels * '    '}{line}" for line in lines)


@lru_cache(maxsize=_KEPT_MAKERS)
def _maker(source: str) -> _Maker:
    made: dict[str, Any] = {}
    exec(compile(source, "<row>", "exec"), made)  # noqa: S102  # see above for what stands in the source
    maker: _Maker = made["make"]
    return maker
