"""Only requests that name this gateway as their host are answered.

A page can point its own host name at 127.0.0.1 (DNS rebinding) and is then, to the browser, at home here; but the
Host header still tells the name.
"""

import re
from collections.abc import Iterable

from starlette.responses import Response

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

    def __init__(self, hosts: Iterable[str]) -> None:
        names = {*LOOPBACK, *(host.lower() for host in hosts)}
        self._any = "*" in names
        self._names = frozenset(names)
        self._endings = tuple(name[1:] for name in names if name.startswith("*."))

    def refuse(self, host: str) -> Response | None:
        """The answer to a request for another host; None for one for us."""
        if self._any or self._is_ours(_PORT.sub("", host.lower())):
            return None
        message = "The gateway does not answer to this host name; GATEWAY_ALLOWED_HOSTS names those that it answers to."
        return refusal_response(RequestRefused(421, "MISDIRECTED_REQUEST", message))

    def _is_ours(self, name: str) -> bool:
        return name in self._names or bool(self._endings and name.endswith(self._endings))
