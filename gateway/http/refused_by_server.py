"""Answers what the connection refused: a head that is too large or too slow, bytes that are no request."""

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http.refusal import RequestRefused, refusal_response

REFUSAL = "gateway.refusal"
"""Where the RequestRefused stands in the scope."""


class RefusedByServer:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused: RequestRefused | None = scope.get(REFUSAL)
        await (refusal_response(refused) if refused else self._app)(scope, receive, send)
