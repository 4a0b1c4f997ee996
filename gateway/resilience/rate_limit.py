"""What a provider publishes of its rate limits."""

from dataclasses import dataclass

from gateway.domain.exchange import CallKind

WINDOW_SECONDS = 60.0

# Its clock and ours need not run alike: 500 millionths, the most that NTP turns a clock by, are 0.03 s a window.
CLOCK_MARGIN_SECONDS = 0.1
# What was sent before a call was cut off may stand in a queue on the way and be counted later: as long as we would have
# waited for its answer at most.
STRAGGLER_SECONDS = 5.0

MAX_CALLS = 100_000
# The notes on Cometly have two figures for a read, 15 and 30. Far more than that is a mistake, or another window.
MAX_RAISE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """At most `calls` calls of these kinds together, in any WINDOW_SECONDS. `name` tells it from the provider's
    others."""

    name: str
    kinds: frozenset[CallKind]
    calls: int

    @property
    def ceiling(self) -> int:
        """The most that a provider can raise it to by telling so."""
        return min(self.calls * MAX_RAISE, MAX_CALLS)
