"""What one GraphQL operation may still spend: time until its deadline, and calls to providers.

It travels in a context variable, so that connectors need not pass it on and cannot forget to.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MAX_UPSTREAM_CALLS = 100


@dataclass(slots=True)
class Operation:
    """`deadline` is a reading of `clock`, in seconds; without one (None) time is not limited."""

    deadline: float | None
    calls_left: int = MAX_UPSTREAM_CALLS
    clock: Callable[[], float] = field(default=time.monotonic)

    @property
    def seconds_left(self) -> float | None:
        """Never negative; None where time is not limited."""
        return None if self.deadline is None else max(0.0, self.deadline - self.clock())


_current: ContextVar[Operation | None] = ContextVar("operation", default=None)


def current_operation() -> Operation:
    """The running operation; outside of any (command line), one without limits that is not kept."""
    return _current.get() or Operation(deadline=None)


@contextmanager
def operation(
    *, deadline_seconds: float, clock: Callable[[], float] = time.monotonic, max_calls: int = MAX_UPSTREAM_CALLS
) -> Iterator[Operation]:
    """Everything awaited inside, tasks included, spends from this operation."""
    started = Operation(deadline=clock() + deadline_seconds, calls_left=max_calls, clock=clock)
    token = _current.set(started)
    try:
        yield started
    finally:
        _current.reset(token)
