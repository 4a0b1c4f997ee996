"""One operation executed both ways over equal worlds; nothing that anybody sees may differ."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLSchema
from graphql.execution.values import get_variable_values
from strawberry.execution import optimized_is_awaitable

from resolvers.parts import Whole
from resolvers.plans.compile import compile_plan
from resolvers.plans.plan import Plan, Planned
from resolvers.plans.schema_parts import SchemaParts
from tests.plans.operations import Asked


@dataclass
class Scene:
    """What one execution is given. `log` is everything that happened, in order; `close` ends what was left behind."""

    root: Any
    context: Any
    log: list[Any]
    close: Callable[[], None]


def shown(result: ExecutionResult) -> dict[str, Any]:
    """Everything of a result, the order of the keys and the types of the values included."""
    return {"data": repr(result.data), "errors": [_error(error) for error in result.errors or []]}


def _error(error: GraphQLError) -> dict[str, Any]:
    original = error.original_error
    return {
        "message": error.message,
        "path": error.path,
        "locations": [(place.line, place.column) for place in error.locations or []],
        "nodes": len(error.nodes or []),
        "extensions": error.extensions,
        "original": None if original is None else (type(original).__name__, str(original)),
    }


class Comparison:
    """Executes both ways. The executions run in one event loop, and each is over before the next begins."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._parts = SchemaParts(schema)
        self._loop = asyncio.new_event_loop()
        # How many were compared, and how many of them had errors.
        self.compared = 0
        self.with_errors = 0

    def close(self) -> None:
        self._loop.close()

    def plan(self, asked: Asked) -> Plan:
        plan = compile_plan(self._parts, asked.document, asked.operation, max_fields=10_000)
        assert plan is not None, f"not compiled:\n{asked.text}"
        return plan

    def compare(
        self,
        asked: Asked,
        scene: Callable[[], Scene],
        plan: Plan | None = None,
        *,
        left_after: int | None = None,
    ) -> dict[str, Any]:
        """What both answer. `scene` makes the same world anew; `left_after` is after how many turns of the loop nobody
        waits for the answer any more."""
        plan = plan or self.plan(asked)
        ordinary, log = self._loop.run_until_complete(
            _executed(scene, lambda one: self._ordinary(asked, one), left_after)
        )
        planned, other_log = self._loop.run_until_complete(
            _executed(scene, lambda one: self._planned(asked, plan, one), left_after)
        )
        assert planned == ordinary, _say(asked, ordinary, planned)
        different = [pair for pair in zip_longest(log, other_log) if pair[0] != pair[1]]
        assert different == [], _say(asked, *different[0])
        self.compared += 1
        self.with_errors += bool(ordinary["errors"])
        return ordinary

    def _ordinary(self, asked: Asked, scene: Scene) -> Whole:
        executor = Whole.build(
            self._schema,
            asked.document,
            scene.root,
            scene.context,
            asked.variables,
            is_awaitable=optimized_is_awaitable,
        )
        assert isinstance(executor, Whole), f"{executor}\n{asked.text}"
        return executor

    def _planned(self, asked: Asked, plan: Plan, scene: Scene) -> Planned:
        coerced = get_variable_values(self._schema, asked.operation.variable_definitions or (), asked.variables)
        assert not isinstance(coerced, list), coerced
        begun = plan.begin(context_value=scene.context, variables=coerced, root_value=scene.root)
        assert begun is not None, f"went the ordinary way:\n{asked.text}"
        return begun


def _say(asked: Asked, ordinary: Any, planned: Any) -> str:
    return f"{asked.text}\n{asked.variables}\nordinary: {ordinary}\nplanned:  {planned}"


async def _executed(
    scene: Callable[[], Scene], begin: Callable[[Scene], Whole | Planned], left_after: int | None
) -> tuple[dict[str, Any], list[Any]]:
    """The result, whether it came at once, and what happened until all that it left behind has ended too."""
    one = scene()
    result = begin(one).execute_operation()
    at_once = isinstance(result, ExecutionResult)
    if not at_once:
        result = await (result if left_after is None else _left(result, left_after))
    answer = {"at once": at_once, **(shown(result) if result else {"errors": []})}
    own = asyncio.current_task()
    while left := [task for task in asyncio.all_tasks() if task is not own]:
        await asyncio.gather(*left, return_exceptions=True)
    one.close()
    return answer, one.log


async def _left(result: Coroutine[Any, Any, ExecutionResult], turns: int) -> ExecutionResult | None:
    """None when it was broken off before it came."""
    task = asyncio.create_task(result)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    return None if task.cancelled() else task.result()
