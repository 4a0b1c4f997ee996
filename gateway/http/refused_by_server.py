"""Answers what the connection refused: a head that is too large or too slow, bytes that are no request."""

from starlette.responses import Response
from starlette.types import Scope

from gateway.http.refusal import RequestRefused, refusal_response

REFUSAL = "gateway.refusal"
"""Where the RequestRefused stands in the scope."""


def refused_by_server(scope: Scope) -> Response | None:
    """The answer to what got no further than the connection."""
    refused: RequestRefused | None = scope.get(REFUSAL)
    return refusal_response(refused) if refused else None
