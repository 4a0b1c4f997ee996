"""Each limit of a document's shape: what just fits passes, one more is refused with both figures."""

import pytest
from graphql import GraphQLSchema, get_introspection_query, parse

from gateway.http.settings import DocumentLimits
from resolvers.limits import nesting
from resolvers.limits.merging import merge
from tests.limits.conftest import Refusal, first_operation
from tests.limits.documents import GENEROUS, MEASURING, twice

DEFAULTS = {name: DocumentLimits.model_fields[name].default for name in GENEROUS}


def camel(setting: str) -> str:
    head, *rest = setting.split("_")
    return head + "".join(word.capitalize() for word in rest)


@pytest.mark.parametrize("setting", MEASURING)
class TestBoundary:
    @pytest.mark.parametrize("allowed", ["a small one", "its default"])
    def test_as_much_as_is_allowed_passes_and_one_more_does_not(
        self, setting: str, allowed: str, refusal: Refusal
    ) -> None:
        limit = DEFAULTS[setting] if allowed == "its default" else 3
        limits = {**GENEROUS, setting: limit}

        assert refusal(MEASURING[setting](limit), **limits) is None
        assert refusal(MEASURING[setting](limit + 1), **limits) == {
            "code": "LIMIT_EXCEEDED",
            "limit": camel(setting),
            "allowed": limit,
            "measured": limit + 1,
        }

    def test_far_beyond_it_is_one_refusal_with_the_figure(self, setting: str, refusal: Refusal) -> None:
        refused = refusal(MEASURING[setting](15), **{**GENEROUS, setting: 2})

        assert refused == {"code": "LIMIT_EXCEEDED", "limit": camel(setting), "allowed": 2, "measured": 15}


def test_every_limit_of_the_shape_is_tried_here() -> None:
    shape = {name for name in DocumentLimits.model_fields if name.startswith("max_")}

    assert shape - {"max_document_tokens", "max_cost"} == set(GENEROUS) == {*MEASURING, "max_merged_fields"}


def test_the_first_limit_that_is_passed_is_told_alone(refusal: Refusal) -> None:
    refused = refusal("{ " + " ".join(f"a{one}: x @aa @bb @cc @dd @ee @ff" for one in range(60)) + " }")

    assert refused == {"code": "LIMIT_EXCEEDED", "limit": "maxAliases", "allowed": 50, "measured": 60}


class TestOrdinaryUse:
    @pytest.mark.parametrize(
        "document",
        [
            "{ contacts { nodes { records { phones { number } } } } }",
            "{ contacts { nodes { records { contact { sources { error { field } } } } } } }",
            '{ contact(id: "a") { records { contact { id } } } }',
            "mutation { a: createContact(input: {}) { query { contacts { nodes { records { id } } } } } }",
            (
                "mutation { upsertContact(input: {}) { results { ... on ProviderWriteFailure { candidates { contact {"
                " records { emails { address } } } } } } } }"
            ),
            '{ node(id: "a") { ... on ContactRecord { contact { records { emails { address } } } } } }',
        ],
    )
    def test_it_passes(self, document: str, refusal: Refusal) -> None:
        assert refusal(document) is None

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"descriptions": False},
            {
                "specified_by_url": True,
                "directive_is_repeatable": True,
                "schema_description": True,
                "input_value_deprecation": True,
            },
        ],
    )
    def test_so_does_the_introspection_of_every_tool(self, options: dict[str, bool], refusal: Refusal) -> None:
        assert refusal(get_introspection_query(**options)) is None

    def test_one_operation_of_several_is_measured(self, refusal: Refusal) -> None:
        deep = MEASURING["max_depth"](30).replace("Q0", "Deep")

        assert refusal(f"query Q0 {{ __typename }} {deep}") is None


class TestPaths:
    def test_one_contact_within_itself_is_refused_by_name(self, refusal: Refusal) -> None:
        refused = refusal('{ contact(id: "a") { records { contact { records { contact { id } } } } } }')

        assert refused == {"code": "LIMIT_EXCEEDED", "limit": "maxSelfReference", "allowed": 1, "measured": 2}

    def test_beside_itself_is_not_within_itself(self, refusal: Refusal) -> None:
        assert (
            refusal('{ a: contact(id: "a") { records { id } x: records { name } } b: contact(id: "b") { id } }') is None
        )

    @pytest.mark.parametrize("setting", ["max_depth", "max_list_depth", "max_self_reference"])
    def test_what_is_spread_counts_where_it_is_spread(self, setting: str, refusal: Refusal) -> None:
        chain = " ".join(
            f"fragment F{one} on Contact {{ records {{ ... on ContactRecord {{ contact {{ ...F{one + 1} }} }} }} }}"
            for one in range(3)
        )
        document = f'{{ contact(id: "a") {{ ...F0 }} }} {chain} fragment F3 on Contact {{ tags }}'
        measured = {"max_depth": 8, "max_list_depth": 4, "max_self_reference": 3}[setting]

        assert refusal(document, **{**GENEROUS, setting: measured}) is None
        refused = refusal(document, **{**GENEROUS, setting: measured - 1})
        assert refused is not None
        assert (refused["limit"], refused["measured"]) == (camel(setting), measured)

    @pytest.mark.parametrize(
        "document",
        [
            '{ __type(name: "Contact") { fields { type { fields { type { fields { name } } } } } } }',
            "{ __schema { queryType { interfaces { possibleTypes { inputFields { name } } } } } }",
            (
                "{ ...A } fragment A on Query { __schema { types { ...B } } }"
                " fragment B on __Type { fields { type { ...C } } }"
                " fragment C on __Type { fields { type { fields { name } } } }"
            ),
        ],
    )
    def test_introspection_in_circles_is_refused(self, document: str, refusal: Refusal) -> None:
        refused = refusal(document)

        assert refused == {"code": "LIMIT_EXCEEDED", "limit": "maxIntrospectionDepth", "allowed": 2, "measured": 3}


