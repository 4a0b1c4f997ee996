"""What the policies tell whoever counts: metrics and logs listen here, and nobody has to."""

from enum import StrEnum
from typing import Final, Literal, TypeAlias

from gateway.domain.contact import Provider
from gateway.domain.errors import ErrorCode
from gateway.domain.exchange import CallKind


class CircuitState(StrEnum):
    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


ABANDONED: Final = "ABANDONED"
Outcome: TypeAlias = ErrorCode | Literal["ABANDONED"] | None
"""How an attempt ended: None with a 2xx answer, ABANDONED when nobody wanted it any more, or with this failure."""


class PolicyEvents:
    """Hears nothing; whoever wants to hear overrides. Nothing here may block or raise."""

    def attempted(self, provider: Provider, kind: CallKind, seconds: float, outcome: Outcome) -> None:
        """One attempt ended."""

    def waited(self, provider: Provider, kind: CallKind, seconds: float) -> None:
        """A call got its turn, or gave up, after so long."""

    def retried(self, provider: Provider, kind: CallKind, code: ErrorCode) -> None:
        """A call is about to be sent again, because of this."""

    def held_back(self, provider: Provider, kind: CallKind, code: ErrorCode) -> None:
        """A call was refused by the gateway itself; nothing was sent."""

    def circuit_changed(self, provider: Provider, kind: CallKind, state: CircuitState) -> None:
        """The breaker of this kind of call went over into this state."""

    def shared(self, provider: Provider, kind: CallKind) -> None:
        """A read joined a call that was under way."""

    def cached(self, provider: Provider, *, stale: bool) -> None:
        """A record was answered without a call, fresh or in the place of a failure."""
