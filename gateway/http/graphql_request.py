"""What a caller sent, read strictly: either one GraphQL request or a refusal that says what to change.

Source: GraphQL over HTTP (working draft), sections Request and Response.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from gateway.http.idempotency_key import read_idempotency_key
from gateway.http.refusal import RequestRefused

MAX_BODY_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLRequest:
    """`may_mutate` is false for GET, which must not change anything; `idempotency_key` stood in a header."""

    request_id: str
    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    may_mutate: bool = True
    idempotency_key: str | None = None


T = TypeVar("T")


class _Parameters(msgspec.Struct, rename="camel"):
    query: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


async def read_graphql_request(request: Request, request_id: str) -> GraphQLRequest:
    """
    Raises:
        RequestRefused: with 400, 405, 413 or 415.
    """
    if request.method == "GET":
        parameters = _from_url(request)
    elif request.method == "POST":
        parameters = _from_json(await _read_body(request), "The body")
    else:
        message = "Send GraphQL requests by POST, or queries by GET."
        raise RequestRefused(405, "METHOD_NOT_ALLOWED", message, {"Allow": "GET, POST"})
    if not parameters.query or not parameters.query.strip():
        raise RequestRefused(400, "BAD_REQUEST", "Send the GraphQL document as `query`.")
    return GraphQLRequest(
        request_id=request_id,
        query=parameters.query,
        operation_name=parameters.operation_name or None,
        variables=parameters.variables,
        may_mutate=request.method == "POST",
        idempotency_key=read_idempotency_key(request.headers.getlist("idempotency-key")),
    )


def _from_url(request: Request) -> _Parameters:
    given = request.query_params
    for name in ("query", "operationName", "variables", "extensions"):
        if len(given.getlist(name)) > 1:
            raise RequestRefused(400, "BAD_REQUEST", f"Send `{name}` once.")
    members = {name: given[name] for name in ("query", "operationName") if name in given}
    objects = {name: given[name] for name in ("variables", "extensions") if given.get(name)}
    text = msgspec.json.encode(members)
    parameters = _from_json(text, "The URL")
    for name, value in objects.items():
        read = _decode(value.encode(), dict[str, Any], f"`{name}` in the URL")
        setattr(parameters, name, read)
    return parameters


async def _read_body(request: Request) -> bytes:
    media_type, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    charsets = [part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")]
    if media_type != "application/json" or charsets not in ([], ["utf-8"], ["utf8"]):
        message = "Send the request as application/json in UTF-8."
        raise RequestRefused(415, "UNSUPPORTED_MEDIA_TYPE", message, {"Accept": "application/json"})
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestRefused(415, "UNSUPPORTED_ENCODING", "Send the request without compression.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            message = f"The request is larger than {MAX_BODY_BYTES // 1024} KiB."
            raise RequestRefused(413, "PAYLOAD_TOO_LARGE", message, {"Connection": "close"})
    return bytes(body)


def _from_json(text: bytes, what: str) -> _Parameters:
    return _decode(text, _Parameters, what)


def _decode(text: bytes, shape: type[T], what: str) -> T:
    try:
        text.decode()
        return msgspec.json.decode(text, type=shape)
    except msgspec.ValidationError as error:
        reason = f"is not a GraphQL request: {str(error).replace('`', '')}"
    except (ValueError, RecursionError):
        reason = "is not JSON in UTF-8, or nests too deep"
    raise RequestRefused(400, "BAD_REQUEST", f"{what} {reason}.")
