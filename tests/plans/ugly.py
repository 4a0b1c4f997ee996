"""A schema made for ugliness, and worlds in which every value of it may be anything: null, an error, of a wrong type,
on its way, or all of that in a list that breaks.

A world is drawn from a number. Each value is drawn from the number of its object and its own name, so it is the same
whoever asks for it and when.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from datetime import datetime, timezone
from enum import Enum
from inspect import CORO_CREATED, getcoroutinestate
from random import Random
from typing import Annotated, Any
from zlib import crc32

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    Undefined,
    is_abstract_type,
    is_leaf_type,
)
from strawberry.schema.config import StrawberryConfig

from resolvers.scalars import JSON, SCALARS, DateTime
from tests.plans.comparing import Scene


class Broken(Exception):
    pass


class Odd:
    """Something that fits nowhere, and that is shown the same in every run."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<odd>"

    __str__ = __repr__


class Drawn:
    """An object whose attributes are drawn when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("world", "number"):
            raise AttributeError(name)
        return self.world.told(self, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.number}>"


def steps_of(path: Any) -> list[tuple[Any, Any]]:
    """Each step of a path with the type that it is a field of."""
    return [*(steps_of(path.prev) if path.prev else []), (path.key, path.typename)]


def by_attribute(name: str) -> Any:
    return strawberry.field(name=name)


def by_object(name: str) -> Any:
    def resolve(root: Drawn) -> Any:
        return root.world.told(root, name)

    return strawberry.field(resolver=resolve, name=name)


def by_object_later(name: str) -> Any:
    async def resolve(root: Drawn) -> Any:
        told = root.world.told(root, name)
        return await told if hasattr(told, "__await__") else told

    return strawberry.field(resolver=resolve, name=name)


def by_info(name: str) -> Any:
    def resolve(root: Drawn, info: strawberry.Info[Any, Any], size: int = 1, text: str | None = None) -> Any:
        raw = info._raw_info
        root.world.log.append(("info", steps_of(raw.path), [node.loc.start for node in raw.field_nodes]))
        root.world.log.append((raw.field_name, str(raw.return_type), str(raw.parent_type), info.variable_values))
        root.world.log.append((info.context, repr(info.root_value), sorted(raw.fragments), size, text))
        return root.world.told(root, name)

    return strawberry.field(resolver=resolve, name=name)


def by_info_later(name: str) -> Any:
    async def resolve(root: Drawn, info: strawberry.Info[Any, Any], size: int = 1, text: str | None = None) -> Any:
        root.world.log.append(("info later", steps_of(info.path), info.variable_values, size, text))
        told = root.world.told(root, name)
        return await told if hasattr(told, "__await__") else told

    return strawberry.field(resolver=resolve, name=name)


def by_need(name: str) -> Any:
    async def resolve(root: Drawn, text: str | None) -> Any:
        """It cannot be called without its argument, which the schema allows to be left out."""
        root.world.log.append(("needed", text))
        return root.world.told(root, name)

    return strawberry.field(resolver=resolve, name=name)


@strawberry.enum
class Colour(Enum):
    RED = "red"
    GREEN = 2
    BLUE = "blue"


@strawberry.interface
class Named(Drawn):
    title: str | None = by_attribute("title")
    colour: Colour = by_attribute("colour")


@strawberry.type
class Leaf(Named):
    text: str = by_attribute("text")
    whole: int | None = by_attribute("whole")
    count: int = by_object("count")
    real: float | None = by_attribute("real")
    yes: bool | None = by_attribute("yes")
    sure: bool = by_object_later("sure")
    key: strawberry.ID = by_attribute("key")
    time: DateTime | None = by_attribute("time")
    json: JSON | None = by_object("json")
    tags: list[str] | None = by_attribute("tags")
    colours: list[Colour | None] = by_object("colours")
    numbers: list[list[int]] | None = by_object_later("numbers")


@strawberry.type
class Branch(Named):
    leaf: Leaf | None = by_attribute("leaf")
    bud: Leaf = by_object("bud")
    later: Leaf = by_object_later("later")
    leaves: list[Leaf] = by_attribute("leaves")
    few: list[Leaf | None] | None = by_info("few")
    named: Named | None = by_info("named")
    names: list[Named] | None = by_object("names")
    either: Annotated[Leaf | Loose, strawberry.union("Either")] | None = by_attribute("either")
    any: list[Annotated[Leaf | Branch | Loose, strawberry.union("Any")] | None] = by_object_later("any")
    grid: list[list[Leaf] | None] | None = by_attribute("grid")
    branch: Branch | None = by_object("branch")
    trunk: Branch = by_info("trunk")
    loose: Loose | None = by_attribute("loose")
    offer: list[Leaf] | None = by_info_later("offer")
    need: Leaf | None = by_need("need")


@strawberry.type
class Loose(Drawn):
    """A type that nothing else is related to: any object will do."""

    text: str = by_attribute("text")
    leaf: Leaf | None = by_object_later("leaf")
    whole: int = by_attribute("whole")

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> Any:
        is_one = isinstance(value, Loose | Stray)
        if is_one:
            value.world.log.append(("is loose", steps_of(info.path), info.field_name))
        return is_one


class Stray(Drawn):
    """No class of the schema's."""


