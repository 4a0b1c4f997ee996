"""The cost of an operation by the IBM specification, worked out by hand on a schema of its own."""

from typing import Annotated, Any

import pytest
import strawberry
from graphql import GraphQLSchema, parse
from graphql.execution.values import VariableValues, get_variable_values

from gateway.http.settings import DocumentLimits
from resolvers.cost_directives import Cost, ListSize, at_most, cost, sliced_by
from resolvers.limits.cost import weigh
from resolvers.refused import LimitExceeded
from tests.limits.conftest import first_operation
from tests.limits.documents import twice


def nothing() -> Any:
    raise AssertionError("no operation of these tests runs")


def resolved(*directives: object) -> Any:
    return strawberry.field(resolver=nothing, directives=directives)


@strawberry.interface
class Thing:
    name: str = resolved()


@strawberry.type
class Cheap(Thing):
    size: int = resolved(cost(0.5))


@strawberry.type(directives=[Cost(weight="4")])
class Dear(Thing):
    parts: list[Cheap] = resolved(at_most(3))
    refund: Cheap = resolved(cost(-9))


@strawberry.type
class Page:
    items: list[Cheap] = resolved(at_most(50))
    others: list[Cheap] = resolved()
    total: int = resolved()
    next: "Page" = resolved()


@strawberry.interface
class Shelf:
    books: Page = resolved()


@strawberry.type
class Small(Shelf):
    books: Page = resolved(ListSize(assumed_size=2, sized_fields=["items"]))


@strawberry.type
class Large(Shelf):
    books: Page = resolved(ListSize(assumed_size=9, sized_fields=["items"]))


@strawberry.input
class Part:
    name: str
    price: int = strawberry.field(default=1, directives=[cost(5)])


@strawberry.input
class Order:
    parts: list[Part]


def _ordered(order: Order, note: Annotated[str, strawberry.argument(directives=[cost(2)])] = "") -> Cheap:
    raise AssertionError((order, note))


def _paged(first: int = 20) -> Page:
    raise AssertionError(first)


def _several(first: int | None = None, last: int | None = None) -> list[Cheap]:
    raise AssertionError((first, last))


@strawberry.type
class Query:
    cheap: Cheap = resolved(cost(10))
    dear: Dear = resolved()
    thing: Thing = resolved()
    things: list[Thing] = resolved(at_most(2))
    unsized: list[Cheap] = resolved()
    page: Page = strawberry.field(resolver=_paged, directives=[sliced_by("first", "items")])
    several: list[Cheap] = strawberry.field(
        resolver=_several, directives=[ListSize(assumed_size=7, slicing_arguments=["first", "last"])]
    )
    ordered: Cheap = strawberry.field(resolver=_ordered)
    shelf: Shelf = resolved()


@pytest.fixture(scope="module")
def priced() -> GraphQLSchema:
    return strawberry.Schema(Query, types=[Cheap, Dear, Small, Large])._schema


def estimate(schema: GraphQLSchema, text: str, variables: dict[str, Any] | None = None, **limits: Any) -> float:
    document = parse(text)
    operation = first_operation(document)
    coerced = get_variable_values(schema, operation.variable_definitions or (), variables or {})
    assert isinstance(coerced, VariableValues)
    told = weigh(document, operation, schema, coerced, DocumentLimits(**{"max_cost": 1e12, **limits}))
    return told["estimated"]


class TestDefaults:
    @pytest.mark.parametrize(
        ("text", "expected"),
        {
            "the root is an object": ("{ __typename }", 1),
            # The field and the object that it answers.
            "an object": ("{ dear { name } }", 1 + 4 + 4),
            "a field's own weight": ("{ cheap { name } }", 1 + 10 + 1),
            "a leaf's own weight": ("{ cheap { size } }", 1 + 10 + 1 + 0.5),
            # Once resolved, three objects.
            "a list": ("{ dear { parts { name } } }", 1 + 8 + 1 + 3),
            "a leaf of each item": ("{ dear { parts { size } } }", 1 + 8 + 1 + 3 * 1.5),
            "a list of unknown length": ("{ unsized { size } }", 1 + 1 + 1.5),
            # -9 and the object: what it saves is nobody else's.
            "a negative weight": ("{ dear { refund { size } } }", 1 + 8 + 0 + 1.5),
        }.values(),
        ids=str,
    )
    def test_it_is_what_the_specification_says(self, priced: GraphQLSchema, text: str, expected: float) -> None:
        assert estimate(priced, text) == expected


