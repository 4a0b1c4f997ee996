"""One GraphQL response, ready to be sent: its bytes, and the headers that ASGI takes."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send


class Answer:
    """`headers` are those beside its length and its media type."""

    __slots__ = ("_body", "_start")

    def __init__(self, body: Mapping[str, Any], status: int, media_type: str, headers: Mapping[str, str]) -> None:
        self._body = msgspec.json.encode(body)
        self._start = {
            "type": "http.response.start",
            "status": status,
            "headers": [
                *((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()),
                (b"vary", b"Accept"),
                (b"content-length", b"%d" % len(self._body)),
                (b"content-type", b"%b; charset=utf-8" % media_type.encode()),
            ],
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(self._start)
        await send({"type": "http.response.body", "body": self._body})
