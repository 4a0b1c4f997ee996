"""What one operation cost at each provider: calls, time and what could be saved; told in `extensions.providers`."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct, field

from gateway.clock import Monotonic
from gateway.domain.contact import Provider


class Spending(Struct):
    """`calls` that were sent, retries included; `cache_hits` answers that needed no call; `shared` answers of a call
    that another operation had under way; milliseconds waited for a turn or between two attempts, and spent on calls."""

    calls: int = 0
    cache_hits: int = 0
    shared: int = 0
    waited_ms: float = 0.0
    spent_ms: float = 0.0

    @contextmanager
    def waiting(self, clock: Monotonic) -> Iterator[None]:
        """Counts the time inside as waited, however it ends."""
        started = clock()
        try:
            yield
        finally:
            self.waited_ms += (clock() - started) * 1000


class Tally(Struct):
    """One per operation. A provider that had nothing to do with it is not in `by_provider`."""

    by_provider: dict[Provider, Spending] = field(default_factory=dict)

    def of(self, provider: Provider) -> Spending:
        spending = self.by_provider.get(provider)
        if spending is None:
            spending = self.by_provider[provider] = Spending()
        return spending
