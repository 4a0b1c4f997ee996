"""How an operation is executed, whole or in parts, and the parts as they are shown.

What `@defer` and `@stream` put off begins at once: they cost the same calls, at the same time, as without them. Only
the answer does not wait.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextvars import copy_context
from typing import Any, Final, Protocol, TypeVar

from graphql import (
    DocumentNode,
    ExecutionResult,
    ExperimentalIncrementalExecutionResults,
    GraphQLError,
    GraphQLSchema,
)
from graphql.execution import Executor as PlainExecutor
from graphql.execution.types import (
    IncrementalResult,
    InitialIncrementalExecutionResult,
    SubsequentIncrementalExecutionResult,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers.context import Context
from resolvers.errors import present

T = TypeVar("T")

_RESULTS: Final = (ExecutionResult, ExperimentalIncrementalExecutionResults)


class Whole(StrawberryGraphQLCoreExecutionContext):
    """Passes `@defer` and `@stream` over, as graphql-core's own plain executor does; Strawberry's is the other one."""

    execute_collected_root_fields = PlainExecutor.execute_collected_root_fields
    # It names its last parameter otherwise.
    execute_collected_subfields = PlainExecutor.execute_collected_subfields  # type: ignore[assignment]

    def get_stream_usage(self, *_: Any) -> None:
        """No list is streamed."""

    async def end(self) -> None:
        """Nothing goes on after the result. The helpers and the executor hold each other, and with them the request,
        until a garbage collection."""
        self.__dict__.pop("async_helpers", None)


class Divided(StrawberryGraphQLCoreExecutionContext):
    """Remembers every stream that it began, so that the end reaches also those of an item that nobody took: nothing
    else of graphql-core 3.3.2 refers to them any more."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # The executors of the parts are copies of this one, and share the list.
        self._queues: list[Any] = []

    def build_stream_item_queue(self, *arguments: Any) -> Any:
        queue = super().build_stream_item_queue(*arguments)
        self._queues.append(queue)
        return queue

    async def end(self) -> None:
        """Cancels what is still under way, and waits until it has ended."""
        await self.cancel_incremental_work()
        aborting = [queue.abort() for queue in self._queues]
        for future in self.background_futures:
            future.cancel()
        ending = [*(one for one in aborting if one is not None), *self.background_futures]
        await asyncio.gather(*ending, return_exceptions=True)


def ordinary_executor(
    schema: GraphQLSchema,
    document: DocumentNode,
    *,
    variable_values: dict[str, Any],
    context_value: Context,
    **named: Any,
) -> Whole | Divided:
    """graphql-core's, for an operation that has been checked, its variables too."""
    executor = (Divided if context_value.in_parts else Whole).build(
        schema,
        document,
        context_value=context_value,
        raw_variable_values=variable_values,
        enable_early_execution=True,
        **named,
    )
    # What it would refuse was refused before.
    assert isinstance(executor, Divided | Whole), executor
    return executor


class Begun(Protocol):
    """An operation with its variables: `Whole`, `Divided`, or a run of a compiled plan."""

    def execute_operation(
        self,
    ) -> (
        ExecutionResult
        | ExperimentalIncrementalExecutionResults
        | Awaitable[ExecutionResult | ExperimentalIncrementalExecutionResults]
    ): ...

    async def end(self) -> None: ...


class Execution:
    """One operation on its way, in the scope that it was begun in: whom it is for, and what it may still spend."""

    def __init__(self, executor: Begun, context: Context) -> None:
        self._executor = executor
        self._context = context
        self._variables = copy_context()

    async def first(self) -> ExecutionResult | ExperimentalIncrementalExecutionResults:
        """The result, or the beginning of one in parts, which has to be ended."""
        try:
            result = self._executor.execute_operation()
            if not isinstance(result, _RESULTS):
                result = await result
        except BaseException:
            await self.end(answered=False)
            raise
        if isinstance(result, ExecutionResult):
            await self.end(answered=True)
        return result

    async def within(self, step: Coroutine[Any, Any, T]) -> T:
        """Goes on in the operation's scope, whoever asks for it."""
        return await asyncio.create_task(step, context=self._variables)

    async def end(self, *, answered: bool) -> None:
        """Whatever of it is still under way is cancelled, and has ended; `answered`: but for calls that the answer did
        not wait for."""
        await self._executor.end()
        await self._context.end(answered=answered)


class Parts:
    """The parts of one answer, their errors as the presenter shows them. `extensions` stand in the first part, what
    `spent` tells in the last one."""

    def __init__(
        self,
        execution: Execution,
        results: ExperimentalIncrementalExecutionResults,
        *,
        request_id: str,
        extensions: Mapping[str, Any],
        spent: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._execution = execution
        self._first: InitialIncrementalExecutionResult | None = results.initial_result
        self._following = results.subsequent_results
        self._request_id = request_id
        self._extensions = extensions
        self._spent = spent
        # What was announced and has not come whole.
        self._open: dict[str, None] = {}
        self._over = False

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        return self

    async def __anext__(self) -> dict[str, Any]:
        if self._first is not None:
            first, self._first = self._first, None
            return self._show_first(first)
        if self._over:
            raise StopAsyncIteration
        try:
            shown = self._show(await self._execution.within(self._next()))
        except Exception as unexpected:
            shown = self._broken(unexpected)
            await self.aclose()
        if not shown["hasNext"]:
            await self._end(answered=True)
            if spent := self._spent():
                shown["extensions"] = spent
        return shown

    async def _next(self) -> SubsequentIncrementalExecutionResult:
        return await anext(self._following)

    async def aclose(self) -> None:
        await self._end(answered=False)

    async def _end(self, *, answered: bool) -> None:
        """The first end counts."""
        self._first, self._over = None, True
        await self._execution.within(self._close(answered=answered))

    async def _close(self, *, answered: bool) -> None:
        await self._following.aclose()
        await self._execution.end(answered=answered)

    def _show_first(self, result: InitialIncrementalExecutionResult) -> dict[str, Any]:
        body: dict[str, Any] = {"errors": self._errors(result.errors)} if result.errors else {}
        body["data"] = result.data
        body["pending"] = self._announce(result)
        body["hasNext"] = True
        if self._extensions:
            body["extensions"] = self._extensions
        return body

    def _show(self, result: SubsequentIncrementalExecutionResult) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if result.pending:
            body["pending"] = self._announce(result)
        if result.incremental:
            body["incremental"] = [self._brought(one) for one in result.incremental]
        if result.completed:
            body["completed"] = [self._completed(one.id, one.errors) for one in result.completed]
        body["hasNext"] = result.has_next
        return body

    def _announce(self, result: InitialIncrementalExecutionResult | SubsequentIncrementalExecutionResult) -> list[Any]:
        announced = result.pending or []
        self._open.update({one.id: None for one in announced})
        return [one.formatted for one in announced]

    def _brought(self, result: IncrementalResult) -> dict[str, Any]:
        shown: dict[str, Any] = {**result.formatted}
        if result.errors:
            shown["errors"] = self._errors(result.errors)
        return shown

    def _completed(self, id: str, errors: Sequence[GraphQLError] | None) -> dict[str, Any]:
        self._open.pop(id, None)
        return {"id": id, "errors": self._errors(errors)} if errors else {"id": id}

    def _broken(self, unexpected: Exception) -> dict[str, Any]:
        """The last part: nothing that is still open comes any more."""
        error = GraphQLError("", original_error=unexpected)
        return {"completed": [self._completed(one, [error]) for one in list(self._open)], "hasNext": False}

    def _errors(self, errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
        return [present(error, request_id=self._request_id, executing=True) for error in errors]
