"""A write as the store remembers it."""

import os

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.contact import Provider, RecordKey
from gateway.domain.errors import ProviderFailure, ReplyTimedOut, WriteOutcome
from gateway.domain.intent import Intent, WriteKind
from gateway.domain.writes import WriteAction, WriteResult, WriteWarning


class StoredTarget(Struct, frozen=True, kw_only=True):
    """One provider's share. Times are milliseconds since 1970.

    `outcome` is UNKNOWN from before the first byte until an answer is noted; `unknown_since` is set once nobody
    is at work on it any more. `creates`: a record was to be created rather than changed. `linked`: the record has
    been joined to the contact.
    """

    position: int
    provider: Provider
    remote_id: str | None
    creates: bool
    likeness: str | None
    outcome: WriteOutcome = WriteOutcome.UNKNOWN
    action: WriteAction | None = None
    failure: ProviderFailure | None = None
    warnings: tuple[WriteWarning, ...] = ()
    sent_at: int | None = None
    unknown_since: int | None = None
    linked: bool = False

    @property
    def key(self) -> RecordKey | None:
        return RecordKey(self.provider, self.remote_id) if self.remote_id is not None else None

    @property
    def result(self) -> WriteResult:
        """What is known, as the answer to a write."""
        if self.outcome is WriteOutcome.APPLIED:
            return WriteResult(provider=self.provider, key=self.key, action=self.action, warnings=self.warnings)
        failure = self.failure or interrupted(self.provider)
        return WriteResult(provider=self.provider, key=self.key, failure=failure, warnings=self.warnings)

    @property
    def replayed(self) -> WriteResult:
        """The same, to a caller that asks for the second time."""
        applied = self.outcome is WriteOutcome.APPLIED
        return replace(self.result, action=WriteAction.REPLAYED) if applied else self.result


class StoredOperation(Struct, frozen=True, kw_only=True):
    """`intent` is None once everything was applied: what it held is needed no more. `caller` is whose it is."""

    id: str
    caller: str
    kind: WriteKind
    fingerprint: str
    intent: Intent | None
    owner: str | None
    lease_until: int | None
    finished: bool
    look_at: int | None = None
    looks: int = 0
    targets: tuple[StoredTarget, ...]

    @property
    def settled(self) -> bool:
        """Whether there is nothing left that could be looked for or sent again."""
        return self.finished and all(target.outcome is WriteOutcome.APPLIED for target in self.targets)


def new_id(now: int) -> str:
    """For an operation that is recorded now: a UUID that begins with the time (RFC 9562, section 5.7) and cannot be
    guessed. What is written at one time so stands together in the indexes, and few pages go to the disk for it."""
    time, random = f"{now:012x}", os.urandom(10).hex()
    variant = "89ab"[int(random[3], 16) & 3]
    return f"{time[:8]}-{time[8:]}-7{random[:3]}-{variant}{random[4:7]}-{random[7:19]}"


def interrupted(provider: Provider) -> ProviderFailure:
    message = "The gateway was interrupted while it wrote there; whether it was done is not known yet."
    return ReplyTimedOut(provider, message)
