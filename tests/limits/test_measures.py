"""The measures against the slow and obvious way of taking them; and any document at all, valid or not."""

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from resolvers.limits.merging import merge
from resolvers.limits.nesting import measure
from tests.limits.conftest import Refusal, first_operation

NAMES = st.sampled_from(["contacts", "nodes", "records", "contact", "emails", "id", "tags", "unknown", "__typename"])
TYPES = st.sampled_from(["Query", "Contact", "ContactRecord", "Node", "Missing", "String"])


def selections(spreads: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    leaf = st.one_of(NAMES, NAMES.map(lambda name: f"a: {name}"), spreads)
    return st.recursive(
        st.lists(leaf, min_size=1, max_size=3).map(lambda some: "{ " + " ".join(some) + " }"),
        lambda inner: st.lists(
            st.one_of(
                leaf,
                st.tuples(NAMES, inner).map(" ".join),
                st.tuples(TYPES, inner).map(lambda pair: f"... on {pair[0]} {pair[1]}"),
                inner.map(lambda below: f"... {below}"),
            ),
            min_size=1,
            max_size=3,
        ).map(lambda some: "{ " + " ".join(some) + " }"),
        max_leaves=8,
    )


def documents(*, circles: bool) -> st.SearchStrategy[str]:
    """An operation and three fragments; without circles each spreads only those after it."""

    def spreads(first: int) -> st.SearchStrategy[str]:
        known = [f"...F{one}" for one in range(0 if circles else first, 3)]
        return st.sampled_from([*known, "...Missing"])

    fragments = [
        st.tuples(TYPES, selections(spreads(one + 1))).map(
            lambda pair, one=one: f"fragment F{one} on {pair[0]} {pair[1]}"  # type: ignore[misc]  # a bound default
        )
        for one in range(3)
    ]
    return st.tuples(selections(spreads(0)), *fragments).map(" ".join)


def paths(
    document: DocumentNode, schema: GraphQLSchema, selections: SelectionSetNode, parent: Any
) -> list[list[tuple[str | None, int]]]:
    """Every path of fields, unfolded: of each field its coordinate, if it holds others, and how many lists it is."""
    found = []
    for node in selections.selections:
        if isinstance(node, FragmentSpreadNode):
            for one in document.definitions:
                if isinstance(one, FragmentDefinitionNode) and one.name.value == node.name.value:
                    type_ = schema.get_type(one.type_condition.name.value)
                    found += paths(document, schema, one.selection_set, type_)
        elif isinstance(node, InlineFragmentNode):
            type_ = schema.get_type(node.type_condition.name.value) if node.type_condition else parent
            found += paths(document, schema, node.selection_set, type_)
        elif isinstance(node, FieldNode):
            field = getattr(parent, "fields", {}).get(node.name.value)
            coordinate = f"{parent.name}.{node.name.value}" if field and node.selection_set else None
            own = (coordinate, str(field.type).count("[") if field else 0)
            type_ = get_named_type(field.type) if field else None
            below = paths(document, schema, node.selection_set, type_) if node.selection_set else []
            found += [[own, *one] for one in below or [[]]]
    return found


@given(text=documents(circles=False))
def test_nesting_is_what_the_unfolded_document_shows(schema: GraphQLSchema, text: str) -> None:
    document = parse(text)
    operation = first_operation(document)

    measured = measure(document, operation, schema)

    every = paths(document, schema, operation.selection_set, schema.query_type) or [[]]
    assert measured.depth == max(len(path) for path in every)
    assert measured.lists == max(sum(lists for _, lists in path) for path in every)
    coordinates = [[coordinate for coordinate, _ in path if coordinate] for path in every]
    times = [path.count(one) for path in coordinates for one in path]
    assert measured.most_within[1] == max(times, default=0)


@given(text=documents(circles=True))
def test_no_document_is_too_odd_to_be_measured(refusal: Refusal, text: str) -> None:
    refused = refusal(text)

    assert refused is None or refused["measured"] > refused["allowed"]


@given(text=documents(circles=True), at_most=st.integers(0, 50))
def test_merging_ends_soon_after_its_limit(text: str, at_most: int) -> None:
    # One more selection set may be looked at whole.
    assert merge(parse(text), at_most=at_most).visited <= at_most + len(text)


def test_a_chain_of_fragments_longer_than_the_stack_is_measured(schema: GraphQLSchema) -> None:
    chain = " ".join(
        f"fragment F{one} on Contact {{ records {{ contact {{ ...F{one + 1} }} }} }}" for one in range(900)
    )
    document = parse(f"{{ contact(id: 1) {{ ...F0 }} }} {chain} fragment F900 on Contact {{ id }}")

    measured = measure(document, first_operation(document), schema)

    assert (measured.depth, measured.lists, measured.most_within[1]) == (1_802, 900, 900)


def test_a_definition_as_deep_as_the_parser_takes_is_measured(schema: GraphQLSchema) -> None:
    document = parse("{ contact " * 199 + "{ id }" + " }" * 199)

    assert measure(document, first_operation(document), schema).depth == 200
