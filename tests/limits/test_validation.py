"""Validation ends in time, with at most ten errors, and says one thing once."""

from typing import Any

import pytest
from graphql import GraphQLError, GraphQLSchema, parse
from graphql.validation import validation_context
from graphql.validation.rules import overlapping_fields_can_be_merged as merging

from gateway.http.settings import DocumentLimits
from resolvers.limits import validation
from resolvers.limits.validation import Watch, check
from resolvers.refused import LimitExceeded
from tests.limits.conftest import Refusal
from tests.limits.documents import twice

LEAVES = (
    "id name firstName lastName company website status stage notes customFields unsubscribed externalId createdAt"
    " updatedAt lastContactedAt tags"
)
SPREADS = [" ".join(f"...F{other}" for other in range(one + 1, 60)) for one in range(60)]
MESH = " ".join(
    f"fragment F{one} on Query {{ contacts {{ nodes {{ id }} }} {spreads} }}" for one, spreads in enumerate(SPREADS)
)
# Within every limit of their shape, and as much work as that leaves.
HOSTILE = {
    "every field a hundred times": "{ contacts { nodes { "
    + " ".join(f"{name} " * 100 for name in LEAVES.split())
    + "} } }",
    "arguments a hundred times": "{ "
    + 'contacts(first: 1, filter: {search: "a", stage: "b", tag: "c"}) { totalCount } ' * 100
    + "}",
    "objects a hundred times": "{ " + "contacts { nodes { id name records { id } } } " * 100 + "}",
    "fragments that each spread the next twice": f"{{ ...F0 }} {twice(30)} fragment F30 on Query {{ __typename }}",
    "fragments that all spread each other": f"{{ {' '.join(f'...F{one}' for one in range(60))} }} {MESH}",
    "a hundred fragments at one place": "{ "
    + " ".join(f"contacts {{ nodes {{ ...F{one} }} }}" for one in range(100))
    + " }"
    + " ".join(
        f"fragment F{one} on Contact {{ id name emails {{ address }} records {{ id provider }} }}" for one in range(100)
    ),
    "ids without end": "{ nodes(ids: [" + '"a" ' * 4_900 + "]) { id } }",
}


class Ticking:
    """A clock that goes on by so much at each look."""

    def __init__(self, seconds: float = 1.0) -> None:
        self._seconds = seconds
        self.looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return self.looks * self._seconds


def checked(schema: GraphQLSchema, text: str, *, introspection: bool = True, **given: Any) -> list[GraphQLError]:
    limits = DocumentLimits(**given.pop("limits", {}))
    return check(schema, parse(text), limits, introspection=introspection, **given)


class TestTime:
    def test_it_is_up_at_a_node(self, schema: GraphQLSchema) -> None:
        """Beginning is the first look; the document, its operation and their parts are one each."""
        text = "{ contacts { nodes { id } } }"
        clock = Ticking()
        assert checked(schema, text, clock=clock, limits={"validation_seconds": 600}) == []

        used = clock.looks - 1
        assert checked(schema, text, clock=Ticking(), limits={"validation_seconds": used}) == []
        with pytest.raises(LimitExceeded) as refused:
            checked(schema, text, clock=Ticking(), limits={"validation_seconds": used - 1})
        assert refused.value.extensions == {
            "code": "LIMIT_EXCEEDED",
            "limit": "validationSeconds",
            "allowed": used - 1,
            "measured": used,
        }

    def test_it_is_up_in_the_middle_of_comparing_fields(self, schema: GraphQLSchema) -> None:
        """At the first node of the operation, long before the last of its fields is visited."""
        text = HOSTILE["every field a hundred times"]
        nodes_before_comparing = 10

        with pytest.raises(LimitExceeded) as refused:
            checked(schema, text, clock=Ticking(), limits={"validation_seconds": nodes_before_comparing + 50})

        assert (refused.value.extensions or {})["limit"] == "validationSeconds"

    def test_comparing_looks_at_the_watch_every_thousand_times(self, schema: GraphQLSchema) -> None:
        text = "{ contacts { nodes { " + "id " * 100 + "} } }"
        few, many = Ticking(), Ticking()
        checked(schema, text, clock=few, limits={"validation_seconds": 600})
        checked(schema, "{ contacts { nodes { id } } }", clock=many, limits={"validation_seconds": 600})

        # 99 more fields with a name each, and 4,950 pairs of them at two a pair.
        assert few.looks - many.looks == 99 * 2 + 9

    def test_a_watch_that_has_time_says_nothing(self) -> None:
        Watch(1.0, iter([0.0, 1.0]).__next__).look()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
