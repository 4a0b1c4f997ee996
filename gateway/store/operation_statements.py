"""What changes the record of a write, each as one statement."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    String,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    null,
    or_,
    true,
    update,
)

from gateway.domain.errors import WriteOutcome
from gateway.store.statements import Statement
from gateway.store.tables import OPERATIONS, TARGETS


def outcome_is(outcome: WriteOutcome) -> ColumnElement[bool]:
    return TARGETS.c.outcome == _told(outcome)


def _told(outcome: WriteOutcome) -> ColumnElement[str]:
    return literal_column(f"'{outcome}'", String)


_NO_WARNINGS = literal_column("'[]'", String)
_OF_TARGET = ("provider", "remote_id", "creates", "likeness")
_OF_RESULT = ("outcome", "action", "failure", "warnings")

_OPERATION_ID = bindparam("of_operation", type_=String)
_OWNER = bindparam("of_owner", type_=String)
_THIS_TARGET = and_(TARGETS.c.operation_id == _OPERATION_ID, TARGETS.c.position == bindparam("at_position"))
_MINE = and_(OPERATIONS.c.id == _OPERATION_ID, OPERATIONS.c.owner == _OWNER)

RECORD_OPERATION = Statement(
    insert(OPERATIONS),
    ("id", "kind", "idempotency_key", "caller", "fingerprint", "intent", "created_at", "owner", "lease_until"),
)
# One that is under way from now on, and one of which the result is known without a call.
RECORD_TARGET = Statement(
    insert(TARGETS).values(outcome=_told(WriteOutcome.UNKNOWN), warnings=_NO_WARNINGS),
    ("operation_id", "position", "sent_at", *_OF_TARGET),
)
RECORD_RESULT = Statement(
    insert(TARGETS), ("operation_id", "position", "sent_at", "unknown_since", *_OF_TARGET, *_OF_RESULT)
)

# A target is under way (again).
SEND = Statement(
    update(TARGETS)
    .where(_THIS_TARGET)
    .values(
        outcome=_told(WriteOutcome.UNKNOWN), action=null(), failure=null(), warnings=_NO_WARNINGS, unknown_since=null()
    ),
    ("sent_at", *_OF_TARGET),
)

# An answer that is there already stays. One that changes nothing at the provider counts from the owner alone.
ANSWER = Statement(
    update(TARGETS)
    .where(
        _THIS_TARGET,
        outcome_is(WriteOutcome.UNKNOWN),
        or_(bindparam("from_anybody", type_=Boolean), exists().where(_MINE)),
    )
    .values(
        remote_id=func.coalesce(bindparam("known_id", type_=String), TARGETS.c.remote_id),
        # The first time counts: each look would else begin the settling time anew.
        unknown_since=case(
            (
                bindparam("is_unknown", type_=Boolean),
                func.coalesce(TARGETS.c.unknown_since, bindparam("now", type_=BigInteger)),
            )
        ),
    ),
    _OF_RESULT,
)

END = Statement(
    update(OPERATIONS)
    .where(_MINE)
    .values(
        owner=null(),
        lease_until=null(),
        finished=true(),
        intent=case((~bindparam("erases", type_=Boolean), OPERATIONS.c.intent)),
    ),
    ("look_at", "looks"),
)
LINKED = Statement(
    update(TARGETS)
    .where(TARGETS.c.operation_id == _OPERATION_ID, outcome_is(WriteOutcome.APPLIED))
    .values(linked=true())
)
LET_GO = Statement(update(OPERATIONS).where(_MINE).values(lease_until=literal_column("0", BigInteger)))
