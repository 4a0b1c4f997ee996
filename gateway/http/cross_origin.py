"""CORS: closed, but for the origins of the settings.

Source: Fetch standard, section CORS protocol.
"""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.http.answer_headers import AnswerHeaders, add_vary, put
from gateway.http.origin import PREFLIGHT_HEADERS
from gateway.http.refusal import RequestRefused, refusal_response
from gateway.http.request_headers import RequestHeaders

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
_EXPOSED: Final = ", ".join(RESPONSE_HEADERS).encode()
_ASKS_FOR: Final = b"access-control-request-method"
_MAX_AGE_SECONDS: Final = 7_200


class CrossOrigin:
    """Preflights are answered as by Starlette, but that nothing is said to an origin that may not call."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origins)
        self._rules = CORSMiddleware(
            _nowhere,
            allow_origins=self._origins,
            allow_methods=("GET", "POST"),
            allow_headers=REQUEST_HEADERS,
            max_age=_MAX_AGE_SECONDS,
        )

    def preflight(self, scope: Scope, headers: RequestHeaders) -> Response | None:
        """The answer to a browser that asks whether a page may call; None for any other request."""
        if scope["method"] != "OPTIONS" or b"origin" not in headers or _ASKS_FOR not in headers:
            return None
        asked = Headers(scope=scope)
        response = self._rules.preflight_response(asked)
        if response.status_code == 200:
            return response
        message = "Pages of this origin may not call the gateway; GATEWAY_CORS_ORIGINS names those that may."
        if asked["origin"] in self._origins:
            message = f"Pages may send GET and POST, with the headers {', '.join(REQUEST_HEADERS)}."
        refused = RequestRefused(403, "CROSS_SITE_REQUEST", message, {"Vary": response.headers["vary"]})
        return refusal_response(refused)

    def add(self, headers: AnswerHeaders, origin: str | None) -> None:
        """What an answer to a page of this origin says of who may read it."""
        if origin in self._origins:
            put(headers, b"access-control-expose-headers", _EXPOSED)
            put(headers, b"access-control-allow-origin", origin.encode())
        add_vary(headers, b"Origin")


async def _nowhere(_: Scope, __: Receive, ___: Send) -> None:
    """Of Starlette's class only what it says to a preflight is used."""