@strawberry.type
class Query(Drawn):
    branch: Branch | None = by_object("branch")
    trunk: Branch = by_object_later("trunk")
    branches: list[Branch | None] | None = by_info("branches")
    leaf: Leaf | None = by_attribute("leaf")
    named: Named | None = by_info("named")
    any: list[Annotated[Leaf | Branch | Loose, strawberry.union("Any")]] | None = by_object("any")
    text: str | None = by_object_later("text")
    count: int = by_attribute("count")
    offer: Branch = by_info_later("offer")
    need: list[Branch] | None = by_need("need")


@strawberry.type
class Mutation(Drawn):
    grow: Branch | None = by_info("grow")
    prune: Branch = by_object_later("prune")
    fell: int | None = by_attribute("fell")
    plant: Leaf = by_object("plant")


# That of a dataclass would ask for every attribute.
for one in (Leaf, Branch, Loose, Query, Mutation):
    one.__repr__ = Drawn.__repr__  # type: ignore[method-assign]

CLASSES: dict[str, type] = {"Leaf": Leaf, "Branch": Branch, "Loose": Loose}


def build() -> GraphQLSchema:
    config = StrawberryConfig(scalar_map=SCALARS, enable_experimental_incremental_execution=True)
    return strawberry.Schema(query=Query, mutation=Mutation, types=[Leaf, Branch], config=config)._schema


