"""Results as server-sent events, one connection for each operation.

Source: graphql-sse protocol, distinct connections mode; HTML standard, section Server-sent events.
"""

from typing import Any

import msgspec

from gateway.http.negotiation import EVENT_STREAM
from gateway.http.streamed import StreamedResponse


class EventStreamResponse(StreamedResponse):
    media_type = f"{EVENT_STREAM}; charset=utf-8"
    # Some clients count the stream as open only when something has come.
    opened = kept_alive = b":\n\n"
    # Browsers pass an event without data over.
    closed = b"event: complete\ndata:\n\n"

    def frame(self, body: dict[str, Any]) -> bytes:
        # JSON as msgspec writes it has no line breaks.
        return b"event: next\ndata: " + msgspec.json.encode(body) + b"\n\n"
