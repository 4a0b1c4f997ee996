"""However a value's type is found out, at once or later, rightly or not: both ways the answer is the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, parse

from tests.plans.comparing import Comparison, Scene
from tests.plans.operations import Asked

SDL = """
  interface Named { name: String! }
  type Dog implements Named { name: String! }
  type Cat implements Named { name: String! }
  type Stone { name: String! }
  enum Colour { RED }
  union Pet = Dog | Cat
  type Query { dog: Dog named: Named pet: Pet sure: Named! several: [Named!] some: [Pet] }
"""
DOCUMENT = "{ %s { __typename ... on Dog { name } ... on Named { again: name } } other: dog { name } }"

NAMES: list[Any] = ["Dog", "Cat", "Stone", "Colour", "Named", "Nothing", None, 7, "raise"]
ANSWERS: list[Any] = [True, False, None, "raise"]


def said(answer: Any, *, later: bool, log: list[list[str]], what: str) -> Any:
    """`log` holds the log of the execution that is under way."""

    def say() -> Any:
        log[0].append(what)
        if answer == "raise":
            raise ValueError(what)
        return answer

    async def say_later() -> Any:
        log[0].append(f"{what} begins")
        await asyncio.sleep(0)
        return say()

    return say_later() if later else say()


@pytest.fixture
def schema() -> GraphQLSchema:
    return build_schema(SDL)


@pytest.fixture
def comparison(schema: GraphQLSchema) -> Iterator[Comparison]:
    comparison = Comparison(schema)
    yield comparison
    comparison.close()


def compare(comparison: Comparison, field: str, root: dict[str, Any], log: list[list[str]]) -> dict[str, Any]:
    asked = Asked(parse(DOCUMENT % field if field != "dog" else "{ dog { name } other: named { name } }"), {})

    def scene() -> Scene:
        # Each execution writes a log of its own.
        happened: list[Any] = []
        log[:] = [happened]
        return Scene(root, None, happened, lambda: None)

    return comparison.compare(asked, scene)


VALUE = {"name": "Rex"}
ROOT = {"dog": VALUE, "named": VALUE, "pet": VALUE, "sure": VALUE, "several": [VALUE, VALUE], "some": [VALUE, None]}
FIELDS = ["named", "pet", "sure", "several", "some"]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("later", [False, True])
def test_a_type_that_is_named(comparison: Comparison, schema: GraphQLSchema, field: str, later: bool) -> None:
    log: list[list[str]] = []
    dog: Any = schema.get_type("Dog")
    answers = []
    for name, is_dog in product(NAMES, ["unasked", *ANSWERS]):
        asked_too = partial(said, is_dog, later=later, what="dog", log=log)
        dog.is_type_of = None if is_dog == "unasked" else lambda _value, _info, ask=asked_too: ask()
        for abstract in ("Named", "Pet"):
            type_: Any = schema.get_type(abstract)
            type_.resolve_type = lambda _value, _info, _type, name=name: said(name, later=later, log=log, what="type")
        answers.append(compare(comparison, field, ROOT, log))

    assert any(not answer["errors"] for answer in answers)
    assert len({str(answer["errors"]) for answer in answers}) > 5


@pytest.mark.parametrize("field", [*FIELDS, "dog"])
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_a_type_that_is_asked_of_each(comparison: Comparison, schema: GraphQLSchema, field: str) -> None:
    log: list[list[str]] = []
    answers = []
    for is_dog, dog_later, is_cat, cat_later in product(ANSWERS, [False, True], ANSWERS, [False, True]):
        for name, answer, later in (("Dog", is_dog, dog_later), ("Cat", is_cat, cat_later)):
            type_: Any = schema.get_type(name)
            type_.is_type_of = lambda _value, _info, answer=answer, later=later, name=name: said(
                answer, later=later, log=log, what=name
            )
        answers.append(compare(comparison, field, ROOT, log))

    assert any(not answer["errors"] for answer in answers)
    assert len({str(answer["errors"]) for answer in answers}) > 2
