"""Variables whose types are known beforehand are coerced as graphql-core itself coerces them."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse
from graphql.execution.values import VariableValues, get_variable_values

from resolvers.known_variables import KnownVariables

SCHEMA = build_schema("""
    type Query { a(b: ID, c: In, d: Float, e: Colour, f: Flat): Int }
    input In { one: Int! = 3, more: [In!], text: String }
    input Flat { text: String!, one: Int! = 3, colours: [Colour!], parts: [Part], either: Either, rate: Float = null }
    input Part { id: ID!, marked: Boolean = false }
    input Either @oneOf { number: Int, text: String }
    enum Colour { RED GREEN }
""")
TYPES = ("String", "ID", "Int", "Float", "Boolean", "Colour", "In", "[ID!]", "[[Int]]", "[In]", "Flat", "[Flat!]")
VALUES = ("", "a", "RED", 0, 7, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2.0, 2.5, True, None, [], ["a", 3], [[1]], {})
NESTED = ({"one": 1}, {"one": None}, {"more": [{"text": "b"}]}, {"more": {"one": "x"}}, {"none": 1}, "left out")
# Of the type Flat, each as it is and with something else in the place of each of its values.
WHOLE = {"parts": [{"marked": True, "id": "i"}, None], "text": "b", "one": 4, "colours": ["GREEN"], "rate": 0.5}
FLAT = (
    {"text": "b"},
    {"text": "b", "none": 1},
    {"text": "b", "either": {"text": "c"}},
    {"text": "b", "either": {"text": "c", "number": 1}},
    {"text": "b", "either": {"text": None}},
    {"text": "b", "parts": [{}]},
    {"text": "b", "parts": [{"id": "i", "marked": None}]},
    {"text": "b", "parts": [{"id": "i", "marked": 1}]},
    WHOLE,
    *({**WHOLE, name: value} for name in WHOLE for value in ("a", "RED", 1, 2**31, 1.5, True, None, [], ["RED"], {})),
    *({key: value for key, value in WHOLE.items() if key != name} for name in WHOLE),
)


def operation(definitions: str) -> OperationDefinitionNode:
    (found,) = parse(f"query({definitions}) {{ __typename }}").definitions
    assert isinstance(found, OperationDefinitionNode)
    return found


def both(definitions: str, given: dict[str, Any]) -> tuple[VariableValues | None, Any]:
    asked = operation(definitions)
    return KnownVariables(asked, SCHEMA).coerce(given), get_variable_values(
        SCHEMA, asked.variable_definitions or (), given
    )


def shown(values: VariableValues) -> str:
    """The order and the types of the values included."""
    sources = [(name, str(one.signature.type), one.value) for name, one in values.sources.items()]
    return repr((values.coerced, sources))


@pytest.mark.parametrize("ending", ["", "!", " = null"])
@pytest.mark.parametrize("type_", TYPES)
def test_each_value_is_what_graphql_core_makes_of_it(type_: str, ending: str) -> None:
    for value in (*VALUES, *NESTED, *FLAT):
        given = {} if value == "left out" else {"a": value, "unknown": 1}
        known, ordinary = both(f"$a: {type_}{ending}", given)

        if known is None:
            # Something is wrong with it, or a default is taken.
            assert isinstance(ordinary, list) or given == {}
        else:
            assert shown(known) == shown(ordinary)


def test_plain_values_need_not_be_asked_for() -> None:
    known, ordinary = both("$a: ID!, $b: Int, $c: Boolean!, $d: String", {"d": None, "c": False, "a": "x"})

    assert known is not None
    assert shown(known) == shown(ordinary)
    assert list(known.coerced.items()) == [("a", "x"), ("c", False), ("d", None)]


@pytest.mark.parametrize("value", [WHOLE, {"text": "b"}, {**WHOLE, "colours": [], "parts": None}])
def test_what_is_as_it_should_be_is_coerced_without_graphql_core(
    value: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = operation("$a: Flat!, $b: [Part!]")
    known = KnownVariables(asked, SCHEMA)
    given = {"a": {**value, "rate": None}, "b": [{"id": "i"}]}
    ordinary = get_variable_values(SCHEMA, asked.variable_definitions or (), given)
    assert isinstance(ordinary, VariableValues)

    def fail(*_: Any) -> None:
        raise AssertionError("graphql-core was asked")

    monkeypatch.setattr("resolvers.known_variables.coerce_input_value", fail)
    monkeypatch.setattr("resolvers.known_inputs.coerce_input_value", fail)
    coerced = known.coerce(given)

    assert coerced is not None
    assert shown(coerced) == shown(ordinary)


def test_several_are_wrong_together() -> None:
    chance = Random(7)
    for _ in range(500):
        types = [f"$v{number}: {chance.choice(TYPES)}{chance.choice(['', '!'])}" for number in range(3)]
        given = {f"v{number}": chance.choice(VALUES) for number in range(3) if chance.random() < 0.8}
        known, ordinary = both(", ".join(types), given)

        assert (known is None) == isinstance(ordinary, list)
        assert known is None or shown(known) == shown(ordinary)


@pytest.mark.parametrize("levels", [150, 3_000])
def test_what_nests_too_deep_is_left_to_graphql_core(levels: int) -> None:
    deep: Any = {"one": 1}
    for _ in range(levels):
        deep = {"more": [deep]}

    known, ordinary = both("$a: In", {"a": deep})

    assert known is None
    assert [error.message for error in ordinary] == ["Variable values are nested too deeply."]
