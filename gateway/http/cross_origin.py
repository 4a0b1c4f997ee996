"""CORS: closed, but for the origins of the settings.

Source: Fetch standard, section CORS protocol.
"""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Send

from gateway.http.origin import PREFLIGHT_HEADERS
from gateway.http.refusal import RequestRefused, refusal_response

# What Apollo Client, urql, Relay, graphql-request and graphql-sse send beside the headers that every page may send.
REQUEST_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "X-GraphQL-Event-Stream-Token",
    "X-Apollo-Operation-Id",
    "ApolloGraphQL-Client-Name",
    "ApolloGraphQL-Client-Version",
    *PREFLIGHT_HEADERS,
)
RESPONSE_HEADERS: Final = ("X-Request-Id", "Retry-After", "WWW-Authenticate")
_MAX_AGE_SECONDS: Final = 7_200


class CrossOrigin(CORSMiddleware):
    """Starlette's, but that nothing is said to an origin that may not call."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "POST"),
            allow_headers=REQUEST_HEADERS,
            expose_headers=RESPONSE_HEADERS,
            max_age=_MAX_AGE_SECONDS,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        message = "Pages of this origin may not call the gateway; GATEWAY_CORS_ORIGINS names those that may."
        if self.is_allowed_origin(request_headers["origin"]):
            message = f"Pages may send GET and POST, with the headers {', '.join(REQUEST_HEADERS)}."
        refused = RequestRefused(403, "CROSS_SITE_REQUEST", message, {"Vary": response.headers["vary"]})
        return refusal_response(refused)

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        if message["type"] == "http.response.start" and not self.is_allowed_origin(request_headers.get("origin", "")):
            MutableHeaders(scope=message).add_vary_header("Origin")
            await send(message)
        else:
            await super().send(message, send, request_headers)
