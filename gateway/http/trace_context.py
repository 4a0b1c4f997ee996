"""The trace that a request belongs to, as its headers name it.

Source: W3C Trace Context, sections 3.2 and 3.3. Baggage is not read: it may hold anything about anybody.
"""

import re

from starlette.datastructures import Headers

from gateway.http.result import TraceContext

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_MAX_TRACESTATE_CHARACTERS = 512
_NONE = TraceContext()


def read_trace_context(headers: Headers) -> TraceContext:
    """Whatever is no context, or too long, counts as none: a trace is never a reason to refuse a request."""
    parents = headers.getlist("traceparent")
    if len(parents) != 1 or not _TRACEPARENT.fullmatch(parents[0]):
        return _NONE
    state = ",".join(headers.getlist("tracestate"))
    fits = state and len(state) <= _MAX_TRACESTATE_CHARACTERS
    return TraceContext(traceparent=parents[0], tracestate=state if fits else None)
