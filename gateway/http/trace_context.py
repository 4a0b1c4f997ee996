"""The trace that a request belongs to, as its headers name it.

Source: W3C Trace Context, sections 3.2 and 3.3. Baggage is not read: it may hold anything about anybody.
"""

import re

from gateway.http.request_headers import RequestHeaders
from gateway.http.result import TraceContext

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_MEMBER = re.compile(
    r"([a-z0-9][a-z0-9_\-*/@]{0,255})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_MAX_TRACESTATE_CHARACTERS = 512
_MAX_MEMBERS = 32
_NONE = TraceContext()


def read_trace_context(headers: RequestHeaders) -> TraceContext:
    """Whatever is no context, or too long, counts as none: a trace is never a reason to refuse a request, and what a
    library would warn of does not get there."""
    parents = headers.all(b"traceparent")
    if len(parents) != 1 or not _TRACEPARENT.fullmatch(parents[0]):
        return _NONE
    return TraceContext(traceparent=parents[0], tracestate=_tracestate(",".join(headers.all(b"tracestate"))))


def _tracestate(text: str) -> str | None:
    if not text or len(text) > _MAX_TRACESTATE_CHARACTERS:
        return None
    members = [_MEMBER.fullmatch(member.strip(" \t")) for member in text.split(",")]
    keys = {member[1] for member in members if member}
    # A key that stands twice, like a member that is none, makes all of it void.
    return text if len(keys) == len(members) <= _MAX_MEMBERS else None
