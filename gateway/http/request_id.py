"""Every answer has a name, which the log line of what went wrong carries too."""

import secrets
from collections.abc import Container

from starlette.types import Scope
from structlog.contextvars import bind_contextvars, clear_contextvars

from gateway.http.answer_headers import AnswerHeaders

_HEADER = b"x-request-id"


def named(scope: Scope) -> str:
    """A new name, which then stands in the scope's state as `request_id` and in every line of the log."""
    request_id = secrets.token_hex(16)
    # A pipelined request may begin in the context of the one before it.
    clear_contextvars()
    bind_contextvars(request_id=request_id)
    scope.setdefault("state", {})["request_id"] = request_id
    return request_id


def add_name(headers: AnswerHeaders, names: Container[bytes], request_id: str) -> None:
    """An answer that brings one of its own keeps it. `names` are those of its headers."""
    if _HEADER not in names:
        headers.append((_HEADER, request_id.encode()))
