"""POST and GET /graphql: reads the request, has it executed, answers in the media type that was asked for.

Source: GraphQL over HTTP (working draft). Full content negotiation and the audits come with the HTTP issue.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from gateway.http.graphiql import graphiql_page
from gateway.http.graphql_request import GraphQLRequest, read_graphql_request
from gateway.http.refusal import RequestRefused
from gateway.incident import report

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLResult:
    """`body` is the answer; `executed` is false when the operation never ran, because it was wrong."""

    body: dict[str, Any]
    executed: bool


Execute: TypeAlias = Callable[[GraphQLRequest], Awaitable[GraphQLResult]]


async def graphql(request: Request) -> Response:
    """The endpoint. The executor stands in the application's state once it has started."""
    request_id = uuid4().hex
    if request.method == "GET" and _wants_page(request):
        return graphiql_page()
    try:
        media_type = _media_type(request.headers.get("accept", ""))
        asked = await read_graphql_request(request, request_id)
        execute: Execute = request.app.state.execute
        result = await execute(asked)
    except RequestRefused as refusal:
        body = {"errors": [{"message": refusal.message, "extensions": {"code": refusal.code}}]}
        return _answer(body, refusal.status, JSON, request_id, refusal.headers)
    except Exception as unexpected:
        report("request_broke", unexpected, request_id=request_id)
        error = {"message": "Internal error.", "extensions": {"code": "INTERNAL_ERROR", "requestId": request_id}}
        return _answer({"errors": [error]}, 500, JSON, request_id)
    # The older media type promises 200 for every well-formed GraphQL request, even a wrong one.
    status = 200 if result.executed or media_type == JSON else 400
    return _answer(result.body, status, media_type, request_id)


def _wants_page(request: Request) -> bool:
    """A browser that opens the address, rather than a program that sends a query."""
    accept = request.headers.get("accept", "")
    return "text/html" in accept and JSON not in accept and GRAPHQL_JSON not in accept


def _media_type(accept: str) -> str:
    ranges = {part.split(";")[0].strip().lower() for part in accept.split(",")}
    if GRAPHQL_JSON in ranges:
        return GRAPHQL_JSON
    if not accept.strip() or ranges & {JSON, "application/*", "*/*"}:
        return JSON
    raise RequestRefused(406, "NOT_ACCEPTABLE", f"This endpoint answers {GRAPHQL_JSON} or {JSON}.")


def _answer(
    body: dict[str, Any], status: int, media_type: str, request_id: str, headers: dict[str, str] | None = None
) -> Response:
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type=f"{media_type}; charset=utf-8",
        headers={
            **(headers or {}),
            "X-Request-Id": request_id,
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept",
        },
    )