class TestRepeatedNames:
    @pytest.mark.parametrize(
        "document",
        [
            "{ __typename __typename ... { __typename } ...A ...A } fragment A on Query { __typename }",
            (
                "{ contacts { totalCount } contacts { totalCount totalCount } ...A }"
                " fragment A on Query { contacts { totalCount } }"
            ),
            '{ node(id: "a") { id ... on Contact { id } ... on ContactRecord { id id } } }',
            "{ a: __typename a: __typename a: __typename a: __typename }",
        ],
    )
    def test_they_count_where_they_are_merged(self, document: str, refusal: Refusal) -> None:
        assert refusal(document, max_repeated_names=4) is None
        refused = refusal(document, max_repeated_names=3)
        assert refused == {"code": "LIMIT_EXCEEDED", "limit": "maxRepeatedNames", "allowed": 3, "measured": 4}

    def test_different_places_do_not_add_up(self, refusal: Refusal) -> None:
        document = "{ a: contacts { totalCount } b: contacts { totalCount } c: contacts { totalCount } }"

        assert refusal(document, max_repeated_names=1) is None

    def test_a_page_of_typenames_is_refused(self, refusal: Refusal) -> None:
        refused = refusal("{ " + "__typename " * 2_500 + "}")

        assert refused == {"code": "LIMIT_EXCEEDED", "limit": "maxRepeatedNames", "allowed": 100, "measured": 2_500}


class TestMergedFields:
    def test_a_fragment_counts_once_for_each_place(self) -> None:
        document = parse(
            "{ a: contact(id: 1) { ...F x: id } b: contact(id: 2) { ...F x: name } } fragment F on Contact { id name }"
        )

        # The two roots, two times three below them, and the fragment on its own.
        assert merge(document, at_most=100).visited == 10

    def test_it_stops_once_it_is_beyond_the_limit(self, refusal: Refusal) -> None:
        spreads = " ".join(f"a{one}: contact(id: {one}) {{ x{one}: id ...F }}" for one in range(15))
        document = f"{{ {spreads} }} fragment F on Contact {{ {'id ' * 99} }}"

        assert refusal(document, max_merged_fields=1_614) is None
        refused = refusal(document, max_merged_fields=1_613)
        assert refused == {"code": "LIMIT_EXCEEDED", "limit": "maxMergedFields", "allowed": 1_613, "measured": 1_614}


class TestWork:
    """Figures of what is looked at, not of time: 30 levels would be a billion."""

    def test_each_fragment_is_measured_once(self, schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch) -> None:
        looked_at: list[int] = []
        measure_below = nesting._Measuring.below

        def counted(self: nesting._Measuring, *given: object) -> nesting.Nesting:
            looked_at.append(1)
            return measure_below(self, *given)  # type: ignore[arg-type]  # passed on as it came

        monkeypatch.setattr(nesting._Measuring, "below", counted)
        text = f"{{ ...F0 }} {twice(30)} fragment F30 on Query {{ contacts {{ nodes {{ id }} }} }}"
        document = parse(text)

        measured = nesting.measure(document, first_operation(document), schema)

        assert len(text) < 1_300
        assert (measured.depth, measured.lists) == (3, 1)
        assert len(looked_at) == 34

    def test_fields_that_hold_the_next_fragment_twice_are_merged_once(self) -> None:
        levels = twice(30, type_="Contact", around=("records { contact {", "} }"))
        document = parse(f"{{ contact(id: 1) {{ ...F0 }} }} {levels} fragment F30 on Contact {{ id }}")

        assert merge(document, at_most=10_000).visited < 300

    def test_no_document_within_the_limits_is_merged_for_long(self) -> None:
        """Fragments whose every combination is another one: 2 to the power of the levels."""
        levels = " ".join(
            f"fragment A{one} on Contact {{ a: records {{ contact {{ ...A{one + 1} }} }}"
            f" b: records {{ contact {{ ...A{one + 1} ...B{one + 1} }} }} }}"
            f" fragment B{one} on Contact {{ a: records {{ contact {{ ...B{one + 2} }} }}"
            f" b: records {{ contact {{ ...A{one + 1} }} }} }}"
            for one in range(40)
        )
        document = parse(f"{{ contact(id: 1) {{ ...A0 ...B0 }} }} {levels}")

        assert merge(document, at_most=20_000).visited <= 20_200
