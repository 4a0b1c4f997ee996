"""The headers of one request, found by their names."""

from typing import Final

from starlette.types import Scope

_ORDERED: Final = "gateway.headers"


class RequestHeaders:
    """By names in lower case, as ASGI hands them over; values are read as Latin-1, which takes every byte."""

    __slots__ = ("_first", "_sent")

    def __init__(self, scope: Scope) -> None:
        self._sent: list[tuple[bytes, bytes]] = scope["headers"]
        # Of headers with one name the first one is put in last, and stays.
        self._first = dict(reversed(self._sent))

    def __contains__(self, name: bytes) -> bool:
        return name in self._first

    def get(self, name: bytes) -> str | None:
        """The first one with this name."""
        value = self._first.get(name)
        return None if value is None else value.decode("latin-1")

    def all(self, name: bytes) -> list[str]:
        """All with this name, in the order in which they were sent."""
        if name not in self._first:
            return []
        return [value.decode("latin-1") for sent, value in self._sent if sent == name]


def request_headers(scope: Scope) -> RequestHeaders:
    """Those of this request, put in order once for all who read them."""
    headers: RequestHeaders | None = scope.get(_ORDERED)
    if headers is None:
        headers = scope[_ORDERED] = RequestHeaders(scope)
    return headers
