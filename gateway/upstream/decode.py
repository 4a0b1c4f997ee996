"""Strict decoding of what providers send: a wrong shape is a clear failure, never half a contact."""

import re
from datetime import datetime, timezone
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from gateway.domain.contact import Provider
from gateway.domain.errors import ReplyUnreadable

T = TypeVar("T")

_UTC = timezone.utc

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>[^`]*)`)?$", re.DOTALL)


def decode(body: bytes, shape: type[T], provider: Provider, status: int | None = None) -> T:
    """Reads JSON into `shape`; unknown fields are ignored, known ones have to have their type.

    Raises:
        ReplyUnreadable: naming the place and what was expected there, never the value found.
    """
    try:
        # msgspec passes over what `shape` does not name; a body that is no text at all is refused whole.
        body.decode()
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        reason = _say(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError):
        reason = "the body is not JSON"
    except RecursionError:
        reason = "the body nests too deep"
    raise ReplyUnreadable(provider, f"The answer could not be read: {reason}.", upstream_status=status)


def check_acknowledgement(body: bytes, provider: Provider, status: int | None = None) -> None:
    """The answer to a write that tells nothing: any JSON object, or no body at all.

    Raises:
        ReplyUnreadable: for anything else, such as a page that some proxy put in its place.
    """
    if body.strip():
        decode(body, dict[str, Any], provider, status)


def decode_leniently(body: bytes, shape: type[T]) -> T:
    """The body of an error, whose form nobody promises: `shape` has a default for everything."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return shape()


def in_utc(time: datetime | None | UnsetType, provider: Provider) -> datetime | None:
    """Providers mean UTC where they name no offset (docs/providers, time zones). None for what was left out.

    Raises:
        ReplyUnreadable: for a time that UTC cannot tell, at either end of the calendar.
    """
    if time is None or time is UNSET:
        return None
    zone = time.tzinfo
    if zone is _UTC:
        return time
    try:
        return time.replace(tzinfo=_UTC) if zone is None else time.astimezone(_UTC)
    except OverflowError:
        raise ReplyUnreadable(provider, "The answer could not be read: a time is out of range.") from None


def _say(message: str) -> str:
    """msgspec: "Expected `bool`, got `str` - at `$.a`"; ours: "$.a: expected bool, got str"."""
    match = _PLACE.match(message)
    what, where = (match["what"], match["where"]) if match else (message, None)
    text = what.replace("`", "")
    return f"{where or '$'}: {text[:1].lower()}{text[1:]}"
