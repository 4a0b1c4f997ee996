"""An answer in parts as multipart/mixed.

Source: GraphQL over HTTP, RFC Incremental Delivery; RFC 1341, section 7.2. Which format the parts are of, and why it is
named: docs/adr/0012.
"""

from typing import Any

import msgspec

from gateway.http.negotiation import MULTIPART
from gateway.http.streamed import StreamedResponse

# A boundary begins a line, and JSON as msgspec writes it has none, so this one never stands in a part.
_DELIMITER = b"\r\n---"
_HEAD = b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"


class MultipartResponse(StreamedResponse):
    """A part is over for its reader when the delimiter after it has come, so that is sent with the part. What breaks
    off lacks the last delimiter, by which readers know it."""

    media_type = f'{MULTIPART}; boundary="-"; incrementalSpec=v0.2'
    opened = _DELIMITER
    closed = b"--\r\n"

    def frame(self, body: dict[str, Any]) -> bytes:
        return _HEAD + msgspec.json.encode(body) + _DELIMITER
