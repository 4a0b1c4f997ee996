"""What is said about a write at one provider: outcome, action, warnings."""

from enum import StrEnum

from msgspec import Struct

from gateway.domain.changes import Changes
from gateway.domain.contact import Field, Provider, Record, RecordKey
from gateway.domain.errors import ErrorCode, GatewayError, ProviderFailure, WriteOutcome


class WriteAction(StrEnum):
    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
    UNCHANGED = "UNCHANGED"
    REPLAYED = "REPLAYED"


class WriteStatus(StrEnum):
    """A whole write over its providers: all applied, some, none surely but some perhaps, none; or only shown."""

    SUCCEEDED = "SUCCEEDED"
    PARTIAL = "PARTIAL"
    UNKNOWN = "UNKNOWN"
    FAILED = "FAILED"
    PREVIEWED = "PREVIEWED"


class WarningCode(StrEnum):
    FIELD_DROPPED = "FIELD_DROPPED"
    VALUE_DERIVED = "VALUE_DERIVED"
    VALUE_COERCED = "VALUE_COERCED"
    NOT_STORED = "NOT_STORED"


class WriteWarning(Struct, frozen=True):
    """`field` is the path into the caller's input, beginning with `input`."""

    code: WarningCode
    field: tuple[str, ...]
    message: str


def dropped(field: Field, message: str, *below: str | int) -> WriteWarning:
    return WriteWarning(WarningCode.FIELD_DROPPED, _path(field, below), message)


def derived(field: Field, message: str) -> WriteWarning:
    return WriteWarning(WarningCode.VALUE_DERIVED, field.input_path, message)


def coerced(field: Field, message: str, *below: str | int) -> WriteWarning:
    return WriteWarning(WarningCode.VALUE_COERCED, _path(field, below), message)


def not_stored(field: Field, message: str, *below: str | int) -> WriteWarning:
    return WriteWarning(WarningCode.NOT_STORED, _path(field, below), message)


def _path(field: Field, below: tuple[str | int, ...]) -> tuple[str, ...]:
    return field.input_path + tuple(str(step) for step in below)


class WriteResult(Struct, frozen=True, kw_only=True):
    """What happened at one provider. With a failure there is no action; `key` is None only when
    nothing is known to exist there (a creation that failed). `wanted` is what was sent, as far as it was
    this gateway that sent it just now."""

    provider: Provider
    key: RecordKey | None = None
    record: Record | None = None
    action: WriteAction | None = None
    failure: ProviderFailure | None = None
    warnings: tuple[WriteWarning, ...] = ()
    wanted: Changes | None = None

    @property
    def outcome(self) -> WriteOutcome:
        return self.failure.outcome if self.failure else WriteOutcome.APPLIED


def status_of(results: tuple[WriteResult, ...]) -> WriteStatus:
    outcomes = {result.outcome for result in results}
    if outcomes <= {WriteOutcome.APPLIED}:
        return WriteStatus.SUCCEEDED
    if WriteOutcome.APPLIED in outcomes:
        return WriteStatus.PARTIAL
    return WriteStatus.UNKNOWN if WriteOutcome.UNKNOWN in outcomes else WriteStatus.FAILED


class WriteFailed(GatewayError):
    """A write that no provider applied, surely: each one's failure, in the order of the targets."""

    blame = "provider"

    def __init__(self, failures: tuple[ProviderFailure, ...], operation_id: str) -> None:
        self.failures = failures
        self.operation_id = operation_id
        super().__init__(" ".join(str(failure) for failure in failures))

    @property
    def shared_code(self) -> ErrorCode | None:
        """The code that all providers have in common, if they do."""
        codes = {failure.code for failure in self.failures}
        return codes.pop() if len(codes) == 1 else None


class WriteNotRecorded(GatewayError):
    """The gateway's own database did not take the record of a write, so nobody was called."""

    blame = "gateway"
    retry_after_ms = 1000

    def __init__(self) -> None:
        super().__init__("The gateway's own database does not answer, so nothing was sent. Try again.")


class IdempotencyKeyMismatch(GatewayError):
    """A key that stands for another input already."""

    blame = "client"
    code = ErrorCode.IDEMPOTENCY_KEY_MISMATCH

    def __init__(self) -> None:
        super().__init__("This idempotency key was used with another input. Take a new key for a new write.")


class WriteInProgress(GatewayError):
    """The same write is being carried out right now; ask again for what became of it."""

    blame = "client"
    code = ErrorCode.IDEMPOTENCY_IN_PROGRESS

    def __init__(self, retry_after_ms: int) -> None:
        self.retry_after_ms = retry_after_ms
        super().__init__("This write is still under way. Ask again in a moment.")