class World:
    def __init__(self, schema: GraphQLSchema, number: int) -> None:
        chance = Random(number)
        self._schema = schema
        self._number = number
        self._faults = chance.choice([0.0, 0.03, 0.15])
        self._nulls = chance.choice([0.0, 0.2])
        self._waits = chance.choice([0.0, 0.0, 0.2, 0.6])
        self.log: list[Any] = []
        self._coroutines: list[Coroutine[Any, Any, Any]] = []

    def scene(self) -> Scene:
        return Scene(self._made(Query, self._number), f"context {self._number}", self.log, self._close)

    def _close(self) -> None:
        """What an error left behind before it had begun."""
        for place, coroutine in enumerate(self._coroutines):
            if getcoroutinestate(coroutine) == CORO_CREATED:
                self.log.append(("never begun", place))
            coroutine.close()

    def _made(self, made_of: type, number: int) -> Any:
        made = object.__new__(made_of)
        made.__dict__.update(world=self, number=number)
        return made

    def told(self, source: Any, name: str) -> Any:
        """Raises what is drawn to be raised."""
        kind = "Loose" if isinstance(source, Stray) else type(source).__name__
        # A root value is of no type: the same object stands for the query and for the mutation.
        kinds = [kind, "Mutation"] if kind == "Query" else [kind]
        definitions = [self._schema.get_type(one).fields.get(name) for one in kinds]  # type: ignore[union-attr]
        definition = next(one for one in definitions if one)
        number = crc32(f"{source.number}/{name}".encode())
        self.log.append(("told", source.number, name))
        chance = Random(number)
        if chance.random() < self._faults / 2:
            raise self._error(chance, number)
        return self._drawn(definition.type, number, chance)

    def _drawn(self, type_: Any, number: int, chance: Random) -> Any:
        if chance.random() < self._waits:
            later = self._later(type_, number, chance)
            self._coroutines.append(later)
            return chance.choice([later, later, _Awaitable(later), _as_a_generator(later)])
        return self._value(type_, number, chance)

    async def _later(self, type_: Any, number: int, chance: Random) -> Any:
        self.log.append(("begun", number))
        try:
            for _ in range(chance.randint(0, 3)):
                await asyncio.sleep(0)
            if chance.random() < self._faults:
                raise self._error(chance, number)
        except asyncio.CancelledError:
            self.log.append(("cancelled", number))
            raise
        self.log.append(("ended", number))
        return self._value(type_, number, chance)

    def _error(self, chance: Random, number: int) -> Exception:
        errors = [
            Broken(f"broken {number}"),
            ValueError(number),
            GraphQLError(f"said {number}", extensions={"code": number}),
            GraphQLError(f"elsewhere {number}", path=["else", 1]),
        ]
        return chance.choice(errors)

    def _value(self, type_: Any, number: int, chance: Random) -> Any:
        required = isinstance(type_, GraphQLNonNull)
        bare = type_.of_type if required else type_
        if chance.random() < self._faults:
            return self._fault(bare, number, chance)
        if not required and chance.random() < self._nulls:
            return chance.choice([None, None, Undefined])
        if isinstance(bare, GraphQLList):
            return self._list(bare, number, chance)
        return self._leaf(bare, chance) if is_leaf_type(bare) else self._object(bare, number, chance)

    def _fault(self, bare: Any, number: int, chance: Random) -> Any:
        odd = [Odd(), "text", "", 3, 3.7, float("nan"), 2**40, True, [], ["a"], {"a": 1}, b"bytes", object, Colour.RED]
        other = self._made(chance.choice([Leaf, Branch, Loose, Stray]), number)
        if is_leaf_type(bare) and chance.random() < 0.6:
            return chance.choice(odd)
        return chance.choice([None, None, Undefined, self._error(chance, number), chance.choice(odd), other])

    def _list(self, bare: Any, number: int, chance: Random) -> Any:
        numbers = [crc32(f"{number}[{index}".encode()) for index in range(chance.choice([0, 1, 2, 3, 5]))]
        items = [self._drawn(bare.of_type, one, Random(one)) for one in numbers]
        shape = chance.random()
        if shape < 0.7:
            return items
        if shape < 0.8:
            return tuple(items)
        breaks = chance.random() < self._faults
        if shape < 0.95:
            return self._one_by_one(items, breaks=breaks)
        return self._one_by_one_later(items, breaks=breaks)

    def _one_by_one(self, items: list[Any], *, breaks: bool) -> Iterator[Any]:
        for place, item in enumerate(items):
            if breaks and place == 1:
                raise Broken("the iterator")
            yield item

    async def _one_by_one_later(self, items: list[Any], *, breaks: bool) -> AsyncIterator[Any]:
        for place, item in enumerate(items):
            await asyncio.sleep(0)
            if breaks and place == 1:
                raise Broken("the iterator")
            yield item

    def _leaf(self, bare: Any, chance: Random) -> Any:
        if isinstance(bare, GraphQLEnumType):
            return chance.choice(list(Colour))
        values: dict[str, list[Any]] = {
            "String": ["a", "", "é", _Text("b")],
            "ID": ["a", 3],
            "Int": [0, 1, -5, 2**31 - 1, True, 2.0],
            "Float": [0.5, 1, -2.25],
            "Boolean": [True, False],
            "DateTime": [datetime(2031, 3, 4, 5, 6, 7, tzinfo=timezone.utc)],
            "JSON": [{"a": [1, None]}, [], "text", 0, False],
        }
        return chance.choice(values[bare.name])

    def _object(self, bare: Any, number: int, chance: Random) -> Any:
        possible = self._schema.get_possible_types(bare) if is_abstract_type(bare) else [bare]
        made = self._made(CLASSES[chance.choice(possible).name], number)
        if isinstance(made, Loose) and chance.random() < 0.3:
            return self._made(Stray, number)
        if chance.random() < self._faults:
            strawberry.cast(chance.choice([Leaf, Branch, Loose, Named]), made)
        return made


class _Awaitable:
    """No coroutine, and awaited all the same."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, None, Any]:
        return self._coroutine.__await__()


@types.coroutine
def _as_a_generator(coroutine: Coroutine[Any, Any, Any]) -> Generator[Any, None, Any]:
    """What was a coroutine before there were any."""
    return (yield from coroutine.__await__())


class _Text(str):
    """No text exactly."""

    __slots__ = ()
