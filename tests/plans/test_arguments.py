"""Arguments that a plan knows beforehand are those that graphql-core makes of them for each request."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from graphql import FieldNode, GraphQLError, OperationDefinitionNode, build_schema, parse, print_ast
from graphql.execution.values import get_argument_values, get_variable_values

from resolvers.plans.arguments import Arguments
from resolvers.plans.run import Operation, Run, SelectedField

SCHEMA = build_schema("""
    type Query { a(
        text: String, sure: ID!, many: Int = 3, must: Int! = 4,
        colour: Colour = RED, list: [Int] = [1], in: In, yes: Boolean, any: Any
    ): Int }
    input In { one: Int! = 3, more: [In!] }
    enum Colour { RED GREEN }
    scalar Any
""")
# As lasting as any text, but made of what a variable says.
SCHEMA.type_map["Any"].coerce_input_literal = print_ast  # type: ignore[attr-defined]  # it is a scalar
SAID = (
    'sure: "a", any: {a: $s}',
    'sure: "a", list: 7, any: "x"',
    'sure: "a"',
    'sure: "a", text: null, many: 7, must: 1, colour: GREEN, yes: false',
    "sure: 3, list: [1, 2], in: {one: 2}",
    'sure: "a", in: {more: [{one: $n}]}',
    'sure: "a", list: [$n]',
    "sure: $s, text: $s",
    'sure: "a", text: $s, many: $n',
    "sure: $s, must: $n, colour: $c",
    'sure: "a", list: $l, in: $i, yes: $y',
)
DEFINED = "query($s: ID, $n: Int, $c: Colour, $l: [Int], $i: In, $y: Boolean)"
GIVEN: tuple[dict[str, Any], ...] = (
    {},
    dict.fromkeys("snlciy"),
    {"s": "x", "n": 5, "c": "GREEN", "l": [4], "i": {"more": [{}]}, "y": True},
    {"s": "x", "n": None},
    {"n": 5},
)


def asked(arguments: str, given: dict[str, Any]) -> tuple[SelectedField, Run]:
    (definition,) = parse(f"{DEFINED} {{ a({arguments}) }}").definitions
    assert isinstance(definition, OperationDefinitionNode)
    (node,) = definition.selection_set.selections
    query = SCHEMA.query_type
    assert isinstance(node, FieldNode)
    assert query is not None
    variables = get_variable_values(SCHEMA, definition.variable_definitions or (), given)
    assert not isinstance(variables, list)
    operation = Operation(SCHEMA, definition, {}, {})
    run = Run(operation, variables, context_value=None, root_value=None, hide_suggestions=True)
    return SelectedField(query.fields["a"], [node], query), run


def told(make: Any) -> str:
    try:
        return repr(list(make().items()))
    except GraphQLError as error:
        return repr((error.message, error.nodes))


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("copied", [(), ("list",)])
def test_they_are_what_graphql_core_makes_of_them(said: str, copied: tuple[str, ...]) -> None:
    arguments: Arguments | None = None
    for given, _twice in product(GIVEN, range(2)):
        selected, run = asked(said, given)
        # As in a plan: they are looked at once, for every request.
        arguments = arguments or Arguments(selected, None, copied)
        nodes = selected.nodes[0]

        def ordinary(selected: SelectedField = selected, nodes: FieldNode = nodes, run: Run = run) -> Any:
            return get_argument_values(selected.definition, nodes, run.variables, hide_suggestions=True)

        def known(arguments: Arguments = arguments, run: Run = run) -> Any:
            return arguments.values(run)

        assert told(known) == told(ordinary)


@pytest.mark.parametrize("said", ['sure: "a", list: 1', 'sure: "a", list: [1], in: {more: []}'])
def test_what_a_resolver_changes_of_them_is_its_own(said: str) -> None:
    selected, run = asked(said, {})
    arguments = Arguments(selected)
    first = arguments.values(run)
    untouched = repr(first)
    first["list"].append(2)
    first["more"] = 3

    assert repr(arguments.values(run)) == untouched


def test_a_list_that_is_copied_is_coerced_once() -> None:
    selected, run = asked('sure: "a", list: [1], in: {}', {})
    arguments = Arguments(selected, None, ["list", "in"])

    first, second = arguments.values(run), arguments.values(run)

    assert first["list"] is second["list"]
    assert first["in"] is not second["in"]


def test_a_resolver_gets_them_by_its_own_names() -> None:
    names = {name: name.upper() for name in SCHEMA.query_type.fields["a"].args}  # type: ignore[union-attr]  # it is there
    for said in ("sure: $s, text: $s", 'sure: "a", list: [3]'):
        selected, run = asked(said, {"s": "x"})
        ordinary = get_argument_values(selected.definition, selected.nodes[0], run.variables)

        assert Arguments(selected, names).values(run) == {name.upper(): value for name, value in ordinary.items()}
