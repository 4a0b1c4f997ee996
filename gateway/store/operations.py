"""Writes, recorded before the first byte goes to a provider, and what became of each.

Every method raises sqlalchemy.exc.SQLAlchemyError when the database fails; nothing is half written then.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from gateway.domain.contact import Provider, RecordKey
from gateway.domain.errors import WriteOutcome
from gateway.domain.writes import WriteResult
from gateway.store.database import Database
from gateway.store.operation import StoredOperation, StoredTarget
from gateway.store.operation_end import ending
from gateway.store.operation_statements import (
    ANSWER,
    LET_GO,
    RECORD_OPERATION,
    RECORD_RESULT,
    RECORD_TARGET,
    SEND,
    outcome_is,
)
from gateway.store.rows import (
    answer_row,
    key_of,
    known_row,
    new_row,
    operation_from,
    operation_row,
    sending_row,
    targets_of,
)
from gateway.store.tables import OPERATIONS, TARGETS

T = TypeVar("T")

_OF_KEY = "SELECT id FROM operations WHERE idempotency_key = ?"


class KeyTaken(Exception):
    """An operation with this idempotency key is recorded already."""


class OperationStore:
    """`now` is milliseconds since 1970 throughout, and comes from the caller's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def in_order(self) -> bool:
        """Whether an answer that is noted with the end of its write is noted as soon as one by itself would be."""
        return self._database.in_order

    async def record(
        self, operation: StoredOperation, *, key: str | None, now: int, results: Sequence[WriteResult | None]
    ) -> None:
        """Records an operation and its targets at once; `results` are those that are known without a call.

        Raises:
            KeyTaken: when another one of the caller has this idempotency key; nothing is recorded then.
        """
        row = operation_row(operation, key, now)
        targets = list(zip(operation.targets, results, strict=True))
        under_way = [new_row(operation.id, target, now) for target, result in targets if result is None]
        known = [known_row(operation.id, target, result, now) for target, result in targets if result is not None]

        def record(connection: Connection) -> None:
            RECORD_OPERATION.run(connection, row)
            RECORD_TARGET.run_each(connection, under_way)
            RECORD_RESULT.run_each(connection, known)

        try:
            await self._database.write(record)
        except IntegrityError:
            if key is None or await self.by_key(key, caller=operation.caller) is None:
                raise
            raise KeyTaken from None

    async def by_key(self, key: str, *, caller: str) -> StoredOperation | None:
        kept = key_of(caller, key)
        # Nearly every key is new, and that can be told on the spot. One that is taken meanwhile, `record` meets.
        if self._database.look_up(_OF_KEY, [kept]) == []:
            return None
        return await self._one(OPERATIONS.c.idempotency_key == kept)

    async def by_id(self, operation_id: str) -> StoredOperation | None:
        return await self._one(OPERATIONS.c.id == operation_id)

    async def take(self, seen: StoredOperation, *, owner: str, lease_until: int, now: int) -> bool:
        """Becomes the one who works on an operation, unless anybody has done so since it was `seen`.

        What was under way when its owner left is unknown from now on. Until `finish` it counts as unfinished again,
        so that it is taken up when this owner leaves too.
        """
        unchanged = and_(
            OPERATIONS.c.id == seen.id,
            OPERATIONS.c.owner.is_(None) if seen.owner is None else OPERATIONS.c.owner == seen.owner,
            OPERATIONS.c.lease_until.is_(None)
            if seen.lease_until is None
            else OPERATIONS.c.lease_until == seen.lease_until,
            OPERATIONS.c.looks == seen.looks,
            OPERATIONS.c.finished == seen.finished,
        )
        under_way = and_(
            TARGETS.c.operation_id == seen.id, outcome_is(WriteOutcome.UNKNOWN), TARGETS.c.unknown_since.is_(None)
        )

        def take(connection: Connection) -> bool:
            mine = update(OPERATIONS).where(unchanged).values(owner=owner, lease_until=lease_until, finished=False)
            if connection.execute(mine).rowcount != 1:
                return False
            connection.execute(update(TARGETS).where(under_way).values(unknown_since=now))
            return True

        return await self._database.write(take)

    async def note_sending(self, operation_id: str, targets: Collection[StoredTarget], *, now: int) -> None:
        """Notes, before anything is sent, that these are under way (again)."""
        rows = [sending_row(operation_id, target, now) for target in targets]
        await self._database.write(lambda connection: SEND.run_each(connection, rows))

    async def note(self, operation_id: str, position: int, result: WriteResult, *, owner: str, now: int) -> None:
        """Notes what became of one target; an answer that is there already stays.

        From an owner whose work somebody else has taken over only what it did counts: that it did not do it, or does
        not know, says nothing of what the other one has sent since.
        """
        counts = result.outcome is WriteOutcome.APPLIED
        answer = answer_row(operation_id, position, result, owner=owner, from_anybody=counts, now=now)
        await self._database.write(lambda connection: ANSWER.run(connection, answer))

    async def finish(
        self,
        operation_id: str,
        results: Sequence[WriteResult],
        *,
        owner: str,
        now: int,
        look_at: int | None,
        looks: int,
        erase: bool,
        noted: Mapping[int, bool] | None = None,
        first: Callable[[Connection], T] | None = None,
    ) -> T | None:
        """Lets go of an operation that is answered and linked throughout, and notes the answers that the record lacks.
        Those at the positions `noted` were given to be noted before; True: they are in it for sure. `erase` forgets
        what was asked for. If somebody else has taken it over, only what was done here is noted. `first`, which links,
        belongs to the same transaction either way."""
        end = ending(
            operation_id, results, noted or {}, owner=owner, now=now, look_at=look_at, looks=looks, erase=erase
        )

        def finish(connection: Connection) -> T | None:
            done = first(connection) if first else None
            end(connection)
            return done

        return await self._database.write(finish, serial=first is not None)

    async def let_go(self, operation_id: str, *, owner: str) -> None:
        """Gives an operation back as it is; if it is not finished, somebody else takes it up."""
        mine = {"of_operation": operation_id, "of_owner": owner}
        await self._database.write(lambda connection: LET_GO.run(connection, mine))

    async def to_look_at(self, *, now: int, limit: int) -> list[StoredOperation]:
        """Finished operations whose time to be looked at has come, the longest waiting first."""
        # Without `finished` in the query: SQLite would walk everything that is, rather than the few that are due.
        due = select(OPERATIONS).where(OPERATIONS.c.look_at <= now).order_by(OPERATIONS.c.look_at)
        return [one for one in await self._some(due.limit(limit)) if one.finished]

    async def unfinished(self) -> list[StoredOperation]:
        """Those that somebody works on, or worked on when it ended."""
        return await self._some(select(OPERATIONS).where(~OPERATIONS.c.finished).order_by(OPERATIONS.c.created_at))

    async def purge(self, *, before: int, now: int) -> int:
        """Forgets operations that were recorded before a time and that nobody works on; returns how many."""
        idle = or_(OPERATIONS.c.owner.is_(None), OPERATIONS.c.lease_until < now)
        old = select(OPERATIONS.c.id).where(OPERATIONS.c.created_at < before, idle).limit(500)
        if await self._database.read(lambda connection: connection.execute(old).first()) is None:
            return 0

        def forget(connection: Connection) -> int:
            # Selected and locked here, so that none of them is taken up while it goes.
            ids = list(connection.execute(old.with_for_update(skip_locked=True)).scalars())
            connection.execute(delete(TARGETS).where(TARGETS.c.operation_id.in_(ids)))
            connection.execute(delete(OPERATIONS).where(OPERATIONS.c.id.in_(ids)))
            return len(ids)

        return await self._database.write(forget)

    async def wipe(self) -> bool:
        """Takes what was erased out of the files of the database too; False where that has to be tried again."""
        return await self._database.wipe()

    async def claimed(self, keys: Collection[RecordKey], *, but: str) -> set[RecordKey]:
        """Which of these records (of one provider) other operations are known to have created."""
        if not keys:
            return set()
        provider = next(iter(keys)).provider
        query = select(TARGETS.c.remote_id).where(
            TARGETS.c.provider == str(provider),
            TARGETS.c.remote_id.in_([key.remote_id for key in keys]),
            TARGETS.c.creates,
            outcome_is(WriteOutcome.APPLIED),
            TARGETS.c.operation_id != but,
        )
        ids = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return {RecordKey(provider, found) for found in ids}

    async def is_written_since(self, key: RecordKey, moment: int, *, but: str) -> bool:
        """Whether another operation has, or may have, changed a record at or after a moment."""
        query = select(TARGETS.c.position).where(
            TARGETS.c.provider == str(key.provider),
            TARGETS.c.remote_id == key.remote_id,
            TARGETS.c.outcome != str(WriteOutcome.NOT_APPLIED),
            TARGETS.c.sent_at >= moment,
            TARGETS.c.operation_id != but,
        )
        return await self._database.read(lambda connection: connection.execute(query.limit(1)).first() is not None)

    async def is_under_way(self, provider: Provider, likeness: str, *, but: str, now: int) -> bool:
        """Whether another creation of the same contact at this provider may be out right now."""
        query = (
            select(TARGETS.c.position)
            .join(OPERATIONS, OPERATIONS.c.id == TARGETS.c.operation_id)
            .where(TARGETS.c.provider == str(provider), TARGETS.c.likeness == likeness)
            .where(outcome_is(WriteOutcome.UNKNOWN), TARGETS.c.unknown_since.is_(None))
            .where(OPERATIONS.c.id != but, OPERATIONS.c.lease_until > now)
        )
        return await self._database.read(lambda connection: connection.execute(query.limit(1)).first() is not None)

    async def _one(self, condition: ColumnElement[bool]) -> StoredOperation | None:
        found = await self._some(select(OPERATIONS).where(condition))
        return found[0] if found else None

    async def _some(self, query: Select[Any]) -> list[StoredOperation]:
        def some(connection: Connection) -> list[StoredOperation]:
            return [operation_from(row, targets_of(connection, row.id)) for row in connection.execute(query).all()]

        return await self._database.read(some)
