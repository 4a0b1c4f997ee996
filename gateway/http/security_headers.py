"""The headers that tell browsers what not to do, on every answer.

Source: OWASP REST Security and HTTP Headers cheat sheets.
"""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
ONLY_HTTPS: Final = {"Strict-Transport-Security": "max-age=31536000"}


class SecurityHeaders:
    """What an answer says about itself stays: a page has a policy of its own, and some files may be kept."""

    def __init__(self, app: ASGIApp, *, production: bool) -> None:
        self._app = app
        # On localhost HTTPS only would forbid plain HTTP to every other program there.
        self._headers = {**HEADERS, **(ONLY_HTTPS if production else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                self._add(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _add(self, headers: MutableHeaders) -> None:
        elsewhere = "access-control-allow-origin" in headers
        resource_policy = {"Cross-Origin-Resource-Policy": "cross-origin" if elsewhere else "same-origin"}
        for name, value in {**self._headers, **resource_policy}.items():
            headers.setdefault(name, value)
