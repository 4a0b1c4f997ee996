"""Plans and graphql-core's executor answer the same over the gateway's own schema, whatever its use cases answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

import pytest
from graphql import (
    ArgumentNode,
    ConstValueNode,
    DocumentNode,
    ObjectFieldNode,
    OperationType,
    Visitor,
    parse,
    parse_const_value,
    visit,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import from_schema, nodes

from resolvers.schema import build_schema
from tests.plans.comparing import Comparison
from tests.plans.operations import Plain, dressed
from tests.plans.real import IDS, REAL_LITERALS, RealWorld

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored .*<coroutine:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("collected"),
]

EXAMPLES = int(os.environ.get("GATEWAY_TEST_PLAN_EXAMPLES", "12000"))
DRESSES, WORLDS = 4, 12
SCHEMA = build_schema()._schema


@pytest.fixture
def comparison() -> Iterator[Comparison]:
    comparison = Comparison(SCHEMA)
    yield comparison
    comparison.close()


def compare(comparison: Comparison, chance: Random, document: DocumentNode) -> None:
    asked = dressed(SCHEMA, chance, document)
    if asked is None:
        return
    plan = comparison.plan(asked)
    for _ in range(WORLDS):
        number = chance.randrange(2**32)
        comparison.compare(asked.again(chance), lambda number=number: RealWorld(number).scene(), plan)


@pytest.mark.parametrize("part", range(2))
def test_operations_as_deep_as_they_may_be(comparison: Comparison, part: int) -> None:
    plain, number = Plain(SCHEMA, REAL_LITERALS), 0
    while comparison.compared < EXAMPLES // 6:
        number += 1
        chance = Random(part * 1_000_003 + number)
        kind = OperationType.MUTATION if chance.random() < 0.3 else OperationType.QUERY
        compare(comparison, chance, plain.document(chance, kind, depth=chance.randint(2, 6)))
    assert comparison.with_errors > comparison.compared / 10


TELLING = (
    "contact(id: %s) { %s }",
    "contacts(first: 3) { nodes { %.0s%s } }",
    'contactsByEmail(email: "a") { contacts { %.0s%s } }',
)
TOLD = (
    *["id", "name", "company", "status", "customFields", "createdAt"],
    "tags",
    "emails { address primary }",
    "phones { number e164 doNotCall }",
    "addresses { formatted }",
    "records { id provider name phones { number } }",
)


def test_few_fields_which_the_one_record_of_a_contact_may_tell(comparison: Comparison) -> None:
    number = 0
    while comparison.compared < EXAMPLES // 6:
        number += 1
        chance = Random(number)
        fields = chance.sample(TOLD, chance.randint(1, 3))
        document = parse("{ %s }" % (chance.choice(TELLING) % (chance.choice(IDS), " ".join(fields))))
        compare(comparison, chance, document)


class _RealIds(Visitor):
    """Ids that lead somewhere, where hypothesis-graphql has put in any text."""

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self._chance = chance

    def enter_argument(self, node: ArgumentNode, *_: object) -> ArgumentNode | None:
        value = self._value(node)
        return value and ArgumentNode(name=node.name, value=value)

    def enter_object_field(self, node: ObjectFieldNode, *_: object) -> ObjectFieldNode | None:
        value = self._value(node)
        return value and ObjectFieldNode(name=node.name, value=value)

    def _value(self, node: ArgumentNode | ObjectFieldNode) -> ConstValueNode | None:
        if node.name.value in ("id", "recordId"):
            return parse_const_value(self._chance.choice(IDS))
        if node.name.value == "ids":
            return parse_const_value(f"[{', '.join(self._chance.sample(IDS, 3))}]")
        return None


SCALARS = {"DateTime": st.just(nodes.String("2031-03-04T05:06:07Z")), "JSON": st.just(nodes.String("x"))}


def test_operations_that_hypothesis_makes(comparison: Comparison) -> None:
    # Making one takes as long as a dozen comparisons, so each is dressed and executed many times.
    @settings(
        max_examples=EXAMPLES // 6 // (DRESSES * WORLDS),
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(from_schema(SCHEMA, custom_scalars=SCALARS, print_ast=lambda document: document), st.integers(0, 2**32))
    def every(document: DocumentNode, number: int) -> None:
        chance = Random(number)
        for _ in range(DRESSES):
            compare(comparison, chance, visit(document, _RealIds(chance)))

    every()
    assert comparison.compared > EXAMPLES / 8
