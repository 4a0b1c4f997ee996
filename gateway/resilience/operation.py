"""Whom one GraphQL operation is for, and what it may still spend: time until its deadline, calls to providers.

It travels in a context variable, so that connectors need not pass it on and cannot forget to.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from msgspec import Struct, field
from msgspec.structs import replace

from gateway.clock import Monotonic
from gateway.domain.caller import ANYBODY, Caller
from gateway.resilience.tally import Tally

MAX_UPSTREAM_CALLS = 100


class Operation(Struct):
    """`deadline` is a reading of `clock`, in seconds; without one (None) time is not limited.

    What the gateway does on its own is for ANYBODY: no caller's scopes hold it back; with `background` it lets
    everybody else go first. `shares_reads` allows its reads to join a call that somebody else has under way: only for
    queries, since a write must not be decided by what was read before it began. `charged_to` is the operation whose
    calls are spent in the place of its own.
    """

    deadline: float | None
    calls_left: int = MAX_UPSTREAM_CALLS
    caller: Caller = ANYBODY
    clock: Monotonic = time.monotonic
    background: bool = False
    shares_reads: bool = False
    tally: Tally = field(default_factory=Tally)
    charged_to: "Operation | None" = None

    @property
    def payer(self) -> "Operation":
        """The operation whose `calls_left` count."""
        return self.charged_to or self

    @property
    def seconds_left(self) -> float | None:
        """Never negative; None where time is not limited."""
        return None if self.deadline is None else max(0.0, self.deadline - self.clock())

    def lent(self) -> "Operation":
        """For a call that may go on after this one has ended, which pays for it all the same."""
        return replace(self, charged_to=self.payer)


_current: ContextVar[Operation | None] = ContextVar("operation", default=None)


def current_operation() -> Operation:
    """The running operation; outside of any (command line), one without limits that is not kept."""
    return _current.get() or Operation(deadline=None)


@contextmanager
def operation(
    *,
    deadline_seconds: float,
    clock: Monotonic = time.monotonic,
    max_calls: int = MAX_UPSTREAM_CALLS,
    caller: Caller = ANYBODY,
    background: bool = False,
    shares_reads: bool = False,
) -> Iterator[Operation]:
    """Everything awaited inside, tasks included, spends from this operation."""
    started = Operation(
        deadline=clock() + deadline_seconds,
        calls_left=max_calls,
        caller=caller,
        clock=clock,
        background=background,
        shares_reads=shares_reads,
    )
    with running(started):
        yield started


@contextmanager
def asking_anew() -> Iterator[None]:
    """Reads inside join no call that is under way: their answer is newer than the question."""
    present = current_operation()
    with running(replace(present, shares_reads=False, charged_to=present.payer)):
        yield


class running:  # noqa: N801 (it is used like a function)
    """Spends from an operation that began elsewhere."""

    __slots__ = ("_started", "_token")

    def __init__(self, started: Operation) -> None:
        self._started = started

    def __enter__(self) -> None:
        self._token = _current.set(self._started)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
