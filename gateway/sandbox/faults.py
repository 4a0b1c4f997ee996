"""The ways a simulator can misbehave, and the list of those still to come.

A fault is told apart by when it strikes: before the request is applied
(`status`, `hang`, `drop_before`, `redirect`) or after (all the others), because
that decides what a client may know about its write.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import Annotated, Literal, get_args

import msgspec

from gateway.sandbox.exchange import Clock

FaultKind = Literal[
    "status",
    "hang",
    "slow",
    "drip",
    "drop_before",
    "drop_after",
    "html",
    "cut_json",
    "wrong_shape",
    "no_id",
    "huge",
    "redirect",
]

FAULT_KINDS: dict[FaultKind, str] = {
    "status": "answers `status`, not applied (or applied first, with `applied`)",
    "hang": "no answer until the client leaves, at most 60 seconds; not applied",
    "slow": "applied at once, answered rightly after `delay_ms`",
    "drip": "applied, the right answer sent `chunk_bytes` at a time, `delay_ms` apart",
    "drop_before": "connection closed without applying or answering",
    "drop_after": "applied, then connection closed without an answer",
    "html": "applied, a success status with an HTML page",
    "cut_json": "applied, JSON cut short, its length header matching the cut",
    "wrong_shape": "applied, JSON of a wrong shape: strings for booleans and for lists",
    "no_id": "applied, the answer without its id",
    "huge": "applied, a right answer padded to more than 8 MiB",
    "redirect": "302 to another address; not applied",
}
assert set(FAULT_KINDS) == set(get_args(FaultKind))


class BadFault(ValueError):
    """A fault that no simulator could carry out; the text says why."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One misbehaviour, also the JSON body of `POST /_sandbox/faults`.

    `operation` limits it to one kind of call (None: any); `list` covers look-ups
    too, `find` only those. `count` is the number of requests it lasts for (None:
    until cleared).
    """

    kind: FaultKind
    operation: str | None = None
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    retry_after_seconds: Annotated[int, msgspec.Meta(ge=0)] | None = None
    retry_after_form: Literal["seconds", "date"] = "seconds"
    code: str | None = None
    message: str | None = None
    applied: bool = False
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=600_000)] = 1000
    chunk_bytes: Annotated[int, msgspec.Meta(ge=1)] = 4

    def __post_init__(self) -> None:
        if self.kind == "status" and self.status is None:
            raise BadFault("kind status needs a `status` number")
        if self.kind != "status" and self.status is not None:
            raise BadFault(f"`status` belongs to kind status, not to {self.kind}")

    def retry_after(self, clock: Clock) -> str | None:
        """The value of the Retry-After header, in the form asked for."""
        if self.retry_after_seconds is None:
            return None
        if self.retry_after_form == "seconds":
            return str(self.retry_after_seconds)
        return format_datetime(clock() + timedelta(seconds=self.retry_after_seconds), usegmt=True)


@dataclass(slots=True)
class Pending:
    fault: Fault
    remaining: int | None

    def covers(self, operation: str) -> bool:
        wanted = self.fault.operation
        return wanted in (None, operation) or (wanted == "list" and operation == "find")


class FaultList:
    """The faults of one simulator; the first that covers a request strikes it."""

    def __init__(self, operations: Collection[str]) -> None:
        self._operations = frozenset(operations)
        self.pending: list[Pending] = []

    def add(self, fault: Fault) -> None:
        """Raises: BadFault when this provider has no such operation."""
        if fault.operation is not None and fault.operation not in self._operations:
            known = ", ".join(sorted(self._operations))
            raise BadFault(f"unknown operation {fault.operation!r}; this provider has {known}")
        self.pending.append(Pending(fault, fault.count))

    def clear(self) -> None:
        self.pending.clear()

    def take(self, operation: str) -> Fault | None:
        """The fault that strikes this request; used up faults leave the list."""
        for pending in self.pending:
            if not pending.covers(operation):
                continue
            if pending.remaining is not None:
                pending.remaining -= 1
                if pending.remaining == 0:
                    self.pending.remove(pending)
            return pending.fault
        return None
