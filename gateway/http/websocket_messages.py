"""The messages of graphql-transport-ws, read strictly.

Source: graphql-ws, PROTOCOL.md, section Message types.
"""

from typing import Any, TypeAlias

import msgspec

from gateway.http.graphql_request import GraphQLParameters
from gateway.http.json_reading import read_json
from gateway.http.refusal import RequestRefused

PROTOCOL = "graphql-transport-ws"

# RFC 6455, section 5.5: 125 bytes, two of which are the code.
_MAX_REASON_BYTES = 123


class ConnectionInit(msgspec.Struct, tag="connection_init", frozen=True):
    payload: dict[str, Any] | None = None


class Ping(msgspec.Struct, tag="ping", frozen=True):
    payload: dict[str, Any] | None = None


class Pong(msgspec.Struct, tag="pong", frozen=True):
    payload: dict[str, Any] | None = None


class Subscribe(msgspec.Struct, tag="subscribe", frozen=True):
    id: str
    payload: GraphQLParameters


class Complete(msgspec.Struct, tag="complete", frozen=True):
    id: str


Message: TypeAlias = ConnectionInit | Ping | Pong | Subscribe | Complete


class Closing(Exception):
    """The connection ends, with this code and a reason that fits into a close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")


def read_message(text: str | None, *, max_depth: int) -> Message:
    """`text` is None for a binary frame.

    Raises:
        Closing: with 4400.
    """
    if text is None:
        raise Closing(4400, "Messages are text, not binary")
    try:
        value = read_json(text.encode(), "The message", max_depth=max_depth)
        message: Message = msgspec.convert(value, Message)
    except RequestRefused as refused:
        raise Closing(4400, refused.message) from None
    except msgspec.ValidationError as error:
        raise Closing(4400, f"Invalid message: {error}") from None
    if isinstance(message, Subscribe):
        _check_subscribe(message)
    return message


def _check_subscribe(message: Subscribe) -> None:
    if not message.id:
        raise Closing(4400, "Invalid message: `id` is empty")
    asked = message.payload
    if asked.query is None and asked.document_id is None and not asked.extensions:
        raise Closing(4400, "Invalid message: `payload` has no `query`")
