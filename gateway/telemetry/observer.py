"""What is told of one GraphQL operation, and to whom."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.http.result import GraphQLRequest, OperationKind


class OperationOutcome(StrEnum):
    """Refused operations never ran; of the others some data, or none, may have come to nothing."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"
    REFUSED = "refused"
    # Nobody waited for the answer any more.
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """`kind` is None for a document that names no operation to run. `codes` are those of the answer's errors. `joined`
    is the id of the request that it shared the execution of."""

    kind: OperationKind | None
    outcome: OperationOutcome
    codes: tuple[str, ...]
    seconds: float
    joined: str | None = None


class Observation(Protocol):
    """One operation, from when it is chosen until its last result."""

    def current(self) -> AbstractContextManager[object]:
        """Everything awaited inside belongs to the operation."""
        ...

    def end(self, ended: Ended) -> None:
        """Called once."""
        ...


class OperationObserver:
    """Sees nothing; whoever wants to see overrides. Nothing here may block or raise."""

    def begin(self, request: GraphQLRequest, kind: OperationKind, name: str | None) -> Observation | None:
        """None where the course of this operation is of no interest."""

    def ended(self, request: GraphQLRequest, ended: Ended) -> None:
        """An operation is over, also one that was never begun."""