class TestListSize:
    @pytest.mark.parametrize(
        ("text", "variables", "expected"),
        {
            "an argument": ("{ page(first: 5) { items { name } } }", {}, 2 + 1 + 1 + 5),
            "its default": ("{ page { items { name } } }", {}, 2 + 1 + 1 + 20),
            "a variable": ("query($n: Int!) { page(first: $n) { items { name } } }", {"n": 30}, 2 + 1 + 1 + 30),
            "a variable's default": ("query($n: Int! = 40) { page(first: $n) { items { name } } }", {}, 2 + 1 + 1 + 40),
            "a variable that is left out": ("query($n: Int) { page(first: $n) { items { name } } }", {}, 24),
            "none": ("{ page(first: 0) { items { name } } }", {}, 2 + 1 + 1),
            "less than none": ("{ page(first: -5) { items { name } } }", {}, 2 + 1 + 1),
            "a list that is not sized": ("{ page(first: 5) { others { name } } }", {}, 2 + 1 + 1 + 1),
            # The size of a page holds for its own items, not for those of the next one.
            "a list of its own size": ("{ page(first: 5) { next { items { name } } } }", {}, 2 + 1 + 2 + 1 + 50),
            "an alias": ("{ page(first: 5) { a: items { name } b: items { name } } }", {}, 2 + 1 + 12),
            "the greatest of several": ("{ several(first: 2, last: 4) { name } }", {}, 1 + 1 + 4),
            "none of several": ("{ several { name } }", {}, 1 + 1 + 7),
            "a null": ("{ several(first: null) { name } }", {}, 1 + 1 + 7),
        }.values(),
        ids=str,
    )
    def test_a_list_is_as_long_as_is_asked_for(
        self, priced: GraphQLSchema, text: str, variables: dict[str, Any], expected: float
    ) -> None:
        assert estimate(priced, text, variables) == expected


class TestArguments:
    @pytest.mark.parametrize(
        ("text", "expected"),
        {
            # The order and its two parts; one names its price.
            "objects": ('{ ordered(order: {parts: [{name: "a"}, {name: "b", price: 2}]}) { name } }', 3 + 3 + 5),
            "one instead of a list": ('{ ordered(order: {parts: {name: "a"}}) { name } }', 3 + 2),
            "an argument's own weight": ('{ ordered(order: {parts: []}, note: "x") { name } }', 3 + 1 + 2),
        }.values(),
        ids=str,
    )
    def test_they_cost_what_is_given(self, priced: GraphQLSchema, text: str, expected: float) -> None:
        assert estimate(priced, text) == expected

    @pytest.mark.parametrize("parts", [0, 1, 100])
    def test_a_variable_costs_the_same_as_its_value(self, priced: GraphQLSchema, parts: int) -> None:
        variables = {"order": {"parts": [{"name": "a", "price": 1}] * parts}}

        assert estimate(priced, "query($order: Order!) { ordered(order: $order) { name } }", variables) == (
            3 + 1 + 6 * parts
        )


