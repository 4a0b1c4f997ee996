"""Fields that are read in one go: of whom, in which order, and of whom not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import pytest
from graphql import FieldNode, GraphQLField, GraphQLObjectType, GraphQLString, NameNode

from resolvers.plans.fields import Field
from resolvers.plans.positions import Position
from resolvers.plans.rows import Rows
from resolvers.plans.run import SelectedField
from resolvers.plans.shown import UNSURE, Mostly, Shown
from resolvers.plans.together import AttributeOf, Constant, read_together

AS_IT_IS: Shown = {str: None}
SELECTED = SelectedField(
    GraphQLField(GraphQLString), [FieldNode(name=NameNode(value="name"))], GraphQLObjectType("A", {})
)


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


@dataclass
class Learnt:
    show: Callable[[Any], Any]


def rows(*getters: Any, shown: Shown = AS_IT_IS) -> Rows:
    """Each field is named by its number."""
    position = Position(SELECTED, lambda _run, value, _place: value, required=False, shown=shown)
    return Rows([(str(number), get, shown, Field(SELECTED, position, get, None)) for number, get in enumerate(getters)])


def read(source: Any, of: Rows | None = None) -> tuple[Any, list[Any]]:
    """What is read of it, and which fields are left: 1 with what was read, "1" by itself."""
    found = of or rows(AttributeOf("stage"), None, AttributeOf("name"), AttributeOf("stage"))
    told = found.together.tell(source, found.together.whats)
    results, left = ({}, found.by_itself) if told is None else found.read(told)
    ways = [found.ways[number] for number in left]
    return results, [int(key) if was_read else key for key, _, was_read in ways]


def test_attributes_of_the_source_come_in_the_order_of_the_fields() -> None:
    for source in (Read(), Made("Ada", "lead"), WithDefaults()):
        results, left = read(source)
        assert list(results.items()) == [("0", "lead"), ("1", None), ("2", "Ada"), ("3", "lead")]
        assert left == ["1"]


def test_a_source_that_tells_itself_is_plain_from_then_on() -> None:
    found = rows(AttributeOf("name"))
    read(Read(), found)
    read(WithCode(), found)
    assert found.together.plain == {Read}


def test_where_looking_runs_code_each_field_is_asked_for_by_itself() -> None:
    """It may raise, or take note of who asked first."""
    for source in (WithCode(), WithCodeOnce(), Answering()):
        assert read(source) == ({}, ["0", "1", "2", "3"])


def test_an_attribute_that_is_missing_leaves_the_others_to_themselves() -> None:
    whole, incomplete = Made("Ada", "lead"), Made("Ada", "lead")
    del incomplete.name
    assert read(incomplete) == ({}, ["0", "1", "2", "3"])
    assert read(whole)[1] == ["1"]


def test_a_teller_is_asked_for_all_of_its_fields_at_once() -> None:
    asked: list[Any] = []

    def teller(source: Any, whats: frozenset[Any]) -> Any:
        asked.append((source, whats))
        return Read() if source == "known" else None

    def resolve(_: Any) -> None:
        """Never called here."""

    def other(_: Any) -> None:
        """Nor this one."""

    def always(_: Any) -> None:
        """Nor this one."""

    read_together(resolve, teller, "name", "NAME")
    read_together(other, teller, "stage", "STAGE")
    read_together(always, teller, "name", made=str.upper)
    found = rows(other, AttributeOf("name"), resolve, always)

    assert read("known", found) == ({"0": "lead", "1": None, "2": "Ada", "3": "ADA"}, ["1"])
    assert read("unknown", found) == ({}, ["0", "1", "2", "3"])
    assert asked == [("known", frozenset({"NAME", "STAGE"})), ("unknown", frozenset({"NAME", "STAGE"}))]
    assert not found.together.plain, "who tells is asked each time"


def test_what_is_the_same_for_everybody_is_told_with_the_rest() -> None:
    assert read(Read(), rows(Constant("Contact"), AttributeOf("name"))) == ({"0": "Contact", "1": "Ada"}, [])
    assert read(Read(), rows(Constant("Contact"))) == ({}, ["0"]), "nobody is asked for anything"


class TestSeveral:
    def test_of_the_same_class_in_one_go(self) -> None:
        found = rows(AttributeOf("name"), AttributeOf("stage"))
        assert found.read_each((Read(), Read("Bo", "new")), {Read}) == [
            {"0": "Ada", "1": "lead"},
            {"0": "Bo", "1": "new"},
        ]
        assert found.read_each([], {Read}) == []

    def test_not_if_one_is_of_another_class(self) -> None:
        assert rows(AttributeOf("name")).read_each((Read(), Made("Bo", "new")), {Read}) is UNSURE

    def test_not_if_anything_is_left_of_one(self) -> None:
        odd: Any = 7
        assert rows(AttributeOf("name")).read_each((Read(), Read(odd)), {Read}) is UNSURE
        assert rows(AttributeOf("name"), None).read_each((Read(),), {Read}) is UNSURE

    def test_not_if_one_lacks_something(self) -> None:
        incomplete = Made("Ada", "lead")
        del incomplete.name
        assert rows(AttributeOf("name")).read_each((incomplete,), {Made}) is UNSURE


def test_nothing_is_read_together_where_nobody_says_how() -> None:
    assert read(Read(), rows(None, len)) == ({}, ["0", "1"])


class TestWhatIsShown:
    @pytest.mark.parametrize(
        ("shown", "value", "result", "left"),
        [
            ({str: None}, "Ada", "Ada", []),
            ({str: None}, None, None, [0]),
            ({str: None, type(None): None}, None, None, []),
            ({str: None}, 7, 7, [0]),
            ({str: None, int: None}, 7, 7, []),
            (dict.fromkeys((str, int, float, list, dict)), {}, {}, []),
            (dict.fromkeys((str, int, float, list, dict)), True, True, [0]),
            ({int: str}, 7, "7", []),
            ({int: lambda _: UNSURE}, 7, 7, [0]),
            ({int: lambda _: None}, 7, None, []),
            ({int: Mostly((("real", 7),), str, lambda _: "other")}, 7, "7", []),
            ({int: Mostly((("real", 7), ("imag", 1)), str, lambda _: "other")}, 7, "other", []),
            ({int: Mostly((("real", 8),), str, lambda _: UNSURE)}, 7, 7, [0]),
            ({int: Learnt(str)}, 7, "7", []),
            ({int: Learnt(lambda _: UNSURE)}, 7, 7, [0]),
            ({str: None, int: str, float: int}, 7.5, 7, []),
            ({}, "Ada", "Ada", [0]),
        ],
    )
    def test_a_value_by_its_exact_type(self, shown: Shown, value: Any, result: Any, left: list[int]) -> None:
        assert read(Made(value, "lead"), rows(AttributeOf("name"), shown=shown)) == ({"0": result}, left)

    @pytest.mark.parametrize(
        ("value", "left"),
        [((), [0]), (("one",), [0]), (("one", "two"), [0]), (("one", "one"), ["0"]), (["one"], ["0"]), (7, ["0"])],
    )
    def test_a_list_that_may_be_unfit_is_asked_for_by_itself(self, value: Any, left: list[Any]) -> None:
        def resolve(_: Any) -> None:
            """Never called here."""

        def tells_once(items: Any) -> bool:
            assert len(items) > 1
            return len(set(items)) == len(items)

        read_together(resolve, lambda source, _: source, "name", "NAME", fit=tells_once)
        assert read(Made(value, "lead"), rows(resolve)) == ({"0": value}, left)

    def test_names_in_the_answer_are_no_part_of_the_source(self) -> None:
        name = 'x": __import__("os")}, []\n'
        position = Position(SELECTED, lambda _run, value, _place: value, required=False, shown=AS_IT_IS)
        get = AttributeOf("name")
        found = Rows([(name, get, AS_IT_IS, Field(SELECTED, position, get, None))])
        assert found.read(Read()) == ({name: "Ada"}, [])

    def test_an_attribute_is_one_name(self) -> None:
        with pytest.raises(ValueError, match=r"name\.stage"):
            rows(AttributeOf("name.stage"))


def test_a_field_of_a_type_that_is_shown_as_it_is_needs_no_finish() -> None:
    def finish(*_: Any) -> Any:
        raise AssertionError

    complete: Callable[..., Any] = finish
    run: Any = None
    field = Field(SELECTED, Position(SELECTED, complete, required=True, shown=AS_IT_IS), lambda source: source, None)
    assert field.begin(run, "Ada", (None, "name", "Contact")) == "Ada"
