"""What nobody expected outside of the endpoint is answered without a word about it, and logged by its class and place.

So is what the server breaks off at its end: the client learns that it has to ask again.

Without this the server would write the exception's text into the log.
"""

from starlette.responses import Response
from starlette.types import Scope

from gateway.http.refusal import RequestRefused, refusal_response
from gateway.incident import report


def broken_off(scope: Scope) -> Response | None:
    """The answer to a request that was cancelled; None for one that nothing but the server's end may answer."""
    if scope["type"] != "http" or not scope["app"].state.services.ending.is_set():
        return None
    message = "The gateway was stopped before the answer was there. Ask again; a write with the same idempotency key."
    return refusal_response(RequestRefused(503, "GATEWAY_STOPPING", message, {"Retry-After": "1"}))


def internal_error(unexpected: Exception, request_id: str) -> Response:
    """Tells the log what it was, and the client nothing."""
    report("request_broke", unexpected, request_id=request_id)
    return refusal_response(RequestRefused(500, "INTERNAL_ERROR", "Internal error.", details={"requestId": request_id}))
