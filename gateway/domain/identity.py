"""Ids that need no database: Relay global ids made of the provider and the provider's own id.

Source: Relay, Global Object Identification; design section 3.
"""

from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial

from gateway.domain.contact import PROVIDERS, Provider, RecordKey
from gateway.domain.errors import InputProblem, InvalidInput

# The longest id seen is a UUID; a longer one is no id of a provider and would only bloat URLs.
MAX_REMOTE_ID_CHARACTERS = 200

# Who reads a contact once reads it again, and an operation names it in several places. Some 300 bytes each, 2 KiB at
# most.
_REMEMBERED_IDS = 1_000
EXAMPLE = "copy the id from an answer of this gateway"


class NodeType(StrEnum):
    CONTACT = "Contact"
    RECORD = "ContactRecord"


@dataclass(frozen=True, slots=True)
class GlobalId:
    """What an id says: a contact (named by its anchor record) or one record."""

    type: NodeType
    key: RecordKey

    def __str__(self) -> str:
        return _written(_BEGINNINGS[self.type], self.key)


def _written(beginnings: Mapping[Provider, bytes], key: RecordKey) -> str:
    return b2a_base64(beginnings[key.provider] + key.remote_id.encode(), newline=False).decode("ascii")


# What an id begins with, as the bytes that they are; a list takes a hundred of them.
_BEGINNINGS = {type_: {provider: f"{type_}:{provider}:".encode() for provider in Provider} for type_ in NodeType}

contact_id: Callable[[RecordKey], str] = partial(_written, _BEGINNINGS[NodeType.CONTACT])
"""By a contact's anchor."""
record_id: Callable[[RecordKey], str] = partial(_written, _BEGINNINGS[NodeType.RECORD])


_TYPES = {type_.value: type_ for type_ in NodeType}


def read_id(text: str, path: tuple[str, ...]) -> GlobalId:
    """Reads an id made by contact_id or record_id.

    Raises:
        InvalidInput: at `path`, for anything else. The text must be the canonical form, so that one
            record never has two ids.
    """
    try:
        return _read(text)
    except ValueError as wrong:
        raise InvalidInput(InputProblem(path=path, code="MALFORMED_ID", message=f"{wrong}; {EXAMPLE}")) from None


@lru_cache(maxsize=_REMEMBERED_IDS)
def _read(text: str) -> GlobalId:
    """
    Raises:
        ValueError: saying what the text is not.
    """
    try:
        decoded = b64decode(text, validate=True).decode()
        type_name, provider_name, remote_id = decoded.split(":", 2)
        parsed = GlobalId(_TYPES[type_name], RecordKey(PROVIDERS[provider_name], remote_id))
    except (ValueError, KeyError):
        raise ValueError("is not an id of this gateway") from None
    if not 0 < len(remote_id) <= MAX_REMOTE_ID_CHARACTERS or not remote_id.isprintable():
        raise ValueError("does not hold a usable provider id")
    if str(parsed) != text:
        raise ValueError("is not written in its canonical form")
    return parsed
