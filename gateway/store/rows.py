"""Operations as rows of the tables, both ways."""

from dataclasses import fields
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from gateway.domain.caller import ANYBODY
from gateway.domain.contact import Provider
from gateway.domain.errors import Fault, ProviderFailure, WriteOutcome
from gateway.domain.intent import Intent, WriteKind
from gateway.domain.writes import WriteAction, WriteResult, WriteWarning
from gateway.store.operation import StoredOperation, StoredTarget
from gateway.store.tables import TARGETS


def key_of(caller: str, key: str) -> str:
    """What an idempotency key is kept as, so that no caller meets another one's.

    Anybody's stays as it is: printable ASCII. All others are hashed with their caller, and the sign before the hash
    is none that a key may hold, so that nobody can send what another one's became.
    """
    if caller == ANYBODY.id:
        return key
    return f"\N{SECTION SIGN}{sha256(msgspec.json.encode([caller, key])).hexdigest()}"


def operation_row(operation: StoredOperation, key: str | None, now: int) -> dict[str, Any]:
    """A new one."""
    assert operation.intent is not None
    return {
        "id": operation.id,
        "kind": str(operation.kind),
        "idempotency_key": key_of(operation.caller, key) if key is not None else None,
        "caller": operation.caller,
        "fingerprint": operation.fingerprint,
        "intent": operation.intent.to_json(),
        "created_at": now,
        "owner": operation.owner,
        "lease_until": operation.lease_until,
    }


def _target_row(target: StoredTarget) -> dict[str, Any]:
    """What stays as it was recorded."""
    return {
        "provider": str(target.provider),
        "remote_id": target.remote_id,
        "creates": int(target.creates),
        "likeness": target.likeness,
    }


def new_row(operation_id: str, target: StoredTarget, now: int) -> dict[str, Any]:
    """A target that is recorded before its call."""
    return {**_target_row(target), "operation_id": operation_id, "position": target.position, "sent_at": now}


def known_row(operation_id: str, target: StoredTarget, result: WriteResult, now: int) -> dict[str, Any]:
    """A target that is recorded with what is known of it without a call."""
    known = {"remote_id": result.key.remote_id} if result.key else {}
    since = now if result.outcome is WriteOutcome.UNKNOWN else None
    return {**new_row(operation_id, target, now), **known, **_result_row(result), "unknown_since": since}


def answer_row(
    operation_id: str, position: int, result: WriteResult, *, owner: str, from_anybody: bool, now: int
) -> dict[str, Any]:
    """What an answer changes, and where; unless `from_anybody`, only while the operation is the owner's."""
    return {
        **_result_row(result),
        "of_operation": operation_id,
        "at_position": position,
        "of_owner": owner,
        "from_anybody": int(from_anybody),
        "known_id": result.key.remote_id if result.key else None,
        "is_unknown": int(result.outcome is WriteOutcome.UNKNOWN),
        "now": now,
    }


def sending_row(operation_id: str, target: StoredTarget, now: int) -> dict[str, Any]:
    """What changes when it is sent (again), and where."""
    return {
        **_target_row(target),
        # The first time counts: what went out then may still come through.
        "sent_at": target.sent_at if target.sent_at is not None else now,
        "of_operation": operation_id,
        "at_position": target.position,
    }


def _result_row(result: WriteResult) -> dict[str, Any]:
    return {
        "outcome": str(result.outcome),
        "action": str(result.action) if result.action else None,
        "failure": _encode_failure(result.failure),
        "warnings": msgspec.json.encode(result.warnings).decode() if result.warnings else "[]",
    }


def operation_from(row: Row[Any], targets: tuple[StoredTarget, ...]) -> StoredOperation:
    return StoredOperation(
        id=row.id,
        caller=row.caller,
        kind=WriteKind(row.kind),
        fingerprint=row.fingerprint,
        intent=Intent.from_json(row.intent) if row.intent else None,
        owner=row.owner,
        lease_until=row.lease_until,
        finished=row.finished,
        look_at=row.look_at,
        looks=row.looks,
        targets=targets,
    )


def target_from(row: Row[Any]) -> StoredTarget:
    outcome = WriteOutcome(row.outcome)
    return StoredTarget(
        position=row.position,
        provider=Provider(row.provider),
        remote_id=row.remote_id,
        creates=row.creates,
        likeness=row.likeness,
        outcome=outcome,
        action=WriteAction(row.action) if row.action else None,
        failure=_decode_failure(row.failure, outcome),
        warnings=msgspec.json.decode(row.warnings, type=tuple[WriteWarning, ...]),
        sent_at=row.sent_at,
        unknown_since=row.unknown_since,
        linked=row.linked,
    )


def targets_of(connection: Connection, operation_id: str) -> tuple[StoredTarget, ...]:
    query = select(TARGETS).where(TARGETS.c.operation_id == operation_id).order_by(TARGETS.c.position)
    return tuple(target_from(row) for row in connection.execute(query))


def _encode_failure(failure: ProviderFailure | None) -> str | None:
    return msgspec.json.encode(failure.fault).decode() if failure else None


def _decode_failure(text: str | None, outcome: WriteOutcome) -> ProviderFailure | None:
    """A failure of the class that the fault's code belongs to; each code has one."""
    if text is None:
        return None
    fault = msgspec.json.decode(text, type=Fault)
    failure_type = next(one for one in ProviderFailure.__subclasses__() if one.code is fault.code)
    names = (field.name for field in fields(fault) if field.name not in ("code", "provider"))
    return failure_type(fault.provider, outcome=outcome, **{name: getattr(fault, name) for name in names})
