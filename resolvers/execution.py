"""Executes one GraphQL request: a fresh context, the schema, and errors put through the presenter."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from gateway.http.endpoint import GraphQLResult
from gateway.http.graphql_request import GraphQLRequest
from gateway.http.refusal import RequestRefused
from resolvers.context import Context, UseCases
from resolvers.errors import present

_QUERY_ONLY = {OperationType.QUERY}
_ANY = {OperationType.QUERY, OperationType.MUTATION}


def executor(schema: strawberry.Schema, use_cases: UseCases) -> Callable[[GraphQLRequest], Awaitable[GraphQLResult]]:
    """What the HTTP face calls for every request."""

    async def execute(request: GraphQLRequest) -> GraphQLResult:
        try:
            result = await schema.execute(
                request.query,
                variable_values=dict(request.variables or {}),
                context_value=Context(use_cases, request.idempotency_key),
                operation_name=request.operation_name,
                allowed_operation_types=_ANY if request.may_mutate else _QUERY_ONLY,
            )
        except InvalidOperationTypeError:
            if request.may_mutate:
                return GraphQLResult(body=_unknown_operation("There are no subscriptions here."), executed=False)
            message = "GET is for queries; send mutations by POST."
            raise RequestRefused(405, "METHOD_NOT_ALLOWED", message, {"Allow": "POST"}) from None
        except CannotGetOperationTypeError:
            named = f" named {request.operation_name!r}" if request.operation_name else ""
            message = f"The document has no operation{named}."
            return GraphQLResult(body=_unknown_operation(message), executed=False)
        refused = isinstance(result, PreExecutionError)
        executing = not refused
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [
                present(error, request_id=request.request_id, executing=executing) for error in result.errors
            ]
        # Errors without a path and without data mean that the operation never began.
        began = executing and (result.data is not None or any(error.path for error in result.errors or ()))
        if began:
            body["data"] = result.data
        return GraphQLResult(body=body, executed=began)

    return execute


def _unknown_operation(message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": "OPERATION_RESOLUTION_FAILURE"}}]}
