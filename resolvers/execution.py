"""One GraphQL request, from its text to its answer: the stages below, in this order, each of which may refuse.

    parse · choose the operation · may it come this way · may this caller · limits · validate · variables · cost · run

Everything up to `run` asks nothing of a provider or of the database. A text that has passed limits and validation once
passes them (`resolvers.passed_documents`).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    ExperimentalIncrementalExecutionResults,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    subscribe,
)
from graphql.execution.values import VariableValues, get_variable_values
from strawberry.execution import optimized_is_awaitable

from gateway.access.answers import insufficient_scope
from gateway.domain.caller import Caller
from gateway.http.result import (
    AnswerInParts,
    EventStream,
    Executed,
    GraphQLRequest,
    GraphQLResult,
    OperationKind,
)
from gateway.http.settings import DocumentLimits
from gateway.resilience.operation import Operation, running
from gateway.resilience.tally import Tally
from resolvers.answers import answered, events, not_begun, not_run
from resolvers.context import Context, UseCases
from resolvers.limits.cost import weigh
from resolvers.limits.parsing import choose_operation, read_document
from resolvers.limits.putting_off import refuse_wrong_putting_off
from resolvers.limits.structure import refuse_too_large
from resolvers.limits.validation import check
from resolvers.parts import Execution, Parts, Whole, ordinary_executor
from resolvers.passed_documents import Asked, PassedDocuments
from resolvers.plans.schema_parts import SchemaParts
from resolvers.refused import OperationRefused
from resolvers.shared_answers import SharedAnswers, Told, question_of
from resolvers.spending import told_spending


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`introspection` is whether the schema may be asked for, and whether errors may suggest names out of it."""

    limits: DocumentLimits
    query_seconds: float
    mutation_seconds: float
    introspection: bool = True
    tells_providers: bool = True
    document_cache_characters: int = 0
    compiles_plans: bool = True
    shares_answers: bool = True


