"""The end of a write: the answers that its record lacks, that what was applied is linked, and that nobody is at it."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from gateway.domain.errors import WriteOutcome
from gateway.domain.writes import WriteResult
from gateway.store.operation_statements import ANSWER, END, LINKED
from gateway.store.rows import answer_row


def ending(
    operation_id: str,
    results: Sequence[WriteResult],
    noted: Mapping[int, bool],
    *,
    owner: str,
    now: int,
    look_at: int | None,
    looks: int,
    erase: bool,
) -> Callable[[Connection], None]:
    """A part of a transaction, as `OperationStore.finish` says."""
    this = {"of_operation": operation_id}
    end = {**this, "of_owner": owner, "look_at": look_at, "looks": looks, "erases": int(erase)}
    applied = {place for place, result in enumerate(results) if result.outcome is WriteOutcome.APPLIED}
    unsure = {place for place in range(len(results)) if not noted.get(place)}
    # In the record by now, unless the database failed meanwhile: how many were applied shows it.
    likely = unsure & applied & noted.keys()

    def answer(connection: Connection, positions: Iterable[int]) -> None:
        rows = [
            answer_row(operation_id, position, results[position], owner=owner, from_anybody=True, now=now)
            for position in sorted(positions)
        ]
        ANSWER.run_each(connection, rows)

    def finish(connection: Connection) -> None:
        if END.run(connection, end) != 1:
            answer(connection, unsure & applied)
            return
        answer(connection, unsure - likely)
        if LINKED.run(connection, this) != len(applied) and likely:
            answer(connection, likely)
            LINKED.run(connection, this)

    return finish
