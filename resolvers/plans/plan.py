"""A plan: an operation that has passed validation, ready to be executed with any variables."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues

from resolvers.plans.collecting import Collector
from resolvers.plans.compiler import Compiler, Room
from resolvers.plans.conditions import Conditions
from resolvers.plans.objects import executing, executing_serially
from resolvers.plans.rows import Rows
from resolvers.plans.run import Execute, Operation, Run, Unfinished
from resolvers.plans.schema_parts import SchemaParts


@dataclass(slots=True)
class Planned:
    """One execution; stands in the place of an ordinary executor."""

    execute: Execute
    run: Run

    def execute_operation(self) -> ExecutionResult | Awaitable[ExecutionResult]:
        try:
            data = self.execute(self.run, self.run.root_value, None)
        except GraphQLError as error:
            return self._nothing(error)
        return self._awaited(data) if type(data) is Unfinished else self._result(data)

    async def end(self) -> None:
        await self.run.end()

    async def _awaited(self, data: Awaitable[Any]) -> ExecutionResult:
        try:
            return self._result(await data)
        except GraphQLError as error:
            return self._nothing(error)

    def _nothing(self, error: GraphQLError) -> ExecutionResult:
        self.run.note(error, None)
        return self._result(None)

    def _result(self, data: dict[str, Any] | None) -> ExecutionResult:
        return ExecutionResult(data, self.run.errors)


@dataclass(frozen=True, slots=True)
class Plan:
    """Compiled for each case of its conditions when the case first comes, as far as there is room."""

    parts: SchemaParts
    operation: OperationDefinitionNode
    root: GraphQLObjectType
    fragments: dict[str, FragmentDefinitionNode]
    conditions: Conditions
    room: Room
    _shared: Operation = field(init=False)
    _compiled: dict[tuple[bool, ...], Execute] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        details = {name: FragmentDetails(one) for name, one in self.fragments.items()}
        shared = Operation(self.parts.schema, self.operation, self.fragments, details)
        object.__setattr__(self, "_shared", shared)

    def begin(
        self,
        *,
        context_value: Any,
        variables: VariableValues,
        root_value: Any = None,
        hide_suggestions: bool = False,
    ) -> Planned | None:
        """None when these variables go the ordinary way."""
        case = self.conditions.case(variables.coerced)
        execute = None if case is None else self._execute(case)
        if execute is None:
            return None
        run = Run(
            self._shared,
            variables,
            context_value=context_value,
            root_value=root_value,
            hide_suggestions=hide_suggestions,
        )
        return Planned(execute, run)

    def _execute(self, case: tuple[bool, ...]) -> Execute | None:
        if compiled := self._compiled.get(case):
            return compiled
        collector = Collector(self.parts.schema, self.fragments, self.conditions.named(case))
        steps = Compiler(collector, self.parts, self.room).steps(self.root, [self.operation.selection_set])
        if steps is None:
            # No room: it is not remembered either, or a client could fill the memory with cases.
            return None
        serially = self.operation.operation is OperationType.MUTATION
        name = self.root.name
        compiled = executing_serially(name, steps) if serially else executing(name, Rows(steps))
        self._compiled[case] = compiled
        return compiled
