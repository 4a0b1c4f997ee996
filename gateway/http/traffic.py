"""What the HTTP face tells whoever counts: requests as they come and go, and which were refused."""

import time
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

REFUSED = "refused"
"""Where the code of a refusal stands in the state of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One request, or one operation over a WebSocket (which has no `status` of its own), when all of its answer is
    sent. `code` is that of a refusal before execution."""

    status: int | None
    code: str | None
    seconds: float


class Traffic:
    """Hears nothing; whoever wants to hear overrides. Nothing here may block or raise."""

    def came(self) -> None:
        """A request came in; `left` follows, however it ends."""

    def left(self, served: Served) -> None:
        """It is over. The names of the log's context are still those of the request."""


class Watched:
    """Tells `traffic` of every request."""

    def __init__(self, app: ASGIApp, *, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: int | None = None

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.monotonic()
        self._traffic.came()
        try:
            await self._app(scope, receive, send_and_note)
        finally:
            code = scope["state"].get(REFUSED)
            self._traffic.left(Served(status=status, code=code, seconds=time.monotonic() - started))
