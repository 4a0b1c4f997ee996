"""Where a provider is, and how long anybody waits for it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a provider is and what every call to it carries. `headers` hold the credentials."""

    base_url: str
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """In seconds; design section 9. An attempt runs from the first byte sent to the last one received; before that,
    `connect_seconds` are for a connection that is free, and again for one that has to be made."""

    connect_seconds: float = 2.0
    attempt_seconds: float = 5.0
