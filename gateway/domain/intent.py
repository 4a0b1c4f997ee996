"""What a caller asked to be written, in the words in which it was asked: recognised again, and carried out again."""

from datetime import datetime
from enum import StrEnum
from hashlib import sha256

import msgspec
from msgspec import Struct, field

from gateway.domain.changes import Changes
from gateway.domain.contact import Provider, RecordKey
from gateway.domain.identity import GlobalId


class WriteKind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UPSERT = "upsert"


class MatchKey(StrEnum):
    """What an upsert recognises a contact by."""

    EMAIL = "email"
    EXTERNAL_ID = "externalId"


class Intent(Struct, frozen=True, kw_only=True):
    """`changes` is not normalised yet; `target` is what an update or a deletion is aimed at.

    `unmodified_since`: an update that is only wanted of records that nobody changed after that. `nulls` are the paths
    at which the input said null, where `changes` does not tell that from left out.
    """

    kind: WriteKind
    changes: Changes = field(default_factory=Changes)
    target: GlobalId | None = None
    providers: tuple[Provider, ...] | None = None
    match_on: tuple[MatchKey, ...] = ()
    unmodified_since: datetime | None = None
    nulls: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Equal for equal intents only. A field left out and a field that is null are two things."""
        return sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Intent":
        return msgspec.json.decode(text, type=cls)


class Likeness(Struct, frozen=True, kw_only=True):
    """What a creation is recognised by at a provider; two with the same one could be taken for each other."""

    provider: Provider
    emails: tuple[str, ...]
    name: str

    @property
    def digest(self) -> str:
        return sha256(msgspec.json.encode(self)).hexdigest()


def lock_name(key: RecordKey) -> str:
    """Names a record where one writer at a time is let in."""
    return f"record:{key.provider}:{key.remote_id}"
