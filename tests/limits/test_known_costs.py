"""A cost that was estimated before is told again only where nothing can have changed it."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLSchema, parse
from graphql.execution.values import VariableValues, get_variable_values
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.settings import DocumentLimits
from resolvers.limits.cost import weigh
from resolvers.limits.known_costs import KnownCosts
from tests.conftest import Gateway
from tests.limits.conftest import first_operation

PAGE = """query ($n: Int!, $yes: Boolean = true) {
  contacts(first: $n) { nodes { name emails @include(if: $yes) { address } } }
}"""
CREATE = "mutation ($input: CreateContactInput!) { createContact(input: $input) { status } }"
SEVERAL = """mutation (
  $input: CreateContactInput!, $emails: [EmailInput!], $klen: KlenFieldsInput, $dry: Boolean = false
) {
  createContact(input: $input) { results { provider warnings { code } } }
  other: createContact(input: {emails: $emails, klen: $klen, dryRun: $dry}) {
    status
    contact @include(if: $dry) { name }
  }
}"""
BY_IDS = """query ($ids: [ID!]!, $text: String) {
  nodes(ids: $ids) { id } contacts(filter: {search: $text}) { nodes { id } }
}"""


EMAILS = st.lists(st.just({"address": "ines@aalto.test"}), max_size=3)
KLEN = st.sampled_from([{}, {"teamId": 1}, {"industryContext": {"emails": [{"address": "a"}, [[]]]}}])
DRAFTS = st.fixed_dictionaries(
    {}, optional={"emails": st.none() | EMAILS, "klen": st.none() | KLEN, "tags": st.just(["a"])}
)
INPUTS = st.fixed_dictionaries(
    {"input": DRAFTS}, optional={"emails": st.none() | EMAILS, "klen": st.none() | KLEN, "dry": st.booleans()}
)


class Costs:
    def __init__(self, schema: GraphQLSchema, text: str) -> None:
        self._schema, self._document = schema, parse(text)
        self._operation = first_operation(self._document)
        self.known = KnownCosts(self._operation, schema)

    def variables(self, given: dict[str, Any]) -> VariableValues:
        coerced = get_variable_values(self._schema, self._operation.variable_definitions or (), given)
        assert isinstance(coerced, VariableValues)
        return coerced

    def estimate(self, given: dict[str, Any]) -> dict[str, float]:
        return weigh(self._document, self._operation, self._schema, self.variables(given), DocumentLimits())

    def keep(self, given: dict[str, Any]) -> None:
        self.known.keep(self.variables(given), self.estimate(given))

    def find(self, given: dict[str, Any]) -> dict[str, float] | None:
        return self.known.find(self.variables(given))


def test_every_size_and_every_condition_has_its_own(schema: GraphQLSchema) -> None:
    costs = Costs(schema, PAGE)
    cases = [{"n": n, "yes": yes} for n in (1, 2, 100) for yes in (True, False)]
    for case in cases:
        assert costs.find(case) is None
        costs.keep(case)
    assert [costs.find(case) for case in cases] == [costs.estimate(case) for case in cases]
    assert len({costs.estimate(case)["estimated"] for case in cases}) == len(cases)


def test_what_is_not_given_is_no_value(schema: GraphQLSchema) -> None:
    costs = Costs(schema, "query ($n: Int) { contacts(first: $n) { nodes { name } } }")
    costs.keep({})
    assert costs.find({}) == costs.estimate({})
    assert costs.find({"n": 1}) is None
    assert costs.find({"n": 0}) is None


def test_texts_and_ids_make_no_difference(schema: GraphQLSchema) -> None:
    costs = Costs(schema, BY_IDS)
    costs.keep({"ids": ["a"], "text": "x"})
    other = {"ids": ["b", "c"], "text": None}
    assert costs.find(other) == costs.estimate(other)


def test_what_is_given_in_objects_counts_by_its_weight(schema: GraphQLSchema) -> None:
    costs = Costs(schema, CREATE)
    few, other, many = (
        {"input": {"emails": [{"address": one}] * number}} for one, number in (("a", 1), ("b", 1), ("c", 9))
    )
    costs.keep(few)
    assert costs.find(few) == costs.find(other) == costs.estimate(other)
    assert costs.find(many) is None
    costs.keep(many)
    assert costs.find(many) == costs.estimate(many) != costs.estimate(few)


@given(st.lists(INPUTS, min_size=2, max_size=6))
def test_no_input_is_told_the_cost_of_another_one(schema: GraphQLSchema, inputs: list[dict[str, Any]]) -> None:
    costs = Costs(schema, SEVERAL)
    for one in inputs:
        told = costs.find(one)
        assert told is None or told == costs.estimate(one)
        costs.keep(one)
        assert costs.find(one) == costs.estimate(one)


@pytest.mark.parametrize("kind", ["[Int!]", "[Boolean]!"])
def test_lists_of_what_makes_a_difference_are_not_compared(schema: GraphQLSchema, kind: str) -> None:
    costs = Costs(schema, f"query ($n: {kind} = []) {{ providers {{ provider }} }}")
    costs.keep({})
    assert costs.find({}) is None


def test_only_so_many_are_kept(schema: GraphQLSchema) -> None:
    costs = Costs(schema, PAGE)
    for n in range(1, 101):
        costs.keep({"n": n})
    kept = [n for n in range(1, 101) if costs.find({"n": n}) is not None]
    assert kept == list(range(1, 33))


def test_an_answer_tells_the_cost_of_its_own_variables(gateway: Gateway) -> None:
    def told(n: int) -> float:
        cost: float = gateway.answer(PAGE, n=n)["extensions"]["cost"]["estimated"]
        return cost

    first, second = told(1), told(50)
    assert first < second
    assert (told(1), told(50)) == (first, second)


def test_what_is_too_dear_is_refused_each_time(gateway: Gateway) -> None:
    query = (
        "query ($n: Int!) { "
        + " ".join(f"a{i}: contacts(first: $n) {{ nodes {{ records {{ raw }} }} }}" for i in range(15))
        + " }"
    )
    assert "errors" not in gateway.answer(query, n=1)
    for _ in range(2):
        (error,) = gateway.answer(query, n=100)["errors"]
        assert error["extensions"]["limit"] == "maxCost"
