"""Fields that are read in one go: of whom, in which order, and of whom not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from resolvers.plans.together import AttributeOf, Together, Told, read_together, together


class Read(msgspec.Struct):
    name: str = "Ada"
    stage: str = "lead"


@dataclass
class Made:
    name: str
    stage: str


class WithDefaults:
    name = "Ada"
    stage = "lead"


class WithCode:
    stage = "lead"

    @property
    def name(self) -> str:
        raise ValueError


class WithCodeOnce:
    stage = "lead"

    @cached_property
    def name(self) -> str:
        raise ValueError


class Answering:
    def __getattr__(self, name: str) -> Any:
        raise ValueError


def read(source: Any) -> Any:
    fields = together([AttributeOf("stage"), None, AttributeOf("name"), AttributeOf("stage")])
    assert fields is not None
    return (fields.values(source) or ())[: len(fields.fields)]


def test_attributes_of_the_source_come_in_the_order_of_the_fields() -> None:
    for source in (Read(), Made("Ada", "lead"), WithDefaults()):
        assert read(source) == ("lead", "Ada", "lead")


def test_a_single_field_is_read_as_several_are() -> None:
    fields = together([AttributeOf("name")])
    assert fields is not None
    assert (fields.values(Read()) or ())[0] == "Ada"


def test_where_looking_runs_code_each_field_is_asked_for_by_itself() -> None:
    """It may raise, or take note of who asked first."""
    for source in (WithCode(), WithCodeOnce(), Answering()):
        assert read(source) == ()


def test_an_attribute_that_is_missing_leaves_the_others_to_themselves() -> None:
    whole, incomplete = Made("Ada", "lead"), Made("Ada", "lead")
    del incomplete.name
    assert read(incomplete) == ()
    assert read(whole) == ("lead", "Ada", "lead")


def test_a_teller_is_asked_for_all_of_its_fields_at_once() -> None:
    asked: list[Any] = []

    def teller(source: Any, whats: frozenset[Any]) -> Any:
        asked.append((source, whats))
        return Read() if source == "known" else None

    def resolve(_: Any) -> None:
        """Never called here."""

    def other(_: Any) -> None:
        """Nor this one."""

    read_together(resolve, teller, "NAME", "name")
    read_together(other, teller, "STAGE", "stage")
    fields = together([other, AttributeOf("name"), resolve])

    assert fields is not None
    assert [field.what for field in fields.fields] == ["STAGE", "NAME"]
    assert (fields.values("known") or ())[:2] == ("lead", "Ada")
    assert fields.values("unknown") is None
    assert asked == [("known", frozenset({"NAME", "STAGE"})), ("unknown", frozenset({"NAME", "STAGE"}))]


def test_nothing_is_read_together_where_nobody_says_how() -> None:
    assert together([None, len]) is None
    assert Together([Told(None, "name", "name")]).values(Read()) == ("Ada", "Ada")
