"""What a caller sent, read strictly: the parameters of one GraphQL request, or a refusal that says what to change.

Source: GraphQL over HTTP (draft), section Request.
"""

import asyncio
import re
from typing import Any

import msgspec
from starlette.datastructures import QueryParams
from starlette.types import Receive

from gateway.http.incoming import Incoming
from gateway.http.json_reading import read_json
from gateway.http.refusal import RequestRefused, over_limit
from gateway.http.request_headers import RequestHeaders
from gateway.http.settings import HttpSettings

_KINDS = {
    "query": "a string",
    "documentId": "a string",
    "operationName": "a string",
    "variables": "an object",
    "extensions": "an object",
}
_NAMES = tuple(_KINDS)


class GraphQLParameters(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """As they were sent; which document they mean is decided by `gateway.http.documents`."""

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


async def read_parameters(request: Incoming, settings: HttpSettings) -> GraphQLParameters:
    """
    Raises:
        RequestRefused: with 400, 405, 408, 413 or 415.
    """
    if request.method == "GET":
        return _from_url(request, settings.max_json_depth)
    if request.method != "POST":
        message = "Send GraphQL requests by POST, or queries by GET."
        raise RequestRefused(405, "METHOD_NOT_ALLOWED", message, {"Allow": "GET, POST"})
    _check_content(request.headers)
    _check_announced(request.headers, settings.max_body_bytes)
    body = await (_read_body if request.client else _read_body_in_time)(request.receive, settings)
    return to_parameters(read_json(body, "The body", max_depth=settings.max_json_depth), "The body")


def to_parameters(value: Any, what: str) -> GraphQLParameters:
    """
    Raises:
        RequestRefused: with 400, for anything but an object with these parameters.
    """
    if isinstance(value, list):
        message = "Batches are not taken: send one GraphQL request at a time, as an object."
        raise RequestRefused(400, "BATCHING_NOT_SUPPORTED", message)
    try:
        return msgspec.convert(value, GraphQLParameters)
    except msgspec.ValidationError as error:
        # Not as the library says it, which names types of Python.
        wrong = re.search(r"\$\.([A-Za-z]+)", str(error))
        kinds = f"`{wrong[1]}` has to be {_KINDS[wrong[1]]} or null" if wrong else "it has to be an object"
        message = f"{what} is not a GraphQL request: {kinds}."
        raise RequestRefused(400, "BAD_REQUEST", message) from None


def _from_url(request: Incoming, max_depth: int) -> GraphQLParameters:
    given = QueryParams(request.scope["query_string"])
    for name in _NAMES:
        if len(given.getlist(name)) > 1:
            raise RequestRefused(400, "BAD_REQUEST", f"Send `{name}` once.")
    # An empty parameter counts as one that was left out (section GET).
    members: dict[str, Any] = {name: given[name] for name in _NAMES if given.get(name)}
    for name in ("variables", "extensions"):
        if name in members:
            members[name] = _from_parameter(members[name], name, max_depth)
    return to_parameters(members, "The URL")


def _from_parameter(text: str, name: str, max_depth: int) -> Any:
    # The URL's own decoding puts U+FFFD where bytes are no UTF-8, and never leaves half a surrogate pair.
    return read_json(text.encode(), f"`{name}` in the URL", max_depth=max_depth)


def _check_content(headers: RequestHeaders) -> None:
    content_type = headers.get(b"content-type") or ""
    # What nearly everybody sends needs no reading.
    if content_type != "application/json" and not _is_json(content_type):
        message = "Send the request as application/json in UTF-8."
        raise RequestRefused(415, "UNSUPPORTED_MEDIA_TYPE", message, {"Accept": "application/json"})
    if (headers.get(b"content-encoding") or "").strip().lower() not in ("identity", ""):
        # A small body could grow past every limit while it is unpacked.
        message = "Send the request without compression."
        raise RequestRefused(415, "UNSUPPORTED_ENCODING", message, {"Accept-Encoding": "identity"})


def _is_json(content_type: str) -> bool:
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")]
    return media_type == "application/json" and charsets in ([], ["utf-8"], ["utf8"])


async def _read_body_in_time(receive: Receive, settings: HttpSettings) -> bytes:
    try:
        async with asyncio.timeout(settings.body_timeout_seconds):
            return await _read_body(receive, settings)
    except TimeoutError:
        message = f"The request did not arrive whole within {settings.body_timeout_seconds:g} seconds."
        raise RequestRefused(408, "REQUEST_TIMEOUT", message, {"Connection": "close"}) from None


async def _read_body(receive: Receive, settings: HttpSettings) -> bytes:
    """Of a request that is all here, or as long as somebody else sets it a time."""
    body, max_bytes = bytearray(), settings.max_body_bytes
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestRefused(400, "BAD_REQUEST", "The request broke off.")
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise _too_large(max_bytes, len(body))
        more = message.get("more_body", False)
    return bytes(body)


def _check_announced(headers: RequestHeaders, max_bytes: int) -> None:
    announced = headers.get(b"content-length") or ""
    if announced.isdecimal() and int(announced[:19]) > max_bytes:
        raise _too_large(max_bytes, int(announced[:19]))


def _too_large(allowed: int, measured: int) -> RequestRefused:
    message = f"The request is larger than {allowed} bytes."
    refused = over_limit("maxBodyBytes", allowed=allowed, measured=measured, message=message, status=413)
    # What is still on its way is not read.
    refused.headers["Connection"] = "close"
    return refused
