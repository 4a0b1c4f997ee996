"""Every answer has a name, which the log line of what went wrong carries too."""

from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

HEADER = "X-Request-Id"


class RequestIds:
    """The name stands in the scope's state as `request_id`; an answer that brings one of its own keeps it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_name(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                MutableHeaders(scope=message).setdefault(HEADER, request_id)
            await send(message)

        request_id = uuid4().hex
        # A pipelined request may begin in the context of the one before it.
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        if scope["type"] in ("http", "websocket"):
            scope.setdefault("state", {})["request_id"] = request_id
        await self._app(scope, receive, send_with_name)
