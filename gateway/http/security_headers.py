"""The headers that tell browsers what not to do, on every answer.

Source: OWASP REST Security and HTTP Headers cheat sheets.
"""

from collections.abc import Set
from typing import Final

from gateway.http.answer_headers import AnswerHeaders

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
_AT_HOME = (b"cross-origin-resource-policy", b"same-origin")
_ELSEWHERE = (b"cross-origin-resource-policy", b"cross-origin")


class SecurityHeaders:
    """What an answer says about itself stays: a page has a policy of its own, and some files may be kept."""

    def __init__(self, *, production: bool) -> None:
        # On localhost HTTPS only would forbid plain HTTP to every other program there.
        headers = {**HEADERS, **(ONLY_HTTPS if production else {})}
        ours = tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
        self._at_home, self._elsewhere = (*ours, _AT_HOME), (*ours, _ELSEWHERE)
        self._names = frozenset(name for name, _ in self._at_home)

    def add(self, headers: AnswerHeaders, names: Set[bytes]) -> None:
        """`names` are those of its headers."""
        ours = self._elsewhere if b"access-control-allow-origin" in names else self._at_home
        headers += ours if names.isdisjoint(self._names) else [one for one in ours if one[0] not in names]
