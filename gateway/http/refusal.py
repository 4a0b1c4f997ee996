"""A request that is answered before it reaches the schema."""

from collections.abc import Mapping


class RequestRefused(Exception):
    """The request never reached the schema; `status` and `code` say why, `headers` what to do instead."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})
