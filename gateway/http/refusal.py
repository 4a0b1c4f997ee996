"""A request that is answered before it reaches the schema."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.http.traffic import REFUSED


class RequestRefused(Exception):
    """The request never reached the schema; `status` and `code` say why, `headers` what to do instead.

    `details` stand beside the code in the error's extensions: a limit and what was measured. `json_status` is for an
    answer as application/json, where clients of this error read it only from a 200.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
        *,
        json_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.json_status = status if json_status is None else json_status
        self.headers, self.details = dict(headers or {}), dict(details or {})

    @property
    def body(self) -> dict[str, Any]:
        """A well-formed GraphQL response without data."""
        return {"errors": [{"message": self.message, "extensions": {"code": self.code, **self.details}}]}


def over_limit(limit: str, *, allowed: int, measured: int, message: str, status: int = 400) -> RequestRefused:
    """The refusal of a request that is larger than `limit` allows; `measured` is what was counted until then."""
    details = {"limit": limit, "allowed": allowed, "measured": measured}
    return RequestRefused(status, "LIMIT_EXCEEDED", message, details=details)


def refusal_response(refused: RequestRefused) -> Response:
    """Outside of the endpoint, where nobody has negotiated a media type."""
    return _Refusal(
        refused.code,
        msgspec.json.encode(refused.body),
        status_code=refused.status,
        media_type="application/json; charset=utf-8",
        headers=refused.headers,
    )


class _Refusal(Response):
    """Leaves its code in the state of the request."""

    def __init__(self, code: str, body: bytes, **given: Any) -> None:
        super().__init__(body, **given)
        self._code = code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})[REFUSED] = self._code
        await super().__call__(scope, receive, send)
