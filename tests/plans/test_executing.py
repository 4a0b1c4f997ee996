"""What a plan answers, rule by rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from resolvers.plans.run import is_awaited
from resolvers.plans.together import ToldList
from tests.plans.small import Box, Size, Thing, asked, told


class TestSelecting:
    def test_mentions_of_one_name_are_merged_in_the_order_of_the_first(self) -> None:
        document = "{ part { name } b: tags part { count ...F name } } fragment F on Part { size }"

        assert list(asked(document).data or {}) == ["part", "b"]
        assert list((asked(document).data or {})["part"]) == ["name", "count", "size"]

    def test_an_alias_is_a_field_of_its_own(self) -> None:
        assert asked("{ a: part { x: name } b: part { y: name } }").data == {
            "a": {"x": "thing"},
            "b": {"y": "thing"},
        }

    @pytest.mark.parametrize(
        ("skip", "include", "there"),
        [(False, True, True), (True, True, False), (False, False, False), (True, False, False)],
    )
    def test_skip_and_include_both_have_to_let_it_be(self, skip: bool, include: bool, there: bool) -> None:
        document = "query($s: Boolean!, $i: Boolean!) { name tags @skip(if: $s) @include(if: $i) }"

        assert ("tags" in (asked(document, s=skip, i=include).data or {})) is there

    def test_literal_conditions_need_no_variable(self) -> None:
        document = "{ name @skip(if: true) tags @include(if: true) ... @include(if: false) { slow } }"

        assert asked(document).data == {"tags": ["a", "b"]}

    def test_fragments_apply_by_type(self) -> None:
        document = """{
          named { __typename ... on Named { name } ... on Part { size } ... on Crate { count } }
          either { ... on Named { name } ...C }
        } fragment C on Crate { count }"""
        things = Thing(parts=[Thing("a"), Box("b"), None])

        assert told(asked(document.replace("either { ... on Named { name } ...C }", ""), things)) == (
            {
                "named": [
                    {"__typename": "Part", "name": "a", "size": "SMALL"},
                    {"__typename": "Crate", "name": "b", "count": 1},
                    None,
                ]
            },
            [],
        )
        assert asked(document, Thing(parts=[Thing("a"), Box("b")])).data["either"] == [  # type: ignore[index]
            {"name": "a"},
            {"name": "b", "count": 1},
        ]

    def test_each_item_is_asked_whether_it_is_of_its_type_though_others_of_its_class_are(self) -> None:
        root = Thing(parts=[Thing(parts=[Thing()]), Thing(parts=[Thing(), Thing(is_part=False)])])

        data, errors = told(asked("{ part { parts { parts { name } } } }", root))

        assert data == {"part": None}
        assert [path for _, path in errors] == [["part", "parts", 1, "parts", 1]]

    def test_objects_that_tell_themselves_are_told_by_nobody_else(self) -> None:
        class Listed(ToldList):
            def __iter__(self) -> Iterator[Thing]:
                return iter([Thing("a"), Thing("b")])

            def tellers(self, whats: frozenset[Any]) -> Any:
                raise AssertionError(whats)

        root = Thing(parts=[Thing(parts=Listed()), Thing(parts=Listed())])

        assert asked("{ part { parts { parts { name } } } }", root).data == {
            "part": {"parts": [{"parts": [{"name": "a"}, {"name": "b"}]}] * 2}
        }


class TestNull:
    def test_an_exception_in_the_place_of_a_value_is_raised_there(self) -> None:
        assert told(asked("{ part { name } tags }", Thing(name=ValueError("gone")))) == (
            {"part": {"name": None}, "tags": ["a", "b"]},
            [("gone", ["part", "name"])],
        )

    def test_null_goes_up_to_where_it_may_stand(self) -> None:
        deep = Thing(part=Thing(parts=[Thing(), Thing(count=None)]))

        assert told(asked("{ part { name part { parts { count } } } }", deep)) == (
            {"part": {"name": "thing", "part": None}},
            [("Cannot return null for non-nullable field Part.count.", ["part", "part", "parts", 1, "count"])],
        )

    def test_null_may_go_up_to_the_whole_answer(self) -> None:
        data, errors = told(asked("{ name sure { count } }", Thing(count="many")))

        assert (data, [path for _, path in errors]) == (None, [["sure", "count"]])

    def test_every_error_is_told_where_it_is(self) -> None:
        document = "{\n  name\n  part { tags\n    size }\n}"
        result = asked(document, Thing(name=[], tags=["a", None], size="huge"))

        assert result.data == {"name": None, "part": {"tags": None, "size": None}}
        assert [
            (error.path, [(one.line, one.column) for one in error.locations or []]) for error in result.errors or []
        ] == [
            (["name"], [(2, 3)]),
            (["part", "tags", 1], [(3, 10)]),
            (["part", "size"], [(4, 5)]),
        ]

    def test_what_fails_below_a_place_that_is_null_already_is_not_told(self) -> None:
        # Both counts are null; the first one makes their list null.
        things = Thing(parts=[Thing(count=None), Thing(count=None)])

        assert told(asked("{ part { parts { count } } }", things)) == (
            {"part": None},
            [("Cannot return null for non-nullable field Part.count.", ["part", "parts", 0, "count"])],
        )


@pytest.mark.parametrize(
    ("value", "shown"),
    [("text", "text"), (True, "true"), (3, "3"), (None, None), (Size.SMALL, "Size.SMALL")],
)
def test_a_text_is_told_as_graphql_core_tells_it(value: Any, shown: str | None) -> None:
    assert told(asked("{ name }", Thing(name=value))) == ({"name": shown}, [])


@pytest.mark.parametrize(("value", "shown"), [(7, 7), (True, 1), ("7", 7), (2.0, 2)])
def test_a_number_is_told_as_graphql_core_tells_it(value: Any, shown: int) -> None:
    data = asked("{ part { count } }", Thing(count=value)).data or {}

    assert (repr(data["part"]["count"])) == repr(shown)


@pytest.mark.parametrize("value", [2**31, 1.5, "many", float("nan")])
def test_a_number_that_is_none_is_an_error(value: Any) -> None:
    assert [path for _, path in told(asked("{ part { count } }", Thing(count=value)))[1]] == [["part", "count"]]


def test_a_class_that_makes_its_attributes_itself_is_asked_for_each_of_its_instances() -> None:
    class Chameleon:
        def __init__(self, *, awaited: bool) -> None:
            self.awaited = awaited

        def __getattr__(self, name: str) -> Any:
            if name == "__await__" and self.awaited:
                return None
            raise AttributeError(name)

    assert [is_awaited(Chameleon(awaited=one)) for one in (False, True, False)] == [False, True, False]


class TestTime:
    def test_fields_of_a_query_run_at_the_same_time(self) -> None:
        thing = Thing()
        result = asked('{ a: slow(turns: 2, name: "a") b: slow(turns: 1, name: "b") name }', thing)

        assert list(result.data or {}) == ["a", "b", "name"]
        assert thing.log == ["a begins", "b begins", "b ends", "a ends"]

    def test_fields_of_a_mutation_run_one_by_one(self) -> None:
        thing = Thing()
        result = asked('mutation { a: slow(turns: 2, name: "a") b: slow(name: "b") count }', thing)

        assert result.data == {"a": "a", "b": "b", "count": 1}
        assert thing.log == ["a begins", "a ends", "b begins", "b ends"]

    def test_a_mutation_ends_with_what_cannot_be_null(self) -> None:
        thing = Thing(name="x", count=None)
        data, errors = told(asked('mutation { a: slow(name: "a") count b: slow(name: "b") }', thing))

        assert (data, [path for _, path in errors]) == (None, [["count"]])
        assert thing.log == ["a begins", "a ends"]


class TestResolvers:
    def test_a_resolver_with_arguments_gets_them_and_the_info(self) -> None:
        document = 'query($t: String!) { a: said b: said(text: $t, times: 2) c: said(text: "z") }'

        assert asked(document, t="x").data == {"a": "a: nothing", "b": "b: xx", "c": "c: z"}

    def test_extensions_and_permissions_of_a_field_count(self) -> None:
        assert told(asked("{ loud forbidden }")) == (
            {"loud": "LOUD", "forbidden": None},
            [("nobody may", ["forbidden"])],
        )
