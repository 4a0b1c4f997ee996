"""Everything that can go wrong, as one tree; each leaf knows its code, who can mend it, and what it leaves behind.

GatewayError
├── InvalidInput            the caller's input is wrong; nobody was called
└── ProviderFailure         one provider, one event (design section 6, the table of outcomes)
    ├── OperationUnsupported, FieldUnsupported, ClearUnsupported, ListTruncated
    ├── InputRefused, RecordNotFound, DuplicateRecord
    ├── CredentialsRefused, PermissionDenied, CallerNotPermitted
    ├── RateLimited (BudgetSpent), ProviderUnreachable, ProviderUnavailable (CircuitOpen, ProviderCrowded)
    ├── ReplyTimedOut, ProviderBroken, ReplyUnreadable
    ├── DeadlineExceeded (AnswerPending), CallLimitReached
    └── RecordBusy, RecordStale, SeveralMatches
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal, Self, TypeAlias

from gateway.domain.contact import Provider, RecordKey
from gateway.domain.exchange import Allowance

Blame: TypeAlias = Literal["client", "provider", "gateway"]


class ErrorCode(StrEnum):
    INVALID_INPUT = "INVALID_INPUT"
    UNSUPPORTED_OPERATION = "UNSUPPORTED_OPERATION"
    UNSUPPORTED_FIELD = "UNSUPPORTED_FIELD"
    UNSUPPORTED_CLEAR = "UNSUPPORTED_CLEAR"
    LIST_TRUNCATED = "LIST_TRUNCATED"
    NOT_FOUND = "NOT_FOUND"
    DUPLICATE = "DUPLICATE"
    PROVIDER_UNAUTHENTICATED = "PROVIDER_UNAUTHENTICATED"
    PROVIDER_FORBIDDEN = "PROVIDER_FORBIDDEN"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    PROVIDER_UNREACHABLE = "PROVIDER_UNREACHABLE"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    PROVIDER_TIMEOUT = "PROVIDER_TIMEOUT"
    PROVIDER_ERROR = "PROVIDER_ERROR"
    PROVIDER_BAD_RESPONSE = "PROVIDER_BAD_RESPONSE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UPSTREAM_CALL_LIMIT = "UPSTREAM_CALL_LIMIT"
    RECORD_BUSY = "RECORD_BUSY"
    STALE_RECORD = "STALE_RECORD"
    AMBIGUOUS_MATCH = "AMBIGUOUS_MATCH"
    IDEMPOTENCY_KEY_MISMATCH = "IDEMPOTENCY_KEY_MISMATCH"
    IDEMPOTENCY_IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"


class WriteOutcome(StrEnum):
    """What is known about a write at one provider."""

    APPLIED = "APPLIED"
    NOT_APPLIED = "NOT_APPLIED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputProblem:
    """One wrong value: where it stands, a short code, what to change; `provider` if only that one minds."""

    path: tuple[str, ...]
    code: str
    message: str
    provider: Provider | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A ProviderFailure as data, for answers that report it without raising it."""

    code: ErrorCode
    message: str
    provider: Provider
    retryable: bool
    retry_after_ms: int | None = None
    upstream_status: int | None = None
    upstream_code: str | None = None
    field: tuple[str, ...] | None = None
    existing: RecordKey | None = None
    candidates: tuple[RecordKey, ...] = ()


def let_go_of_frames(error: BaseException | None) -> None:
    """Of what nobody raises any more: they hold all that a request was busy with, and lead back to the exception, so
    that only a garbage collection could let go of it."""
    while error is not None:
        below = error.__cause__ or error.__context__
        error.__traceback__ = error.__cause__ = error.__context__ = None
        error = below


class GatewayError(Exception):
    """The root; never raised itself."""

    blame: ClassVar[Blame]


class InvalidInput(GatewayError):
    """What the caller sent cannot be carried out; no provider was called."""

    blame = "client"

    def __init__(self, *problems: InputProblem) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{'.'.join(p.path)}: {p.message}" for p in problems))


