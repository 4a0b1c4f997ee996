"""The one presenter of errors: what a caller may see of each, and what goes to the log instead."""

from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError
from sqlalchemy.exc import SQLAlchemyError

from gateway.domain.errors import Fault, InputProblem, InvalidInput, ProviderFailure, let_go_of_frames
from gateway.domain.identity import record_id
from gateway.domain.writes import IdempotencyKeyMismatch, WriteFailed, WriteInProgress, WriteNotRecorded
from gateway.incident import report
from resolvers.refused import OperationRefused


def present(error: GraphQLError, *, request_id: str, executing: bool) -> dict[str, Any]:
    """One error of the answer. `executing` is false where the document itself was refused."""
    message, extensions = _say(error, request_id=request_id, executing=executing)
    shown: dict[str, Any] = {"message": message}
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        shown["path"] = error.path
    shown["extensions"] = extensions
    # The log has what it wants of them.
    for told in (error, error.original_error):
        let_go_of_frames(told)
    return shown


def _say(error: GraphQLError, *, request_id: str, executing: bool) -> tuple[str, dict[str, Any]]:
    original = error.original_error
    if isinstance(error, OperationRefused):
        return error.message, dict(error.extensions or {})
    if isinstance(original, InvalidInput):
        return _say_invalid(original)
    if isinstance(original, ProviderFailure):
        return str(original), _fault(original.fault)
    if isinstance(original, WriteFailed):
        return _say_failed(original)
    if isinstance(original, (IdempotencyKeyMismatch, WriteInProgress, WriteNotRecorded)):
        return _say_not_begun(original)
    if isinstance(original, SQLAlchemyError):
        report("database_failed", original, request_id=request_id)
        # Below a root field the rest of the operation has been done, perhaps a creation.
        at_root = len(error.path or ()) <= 1
        return "The gateway's own database does not answer.", {"code": "STORE_UNAVAILABLE", "retryable": at_root}
    if isinstance(error, GraphQLSyntaxError):
        return error.message, {"code": "GRAPHQL_PARSE_FAILED"}
    if original is None and not executing:
        return error.message, {"code": "GRAPHQL_VALIDATION_FAILED"}
    if error.path is None and (original is None or isinstance(original, GraphQLError)):
        # A variable that does not fit its type.
        return error.message, {"code": "BAD_USER_INPUT"}
    return _say_internal(original or error, request_id)


def _say_invalid(error: InvalidInput) -> tuple[str, dict[str, Any]]:
    fields = [_problem(problem) for problem in error.problems]
    return f"The input is not valid. {error}", {"code": "INVALID_INPUT", "fields": fields}


def _problem(problem: InputProblem) -> dict[str, Any]:
    return {
        "path": list(problem.path),
        "code": problem.code,
        "message": problem.message,
        "provider": problem.provider.name if problem.provider else None,
    }


def _say_failed(error: WriteFailed) -> tuple[str, dict[str, Any]]:
    """The shared code with its details, or one code that stands for several; each provider's fault below."""
    faults = [_fault(failure.fault) for failure in error.failures]
    shared = faults[0] if len(faults) == 1 else {}
    code = error.shared_code or "ALL_PROVIDERS_FAILED"
    retryable = all(failure.retryable for failure in error.failures)
    waits = [fault["retryAfterMs"] for fault in faults if fault["retryAfterMs"] is not None]
    extensions = {
        **shared,
        # Before that, at least one of them would refuse again.
        **({"retryAfterMs": max(waits)} if waits else {}),
        "code": code,
        "retryable": retryable,
        "operationId": error.operation_id,
        "providers": faults,
    }
    return f"Nothing was written. {error}", extensions


def _say_not_begun(
    error: IdempotencyKeyMismatch | WriteInProgress | WriteNotRecorded,
) -> tuple[str, dict[str, Any]]:
    """The whole write was put off or refused before anybody was called."""
    if isinstance(error, IdempotencyKeyMismatch):
        return str(error), {"code": error.code, "retryable": False}
    code = error.code if isinstance(error, WriteInProgress) else "STORE_UNAVAILABLE"
    return str(error), {"code": code, "retryable": True, "retryAfterMs": error.retry_after_ms}


def _fault(fault: Fault) -> dict[str, Any]:
    """The fields of ProviderFault; `existing` and `candidates` are ids of records."""
    shown: dict[str, Any] = {
        "code": fault.code,
        "message": fault.message,
        "provider": fault.provider.name,
        "retryable": fault.retryable,
        "retryAfterMs": fault.retry_after_ms,
        "upstreamStatus": fault.upstream_status,
        "upstreamCode": fault.upstream_code,
        "field": list(fault.field) if fault.field else None,
    }
    if fault.existing:
        shown["existing"] = record_id(fault.existing)
    if fault.candidates:
        shown["candidates"] = [record_id(key) for key in fault.candidates]
    return shown


def _say_internal(error: BaseException, request_id: str) -> tuple[str, dict[str, Any]]:
    report("internal_error", error, request_id=request_id)
    message = "Something went wrong in the gateway. The log tells more about this request id."
    return message, {"code": "INTERNAL_ERROR", "requestId": request_id}
