"""GET /metrics: for whoever shows the token, or for everybody where there is none."""

import hmac
from collections.abc import Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.http.authorization import authorization
from gateway.http.refusal import RequestRefused, refusal_response
from gateway.http.request_headers import request_headers

Page: TypeAlias = Callable[[str], tuple[bytes, str]]
"""From an Accept header to the metrics and their media type."""


def metrics_route(page: Page, token: str | None) -> Route:
    async def metrics(request: Request) -> Response:
        if token is not None and not _shows(request, token):
            message = "Metrics are for whoever shows GATEWAY_METRICS_TOKEN as Authorization: Bearer."
            return refusal_response(RequestRefused(401, "UNAUTHENTICATED", message, {"WWW-Authenticate": "Bearer"}))
        body, media_type = page(request.headers.get("accept", ""))
        return Response(body, media_type=media_type)

    return Route("/metrics", metrics)


def _shows(request: Request, token: str) -> bool:
    scheme, _, shown = (authorization(request_headers(request.scope)) or "").partition(" ")
    # The comparison takes as long for every wrong one.
    return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())
