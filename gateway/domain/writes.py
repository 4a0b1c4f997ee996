"""What is said about a write at one provider: outcome, action, warnings."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.contact import Field, Provider, Record, RecordKey
from gateway.domain.errors import ErrorCode, GatewayError, ProviderFailure, WriteOutcome


class WriteAction(StrEnum):
    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
    UNCHANGED = "UNCHANGED"
    REPLAYED = "REPLAYED"


class WriteStatus(StrEnum):
    """A whole write over its providers: all applied, some, none surely but some perhaps, none."""

    SUCCEEDED = "SUCCEEDED"
    PARTIAL = "PARTIAL"
    UNKNOWN = "UNKNOWN"
    FAILED = "FAILED"


class WarningCode(StrEnum):
    FIELD_DROPPED = "FIELD_DROPPED"
    VALUE_DERIVED = "VALUE_DERIVED"
    VALUE_COERCED = "VALUE_COERCED"


@dataclass(frozen=True, slots=True)
class WriteWarning:
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


def _path(field: Field, below: tuple[str | int, ...]) -> tuple[str, ...]:
    return field.input_path + tuple(str(step) for step in below)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """What happened at one provider. With a failure there is no action; `key` is None only when
    nothing is known to exist there (a creation that failed)."""

    provider: Provider
    key: RecordKey | None = None
    record: Record | None = None
    action: WriteAction | None = None
    failure: ProviderFailure | None = None
    warnings: tuple[WriteWarning, ...] = ()

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

    def __init__(self, failures: tuple[ProviderFailure, ...]) -> None:
        self.failures = failures
        super().__init__(" ".join(str(failure) for failure in failures))

    @property
    def shared_code(self) -> ErrorCode | None:
        """The code that all providers have in common, if they do."""
        codes = {failure.code for failure in self.failures}
        return codes.pop() if len(codes) == 1 else None
