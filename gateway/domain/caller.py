"""Who asks, and at which providers they may read and write."""

from dataclasses import dataclass
from datetime import datetime

from gateway.domain.contact import Provider
from gateway.domain.exchange import CallKind

_ALL = frozenset(Provider)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`id` tells callers apart and stays the same for as long as their credential does.

    Who may write somewhere may read there. `expires_at` is when the credential ends, None for never.
    """

    id: str
    may_read: frozenset[Provider]
    may_write: frozenset[Provider]
    expires_at: datetime | None = None

    def seconds_left(self, now: datetime) -> float | None:
        """Until the credential ends, never negative; None where it does not."""
        return None if self.expires_at is None else max(0.0, (self.expires_at - now).total_seconds())

    def may(self, kind: CallKind, provider: Provider) -> bool:
        """Whether a call of this kind to this provider may be made for them."""
        return provider in (self.may_write if kind.writes else self.may_read)


ANYBODY = Caller(id="anybody", may_read=_ALL, may_write=_ALL)
"""Every caller of a gateway that asks nobody who they are."""