class TestHostile:
    def test_the_shape_alone_does_not_refuse_it(self, text: str, refusal: Refusal) -> None:
        assert refusal(text) is None
        parse(text, max_tokens=5_000)

    def test_it_is_checked_with_few_visits_and_comparisons(
        self, text: str, schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As many visits as 5,000 tokens have nodes, and less than the 500,000 that graphql-core compares."""
        compared: list[int] = []
        spend = merging.spend_complexity_budget
        monkeypatch.setattr(
            merging, "spend_complexity_budget", lambda context, cost: compared.append(cost) or spend(context, cost)
        )
        clock = Ticking(0)

        checked(schema, text, clock=clock)

        assert clock.looks < 15_000
        assert sum(compared) < 400_000


class TestComparisons:
    def test_more_than_graphql_core_makes_are_refused_with_the_figure(
        self, schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(merging, "MAX_COMPLEXITY_BUDGET", 1_000)

        with pytest.raises(LimitExceeded) as refused:
            checked(schema, "{ contacts { nodes { " + "id " * 100 + "} } }")

        assert refused.value.extensions == {
            "code": "LIMIT_EXCEEDED",
            "limit": "comparisons",
            "allowed": 1_000,
            "measured": 1_002,
        }

    def test_as_many_as_it_makes_are_fine(self, schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(merging, "MAX_COMPLEXITY_BUDGET", 9_902)

        assert checked(schema, "{ contacts { nodes { " + "id " * 100 + "} } }") == []


class TestErrors:
    def test_ten_are_told(self, schema: GraphQLSchema) -> None:
        errors = checked(schema, "{ contacts { " + " ".join(f"x{one}" for one in range(9)) + " } }")

        assert len(errors) == 9
        assert all(error.message.startswith("Cannot query field") for error in errors)

    def test_the_tenth_says_that_there_are_more(self, schema: GraphQLSchema) -> None:
        errors = checked(schema, "{ contacts { " + " ".join(f"x{one}" for one in range(10)) + " } }")

        assert len(errors) == 10
        assert errors[-1].message == "There are more mistakes; these are the first 9."

    def test_a_document_that_graphql_core_gives_up_on_is_one_error(
        self, schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(validation_context, "MAX_FRAGMENT_WORK", 1)

        (error,) = checked(schema, f"{{ unknown ...F0 }} {twice(5)} fragment F5 on Query {{ __typename }}")

        assert error.message.startswith("The document is too entangled")

    @pytest.mark.parametrize("times", [2, 5])
    def test_a_directive_that_is_repeated_is_one_error_for_each_place(self, times: int, schema: GraphQLSchema) -> None:
        text = (
            f"{{ __typename {'@skip(if: false) ' * times} contacts {{ totalCount {'@include(if: true) ' * times} }} }}"
        )

        assert [error.message for error in checked(schema, text)] == [
            "The directive '@skip' can only be used once at this location.",
            "The directive '@include' can only be used once at this location.",
        ]

    def test_two_directives_that_are_both_repeated_at_one_place_are_one_error(self, schema: GraphQLSchema) -> None:
        text = "{ __typename @skip(if: false) @include(if: true) @skip(if: false) @include(if: true) }"

        assert len(checked(schema, text)) == 1

    @pytest.mark.parametrize("introspection", [True, False])
    def test_names_are_suggested_only_where_they_may_be_asked_for(
        self, introspection: bool, schema: GraphQLSchema
    ) -> None:
        (error,) = checked(schema, "{ contcts { totalCount } }", introspection=introspection)

        assert ("Did you mean" in error.message) is introspection

    def test_introspection_that_is_off_is_refused(self, schema: GraphQLSchema) -> None:
        text = '{ __schema { queryType { name } } __type(name: "Contact") { name } __typename }'

        assert checked(schema, text) == []
        assert len(checked(schema, text, introspection=False)) >= 2


def test_every_rule_of_the_specification_is_held() -> None:
    rules = validation._rules(Watch(1.0), introspection=True)

    # One is left to our own limit, one is added in front, and Strawberry adds two.
    assert len(rules) == len(validation.specified_rules) - 1 + 3