class TestSelections:
    @pytest.mark.parametrize(
        ("text", "expected"),
        {
            # A field of an interface costs 1, a Dear 4 and a Cheap 1: the dearest counts.
            "an interface": ("{ thing { name } }", 1 + 1 + 4),
            "one of its types": ("{ thing { ... on Cheap { size } } }", 1 + 1 + 4),
            "both of its types": (
                "{ things { ... on Cheap { size } ... on Dear { parts { size } } } }",
                1 + 1 + 2 * (4 + 1 + 3 * 1.5),
            ),
            "a type that costs less but holds more": (
                "{ thing { ... on Cheap { a: size b: size c: size d: size e: size f: size g: size h: size } } }",
                1 + 1 + 5,
            ),
            "one field of two sizes": ("{ shelf { books { items { name } } } }", 3 + 2 + 1 + 9),
            "skipped": ("{ cheap { size } dear @skip(if: true) { name } }", 1 + 11.5),
            "not included": ("{ cheap { size } ... @include(if: false) { dear { name } } }", 1 + 11.5),
            "included": ("{ cheap { size @include(if: true) } }", 1 + 11.5),
            "twice the same": ("{ cheap { size } cheap { size name } }", 1 + 11.5),
            "under two names": ("{ a: cheap { size } b: cheap { size } }", 1 + 23),
            "a fragment twice": ("{ ...F ...F cheap { name } } fragment F on Query { cheap { size } }", 1 + 11.5),
            "a fragment at two places": (
                "{ a: cheap { ...F } b: cheap { ...F } } fragment F on Thing { ... on Cheap { size } }",
                1 + 23,
            ),
        }.values(),
        ids=str,
    )
    def test_what_is_executed_counts_once(self, priced: GraphQLSchema, text: str, expected: float) -> None:
        assert estimate(priced, text) == expected

    @pytest.mark.parametrize(("skipped", "expected"), [(True, 1), (False, 12.5)])
    def test_a_condition_by_a_variable_counts(self, priced: GraphQLSchema, skipped: bool, expected: float) -> None:
        text = "query($no: Boolean!) { cheap @skip(if: $no) { size } }"

        assert estimate(priced, text, {"no": skipped}) == expected


class TestWork:
    def test_fragments_that_spread_the_next_twice_cost_nothing_to_weigh(self, priced: GraphQLSchema) -> None:
        text = f"{{ ...F0 }} {twice(30)} fragment F30 on Query {{ cheap {{ size }} }}"

        assert estimate(priced, text, max_merged_fields=1_000) == 12.5

    def test_neither_do_those_that_hold_it_twice(self, priced: GraphQLSchema) -> None:
        levels = twice(30, type_="Page", around=("next {", "}"))
        text = f"{{ page {{ ...F0 }} }} {levels} fragment F30 on Page {{ total }}"

        # A billion, worked out with two fields a level.
        assert estimate(priced, text, max_merged_fields=1_000) == 1 + 2 + sum(2 * 2**level for level in range(1, 31))

    def test_more_fields_than_may_be_merged_are_refused(self, priced: GraphQLSchema) -> None:
        text = f"{{ {' '.join(f'a{one}: cheap {{ b{one}: size }}' for one in range(500))} __typename }}"

        with pytest.raises(LimitExceeded) as refused:
            estimate(priced, text, max_merged_fields=1_000)

        assert refused.value.extensions == {
            "code": "LIMIT_EXCEEDED",
            "limit": "maxMergedFields",
            "allowed": 1_000,
            "measured": 1_001,
        }


class TestLimit:
    def test_as_much_as_is_allowed_passes_and_more_does_not(self, priced: GraphQLSchema) -> None:
        assert estimate(priced, "{ cheap { size } }", max_cost=12.5) == 12.5
        with pytest.raises(LimitExceeded) as refused:
            estimate(priced, "{ cheap { size } }", max_cost=12.25)
        assert refused.value.extensions == {
            "code": "LIMIT_EXCEEDED",
            "limit": "maxCost",
            "allowed": 12.25,
            "measured": 12.5,
        }
        assert refused.value.message == "The estimated cost is 12.5; at most 12.25 is allowed."

    def test_it_is_held_where_the_cost_is_not_told(self, priced: GraphQLSchema) -> None:
        with pytest.raises(LimitExceeded):
            estimate(priced, "{ cheap { size } }", max_cost=12, tell_cost="off")
