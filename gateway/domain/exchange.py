"""One request to a provider and its reply, as data; what carries them is a matter of gateway.upstream."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import force_setattr

from gateway.domain.contact import JsonObject

T = TypeVar("T")


class CallKind(StrEnum):
    """The class of operation: decides whether a lost reply may have changed something."""

    CREATE = "create"
    READ = "read"
    LIST = "list"
    UPDATE = "update"
    DELETE = "delete"
    FIND_BY_EMAIL = "find_by_email"

    writes: bool

    def __init__(self, word: str) -> None:
        # Asked several times for each call.
        self.writes = word in {"create", "update", "delete"}


class Call(Struct, frozen=True):
    """`path` is below the provider's base URL, its segments percent-encoded by the connector. `headers` are those of
    this call alone (a trace); credentials stand elsewhere."""

    method: str
    path: str
    body: JsonObject | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    kind: CallKind = CallKind.READ
    headers: Mapping[str, str] = field(default_factory=dict)


class Allowance(Struct, frozen=True, kw_only=True):
    """What a provider says of its own rate limit in an answer: the size of the window, what is left of it, when it
    is full again; None for what it does not say."""

    limit: int | None = None
    remaining: int | None = None
    reset_at: datetime | None = None


class Reply(Struct, frozen=True, kw_only=True):
    """A whole answer with a status of 200 to 299; everything else has become a ProviderFailure. Several who asked
    the same may have been given this very one (gateway.resilience.single_flight)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    latency_ms: int
    allowance: Allowance = Allowance()
    _read: tuple[object, Any] | None = None

    def read_once(self, reader: "Callable[[Reply], T]") -> T:
        """What the reader makes of it; the same object for all who share this reply and read it so.

        Raises:
            Exception: whatever the reader raises, for each of them anew.
        """
        if self._read is not None and self._read[0] == reader:
            made: T = self._read[1]
        else:
            made = reader(self)
            force_setattr(self, "_read", (reader, made))
        return made