class Executor:
    """What the HTTP face calls for every request."""

    def __init__(self, schema: strawberry.Schema, use_cases: UseCases, rules: Rules) -> None:
        # Strawberry has no public name for the schema that it has built; its own tests use this one.
        self._schema: GraphQLSchema = schema._schema
        self._use_cases = use_cases
        self._rules = rules
        self._mutations: set[asyncio.Task[Any]] = set()
        self._shared = SharedAnswers(use_cases.changes, use_cases.lingering.clocks)
        parts = SchemaParts(self._schema) if rules.compiles_plans else None
        self._passed = PassedDocuments(self._schema, rules.document_cache_characters, parts)

    async def __call__(self, request: GraphQLRequest) -> Executed:
        """Raises what `request.refuse` makes for the kind of operation that it turns out to be, and RequestRefused
        where the caller may do nothing of that kind."""
        try:
            asked = self._read(request)
            kind, name = asked.kind, asked.operation.name
            request.begins(kind, name.value if name else None)
            if refuse := request.refuse.get(kind):
                raise refuse()
            _refuse_unpermitted(request.caller, kind)
            if not asked.passed:
                asked = self._check(request, asked)
            question = question_of(asked, request) if self._rules.shares_answers else None
            joined = await self._shared.join(question) if question else None
            # Whoever began it has had the same variables weighed.
            ready = joined or partial(self._executed, asked, *self._weigh(asked, request.variables or {}), request)
        except RecursionError:
            refused = OperationRefused("GRAPHQL_VALIDATION_FAILED", "The document nests too deep.")
            return not_run([refused], request)
        except _Invalid as invalid:
            return not_run(invalid.errors, request)
        except GraphQLError as error:
            return not_run([error], request)
        if kind is OperationKind.SUBSCRIPTION:
            return await self._subscribe(asked.document, request)
        told = ready if isinstance(ready, Told) else await self._shared.begin(question, ready)
        extensions = {"cost": told.cost} if told.cost else {}
        if isinstance(told.result, ExperimentalIncrementalExecutionResults):
            spent = partial(self._spent, told.tally)
            return AnswerInParts(
                Parts(told.execution, told.result, request_id=request.request_id, extensions=extensions, spent=spent)
            )
        answer = answered(told.result, request, joined=told.request_id if told.joined else None)
        if extensions := {**extensions, **self._spent(told.tally)}:
            answer.body["extensions"] = extensions
        return answer

    async def _executed(
        self, asked: Asked, variables: VariableValues, cost: dict[str, float], request: GraphQLRequest
    ) -> Told:
        is_query = asked.kind is OperationKind.QUERY
        seconds = self._rules.query_seconds if is_query else self._rules.mutation_seconds
        spending = Operation(deadline=time.monotonic() + seconds, caller=request.caller, shares_reads=is_query)
        with running(spending):
            execution = self._execution(asked, variables, request)
            result = await (execution.first() if is_query else self._to_its_end(execution))
        return Told(execution=execution, result=result, cost=cost, tally=spending.tally, request_id=request.request_id)

    def _spent(self, tally: Tally) -> dict[str, Any]:
        told = self._rules.tells_providers
        return {"providers": told_spending(tally, self._use_cases.statuses)} if told else {}

    def _read(self, request: GraphQLRequest) -> Asked:
        if kept := self._passed.find(request.query, request.operation_name):
            return kept
        document = read_document(request.query, self._rules.limits)
        return Asked(document, choose_operation(document, request.operation_name))

    def _check(self, request: GraphQLRequest, asked: Asked) -> Asked:
        """Everything that the document alone tells; what passes is remembered."""
        rules = self._rules
        refuse_too_large(asked.document, asked.operation, self._schema, rules.limits)
        errors = check(self._schema, asked.document, rules.limits, introspection=rules.introspection)
        if errors:
            raise _Invalid(errors)
        return self._passed.keep(request.query, request.operation_name, asked)

    def _weigh(self, asked: Asked, variables: Mapping[str, Any]) -> tuple[VariableValues, dict[str, float]]:
        """The variables as they are executed with, and the estimated cost of an operation that may run."""
        document, chosen = asked.document, asked.operation
        plain = asked.variables and asked.variables.coerce(variables)
        coerced = plain or self._coerced(chosen, variables)
        if asked.costs and (known := asked.costs.find(coerced)) is not None:
            return coerced, known
        refuse_wrong_putting_off(document, chosen, coerced)
        cost = weigh(document, chosen, self._schema, coerced, self._rules.limits)
        if asked.costs:
            asked.costs.keep(coerced, cost)
        return coerced, cost

    def _coerced(self, chosen: OperationDefinitionNode, variables: Mapping[str, Any]) -> VariableValues:
        coerced = get_variable_values(
            self._schema,
            chosen.variable_definitions or (),
            dict(variables),
            max_errors=10,
            hide_suggestions=not self._rules.introspection,
        )
        if isinstance(coerced, list):
            raise _Invalid(coerced)
        return coerced

    def _execution(self, asked: Asked, variables: VariableValues, request: GraphQLRequest) -> Execution:
        context = self._context(request, in_parts=request.in_parts)
        hide_suggestions = not self._rules.introspection
        planned = asked.plan and asked.plan.begin(
            context_value=context, variables=variables, hide_suggestions=hide_suggestions
        )
        begun = planned or ordinary_executor(self._schema, asked.document, **self._arguments(request, context))
        return Execution(begun, context)

    async def _to_its_end(self, execution: Execution) -> ExecutionResult | ExperimentalIncrementalExecutionResults:
        """A mutation that has begun is not broken off when nobody waits for its answer any more; what it put off is."""
        task = asyncio.create_task(execution.first())
        self._keep(task)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._keep(asyncio.create_task(_end_after(task, execution)))
            raise

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._mutations.add(task)
        task.add_done_callback(self._mutations.discard)

    async def finished(self) -> None:
        """Waits for the mutations that run on without anybody waiting."""
        await asyncio.gather(*self._mutations, return_exceptions=True)

    async def _subscribe(self, document: DocumentNode, request: GraphQLRequest) -> GraphQLResult | EventStream:
        arguments = self._arguments(request, self._context(request, in_parts=False))
        created = subscribe(self._schema, document, executor_class=Whole, **arguments)
        stream = created if isinstance(created, (ExecutionResult, AsyncIterator)) else await created
        if isinstance(stream, ExecutionResult):
            return not_begun(stream.errors or [], request)
        return EventStream(events(stream, request))

    def _context(self, request: GraphQLRequest, *, in_parts: bool) -> Context:
        return Context(self._use_cases, request.caller, request.idempotency_key, in_parts=in_parts)

    def _arguments(self, request: GraphQLRequest, context: Context) -> dict[str, Any]:
        return {
            "context_value": context,
            "variable_values": dict(request.variables or {}),
            "operation_name": request.operation_name,
            "is_awaitable": optimized_is_awaitable,
            "hide_suggestions": not self._rules.introspection,
        }


async def _end_after(task: asyncio.Task[Any], execution: Execution) -> None:
    await asyncio.wait({task})
    await execution.end(answered=False)


class _Invalid(Exception):
    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__()
        self.errors = errors


def _refuse_unpermitted(caller: Caller, kind: OperationKind) -> None:
    permitted = caller.may_write if kind is OperationKind.MUTATION else caller.may_read
    if not permitted:
        raise insufficient_scope("contacts:write" if kind is OperationKind.MUTATION else "contacts:read")
