"""One request to a provider and its reply, as data; what carries them is a matter of gateway.upstream."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.contact import JsonObject


class CallKind(StrEnum):
    """The class of operation: decides whether a lost reply may have changed something."""

    CREATE = "create"
    READ = "read"
    LIST = "list"
    UPDATE = "update"
    DELETE = "delete"
    FIND_BY_EMAIL = "find_by_email"

    @property
    def writes(self) -> bool:
        return self in (CallKind.CREATE, CallKind.UPDATE, CallKind.DELETE)


@dataclass(frozen=True, slots=True)
class Call:
    """`path` is below the provider's base URL, its segments percent-encoded by the connector."""

    method: str
    path: str
    body: JsonObject | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    kind: CallKind = CallKind.READ


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer with a status of 200 to 299; everything else has become a ProviderFailure."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    latency_ms: int
