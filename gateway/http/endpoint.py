"""POST and GET /graphql: reads the request, has it executed, answers in the media type that was asked for.

Source: GraphQL over HTTP (draft). Where its statuses and the audits of graphql-http differ, the audits count
(docs/adr/0008).
"""

from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp

from gateway.domain.caller import ANYBODY, Caller
from gateway.http.answer import Answer
from gateway.http.authorization import authorization
from gateway.http.client_gone import while_there
from gateway.http.graphiql import graphiql_page
from gateway.http.graphql_request import read_parameters
from gateway.http.idempotency_key import read_idempotency_key
from gateway.http.incoming import Incoming
from gateway.http.multipart import MultipartResponse
from gateway.http.negotiation import JSON, MULTIPART, Acceptable, acceptable, wants_page
from gateway.http.origin import refuse_foreign_page, refuse_simple_get
from gateway.http.refusal import RequestRefused
from gateway.http.result import (
    AnswerInParts,
    EventStream,
    GraphQLRequest,
    GraphQLResult,
    OperationKind,
    Refuse,
    Results,
)
from gateway.http.services import Services
from gateway.http.sse import EventStreamResponse
from gateway.http.streamed import one
from gateway.http.trace_context import read_trace_context
from gateway.http.traffic import REFUSED


async def graphql(request: Incoming) -> ASGIApp:
    """The endpoint. The services stand in the application's state once it has started."""
    services: Services = request.scope["app"].state.services
    accept = request.headers.get(b"accept")
    is_page = request.method == "GET" and wants_page(accept or "")
    if is_page and services.graphiql:
        return graphiql_page()
    takes = Acceptable(JSON, stream=False)
    try:
        if is_page:
            raise RequestRefused(406, "NOT_ACCEPTABLE", "There is no page here. Send GraphQL requests by POST.")
        takes = acceptable(accept)
        return await _answered(request, services, takes)
    except RequestRefused as refusal:
        request.state[REFUSED] = refusal.code
        if takes.single is None and refusal.status == 400:
            # Clients of streams look into what is streamed only; what concerns HTTP itself stays a status.
            return _several(one(refusal.body), services, ANYBODY, takes)
        media_type = takes.single or JSON
        status = refusal.json_status if media_type == JSON else refusal.status
        return Answer(refusal.body, status, media_type, refusal.headers)


async def _answered(request: Incoming, services: Services, takes: Acceptable) -> ASGIApp:
    refuse_foreign_page(request.headers, services.settings.cors_origins)
    if request.method == "GET":
        refuse_simple_get(request.headers)
    caller = await services.authenticate(authorization(request.headers))
    parameters = await read_parameters(request, services.settings)
    asked = GraphQLRequest(
        request_id=request.state["request_id"],
        caller=caller,
        query=services.documents(parameters),
        operation_name=parameters.operation_name or None,
        variables=parameters.variables,
        idempotency_key=read_idempotency_key(request.headers.all(b"idempotency-key")),
        in_parts=takes.parts is not None,
        refuse=_REFUSED[request.method == "GET", takes.stream],
        trace=read_trace_context(request.headers),
    )
    result = await while_there(request, services.execute(asked))
    if isinstance(result, EventStream):
        return EventStreamResponse(result.events, services, caller)
    if isinstance(result, AnswerInParts):
        return _several(result.parts, services, caller, takes)
    if takes.single is None:
        return _several(one(result.body), services, caller, takes)
    return _one(result, takes.single)


def _several(results: Results, services: Services, caller: Caller, takes: Acceptable) -> ASGIApp:
    response = MultipartResponse if takes.parts == MULTIPART else EventStreamResponse
    return response(results, services, caller)


def _mutation_by_get() -> RequestRefused:
    message = "GET is for queries; send mutations by POST."
    return RequestRefused(405, "METHOD_NOT_ALLOWED", message, {"Allow": "POST"})


def _no_stream() -> RequestRefused:
    message = "A subscription is answered as text/event-stream, or over WebSocket (graphql-transport-ws)."
    return RequestRefused(406, "NOT_ACCEPTABLE", message)


_BY_GET: Final[Mapping[OperationKind, Refuse]] = {OperationKind.MUTATION: _mutation_by_get}
_WITHOUT_STREAM: Final[Mapping[OperationKind, Refuse]] = {OperationKind.SUBSCRIPTION: _no_stream}
_REFUSED: Final[Mapping[tuple[bool, bool], Mapping[OperationKind, Refuse]]] = {
    (False, False): _WITHOUT_STREAM,
    (False, True): {},
    (True, False): {**_BY_GET, **_WITHOUT_STREAM},
    (True, True): _BY_GET,
}
"""By whether it is a GET, and whether its caller takes a stream."""


def _one(result: GraphQLResult, media_type: str) -> Answer:
    # The older media type promises 200 for every well-formed GraphQL request, even a wrong one.
    status = 200 if media_type == JSON and result.status == 400 else result.status
    return Answer(result.body, status, media_type, {})
