"""A request that is answered before it reaches the schema."""

from collections.abc import Mapping
from typing import Any


class RequestRefused(Exception):
    """The request never reached the schema; `status` and `code` say why, `headers` what to do instead.

    `details` stand beside the code in the error's extensions: a limit and what was measured.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers, self.details = dict(headers or {}), dict(details or {})

    @property
    def body(self) -> dict[str, Any]:
        """A well-formed GraphQL response without data."""
        return {"errors": [{"message": self.message, "extensions": {"code": self.code, **self.details}}]}


def over_limit(limit: str, *, allowed: int, measured: int, message: str, status: int = 400) -> RequestRefused:
    """The refusal of a request that is larger than `limit` allows; `measured` is what was counted until then."""
    details = {"limit": limit, "allowed": allowed, "measured": measured}
    return RequestRefused(status, "LIMIT_EXCEEDED", message, details=details)
