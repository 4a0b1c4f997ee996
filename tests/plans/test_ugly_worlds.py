"""Plans and graphql-core's executor answer the same over worlds in which anything may be wrong."""

from __future__ import annotations

import os
from random import Random

import pytest
from graphql import OperationType

from tests.plans import ugly
from tests.plans.comparing import Comparison
from tests.plans.operations import Plain, dressed

# What is cancelled before it began drops what it would have awaited, in both ways; Python says so, or fails to say so.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored .*<coroutine:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("collected"),
]

EXAMPLES = int(os.environ.get("GATEWAY_TEST_PLAN_EXAMPLES", "12000"))
SCHEMA = ugly.build()


@pytest.mark.parametrize("part", range(4))
def test_nothing_tells_the_two_apart(part: int) -> None:
    comparison, plain = Comparison(SCHEMA), Plain(SCHEMA)
    number = 0
    while comparison.compared < EXAMPLES // 4:
        number += 1
        chance = Random(part * 1_000_003 + number)
        kind = OperationType.MUTATION if chance.random() < 0.15 else OperationType.QUERY
        asked = dressed(SCHEMA, chance, plain.document(chance, kind, depth=chance.randint(1, 4)))
        if asked is None:
            continue
        plan = comparison.plan(asked)
        for _ in range(10):
            world = chance.randrange(2**32)
            left_after = chance.randint(0, 8) if chance.random() < 0.15 else None
            comparison.compare(
                asked.again(chance), lambda world=world: ugly.World(SCHEMA, world).scene(), plan, left_after=left_after
            )
    assert comparison.with_errors > comparison.compared / 10
    comparison.close()
