"""What nobody expected outside of the endpoint is answered without a word about it, and logged by its class and place.

So is what the server breaks off at its end: the client learns that it has to ask again.

Without this the server would write the exception's text into the log.
"""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.refusal import RequestRefused, refusal_response
from gateway.incident import report


class UnexpectedErrors:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = False

        async def watched_send(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except asyncio.CancelledError:
            if scope["type"] != "http" or answering or not scope["app"].state.services.ending.is_set():
                raise
            await refusal_response(_broken_off())(scope, receive, send)
        except Exception as unexpected:
            if scope["type"] == "lifespan":
                raise
            request_id = scope["state"]["request_id"]
            report("request_broke", unexpected, request_id=request_id)
            if scope["type"] == "websocket":
                with suppress(RuntimeError):
                    await send({"type": "websocket.close", "code": 1011})
            elif not answering:
                refused = RequestRefused(500, "INTERNAL_ERROR", "Internal error.", details={"requestId": request_id})
                await refusal_response(refused)(scope, receive, send)
            # An answer that has begun stays without its end, by which the client knows that it is not whole.


def _broken_off() -> RequestRefused:
    message = "The gateway was stopped before the answer was there. Ask again; a write with the same idempotency key."
    return RequestRefused(503, "GATEWAY_STOPPING", message, {"Retry-After": "1"})
