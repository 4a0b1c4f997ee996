"""Only requests that name this gateway as their host are answered.

A page can point its own host name at 127.0.0.1 (DNS rebinding) and is then, to the browser, at home here; but the
Host header still tells the name.
"""

import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http.refusal import RequestRefused, refusal_response

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

_PORT = re.compile(r":[0-9]*$")


def answered_hosts(named: tuple[str, ...], *, listens_on: str, guarded: bool) -> tuple[str, ...]:
    """`guarded` is whether callers have to show a credential: a page of a stranger has none."""
    if guarded and not named:
        return ("*",)
    return (*named, f"[{listens_on}]" if ":" in listens_on else listens_on)


class AllowedHosts:
    """`hosts` are names without a port, beside those of the loopback; `*.example.com` is every name below it, `*`
    everything."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self._app = app
        names = {*LOOPBACK, *(host.lower() for host in hosts)}
        self._any = "*" in names
        self._names = frozenset(names)
        self._endings = tuple(name[1:] for name in names if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._allows(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, send)
            return
        message = "The gateway does not answer to this host name; GATEWAY_ALLOWED_HOSTS names those that it answers to."
        await refusal_response(RequestRefused(421, "MISDIRECTED_REQUEST", message))(scope, receive, send)

    def _allows(self, host: str) -> bool:
        name = _PORT.sub("", host.lower())
        return self._any or name in self._names or bool(self._endings and name.endswith(self._endings))