class ProviderFailure(GatewayError):
    """One event at one provider.

    `outcome` says what it means for a write in progress; a subclass states the usual case and the
    place that raises it the exception (a 408 is a time-out that surely applied nothing). `held_back` says that the
    gateway itself refused the call before anything was sent, so trying again at once would be refused again.
    `cut_short` says that the operation's deadline left the provider too little time to be judged by. `allowance` is
    what an answer without success said of the rate limit.
    """

    code: ClassVar[ErrorCode]
    blame: ClassVar[Blame] = "provider"
    held_back: ClassVar[bool] = False
    retryable: bool = False
    outcome: WriteOutcome = WriteOutcome.NOT_APPLIED
    cut_short: bool = False
    allowance: Allowance = Allowance()

    def __init__(
        self,
        provider: Provider,
        message: str,
        *,
        retryable: bool | None = None,
        outcome: WriteOutcome | None = None,
        retry_after_ms: int | None = None,
        upstream_status: int | None = None,
        upstream_code: str | None = None,
        field: tuple[str, ...] | None = None,
        existing: RecordKey | None = None,
        candidates: tuple[RecordKey, ...] = (),
    ) -> None:
        super().__init__(message)
        if retryable is not None:
            self.retryable = retryable
        if outcome is not None:
            self.outcome = outcome
        self.fault = Fault(
            code=self.code,
            message=message,
            provider=provider,
            retryable=self.retryable,
            retry_after_ms=retry_after_ms,
            upstream_status=upstream_status,
            upstream_code=upstream_code,
            field=field,
            existing=existing,
            candidates=candidates,
        )

    def settled(self) -> Self:
        """This one, to be kept and told rather than raised."""
        let_go_of_frames(self)
        return self

    def anew(self) -> Self:
        """An equal one that nobody has raised yet: an exception that is raised twice keeps the frames of both."""
        fault = self.fault
        made = type(self)(
            fault.provider,
            fault.message,
            retryable=fault.retryable,
            outcome=self.outcome,
            retry_after_ms=fault.retry_after_ms,
            upstream_status=fault.upstream_status,
            upstream_code=fault.upstream_code,
            field=fault.field,
            existing=fault.existing,
            candidates=fault.candidates,
        )
        made.cut_short = self.cut_short
        return made


class OperationUnsupported(ProviderFailure):
    code = ErrorCode.UNSUPPORTED_OPERATION
    blame = "client"


class FieldUnsupported(ProviderFailure):
    code = ErrorCode.UNSUPPORTED_FIELD
    blame = "client"


class ClearUnsupported(ProviderFailure):
    code = ErrorCode.UNSUPPORTED_CLEAR
    blame = "client"


class ListTruncated(ProviderFailure):
    """Writing the list back would destroy what the provider did not show."""

    code = ErrorCode.LIST_TRUNCATED
    blame = "client"


class InputRefused(ProviderFailure):
    """The provider itself refused the input."""

    code = ErrorCode.INVALID_INPUT
    blame = "client"


class RecordNotFound(ProviderFailure):
    code = ErrorCode.NOT_FOUND
    blame = "client"


class DuplicateRecord(ProviderFailure):
    code = ErrorCode.DUPLICATE
    blame = "client"


class CredentialsRefused(ProviderFailure):
    code = ErrorCode.PROVIDER_UNAUTHENTICATED
    blame = "gateway"


class PermissionDenied(ProviderFailure):
    code = ErrorCode.PROVIDER_FORBIDDEN
    blame = "gateway"


class CallerNotPermitted(ProviderFailure):
    """The caller's credential does not permit such a call there, so nothing was sent."""

    code = ErrorCode.FORBIDDEN
    blame = "client"


class RateLimited(ProviderFailure):
    code = ErrorCode.RATE_LIMITED
    retryable = True


class BudgetSpent(RateLimited):
    """Our own count says that the provider would refuse the call, and waiting for it would take too long."""

    blame = "gateway"
    held_back = True


class ProviderUnreachable(ProviderFailure):
    """No connection, so not one byte of the request was sent."""

    code = ErrorCode.PROVIDER_UNREACHABLE
    retryable = True


class ProviderUnavailable(ProviderFailure):
    """The provider said so itself (503 with Retry-After), or it is not set up in this gateway."""

    code = ErrorCode.PROVIDER_UNAVAILABLE
    retryable = True


class CircuitOpen(ProviderUnavailable):
    """Too many calls of this kind failed just now; until the next probe nobody calls."""

    held_back = True


class ProviderCrowded(ProviderUnavailable):
    """As many calls to this provider as the gateway allows at a time are under way or waiting."""

    blame = "gateway"
    held_back = True


class ReplyTimedOut(ProviderFailure):
    """The request went out and no whole answer came back: a write may have happened."""

    code = ErrorCode.PROVIDER_TIMEOUT
    outcome = WriteOutcome.UNKNOWN


class ProviderBroken(ProviderFailure):
    code = ErrorCode.PROVIDER_ERROR
    outcome = WriteOutcome.UNKNOWN


class ReplyUnreadable(ProviderFailure):
    """An answer that cannot be understood; a write behind it may well have happened."""

    code = ErrorCode.PROVIDER_BAD_RESPONSE
    outcome = WriteOutcome.UNKNOWN


class DeadlineExceeded(ProviderFailure):
    code = ErrorCode.DEADLINE_EXCEEDED
    blame = "gateway"
    retryable = True


class AnswerPending(DeadlineExceeded):
    """The provider had not answered within the time that the caller was willing to wait (`maxWaitMs`)."""


class CallLimitReached(ProviderFailure):
    code = ErrorCode.UPSTREAM_CALL_LIMIT
    blame = "client"


class RecordBusy(ProviderFailure):
    """Another write to the same record did not end in time."""

    code = ErrorCode.RECORD_BUSY
    blame = "gateway"
    retryable = True


class RecordStale(ProviderFailure):
    """Somebody changed the record after the time that the caller named."""

    code = ErrorCode.STALE_RECORD
    blame = "client"


class SeveralMatches(ProviderFailure):
    """An upsert that could mean any of several records; `candidates` are they."""

    code = ErrorCode.AMBIGUOUS_MATCH
    blame = "client"
