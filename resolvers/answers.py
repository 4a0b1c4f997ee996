"""Results of graphql-core as the HTTP face takes them: their errors as the presenter shows them, and a status."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from graphql import ExecutionResult, GraphQLError

from gateway.http.result import GraphQLRequest, GraphQLResult
from resolvers.errors import present
from resolvers.refused import OperationRefused


def not_run(errors: list[GraphQLError], request: GraphQLRequest) -> GraphQLResult:
    shown = [present(error, request_id=request.request_id, executing=False) for error in errors]
    status = next((error.status for error in errors if isinstance(error, OperationRefused)), 400)
    return GraphQLResult(body={"errors": shown}, status=status)


def not_begun(errors: list[GraphQLError], request: GraphQLRequest) -> GraphQLResult:
    """A subscription whose stream could not be made."""
    shown = [present(error, request_id=request.request_id, executing=True) for error in errors]
    ours = any(error["extensions"]["code"] in ("INTERNAL_ERROR", "STORE_UNAVAILABLE") for error in shown)
    return GraphQLResult(body={"errors": shown}, status=500 if ours else 400)


async def events(
    stream: AsyncIterator[ExecutionResult], request: GraphQLRequest
) -> AsyncGenerator[dict[str, Any], None]:
    """The results as they are shown; a stream that breaks ends with an error instead of data."""
    async with aclosing(stream):  # type: ignore[type-var]  # graphql-core's is a generator, typed as less
        try:
            async for result in stream:
                yield answered(result, request).body
        except Exception as unexpected:
            broken = GraphQLError("", original_error=unexpected)
            yield {"errors": [present(broken, request_id=request.request_id, executing=True)]}


def answered(result: ExecutionResult, request: GraphQLRequest, *, joined: str | None = None) -> GraphQLResult:
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [present(error, request_id=request.request_id, executing=True) for error in result.errors]
    body["data"] = result.data
    return GraphQLResult(body=body, joined=joined)
