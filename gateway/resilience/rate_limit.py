"""What a provider publishes of its rate limits."""

from dataclasses import dataclass

from gateway.domain.exchange import CallKind

WINDOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """At most `calls` calls of these kinds together, in any WINDOW_SECONDS. `name` tells it from the provider's
    others."""

    name: str
    kinds: frozenset[CallKind]
    calls: int
