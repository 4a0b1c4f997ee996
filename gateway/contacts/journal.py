"""The record of writes: made before the first byte goes out, completed as answers come in.

Nothing is sent that is not recorded. Once something may have been sent, a database that fails is logged and
hides nothing from the caller: what it missed is found out later by looking.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bound_contextvars

from gateway.clock import now_ms
from gateway.contacts.targets import Target
from gateway.domain.errors import WriteOutcome
from gateway.domain.intent import Intent
from gateway.domain.writes import WriteInProgress, WriteNotRecorded, WriteResult
from gateway.incident import report
from gateway.resilience.operation import current_operation
from gateway.store.operation import StoredOperation, StoredTarget, new_id
from gateway.store.operations import OperationStore
from gateway.store.owner import is_surely_gone

T = TypeVar("T")

# A running write is worth asking for again soon: most end within a second.
_ASK_AGAIN_MS = 1000
# Looks of the gateway itself at one write: after the settling time, then each after twice as long.
_MAX_LOOKS = 8
_LONGEST_PAUSE_MS = 3_600_000


class Journal:
    """`lease_seconds`: how long a write can be under way at most; `settling_seconds`: how long after a lost
    answer a provider may still carry the write out."""

    def __init__(
        self,
        store: OperationStore,
        *,
        owner: str,
        lease_seconds: float,
        settling_seconds: float,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.store = store
        self.clock = clock
        self._owner = owner
        self._lease_ms = int(lease_seconds * 1000)
        self._settling_ms = int(settling_seconds * 1000)
        self._at_work: set[str] = set()

    async def by_key(self, key: str) -> StoredOperation | None:
        """The write of the running operation's caller that has this key; other callers have keys of their own."""
        with nothing_sent_yet():
            return await self.store.by_key(key, caller=current_operation().caller.id)

    async def by_id(self, operation_id: str) -> StoredOperation | None:
        """The write, if it is of the running operation's caller; another caller's is as unknown as none."""
        with nothing_sent_yet():
            found = await self.store.by_id(operation_id)
        return found if found and found.caller == current_operation().caller.id else None

    async def begin(self, intent: Intent, key: str | None, targets: Sequence[Target]) -> StoredOperation:
        """
        Raises:
            KeyTaken: when somebody else has begun with this key.
            WriteNotRecorded: when the database fails; nothing may be sent then.
        """
        now = self.clock()
        operation = StoredOperation(
            id=new_id(now),
            caller=current_operation().caller.id,
            kind=intent.kind,
            fingerprint=intent.fingerprint,
            intent=intent,
            owner=self._owner,
            lease_until=now + self._lease_ms,
            finished=False,
            targets=tuple(target.to_store(position) for position, target in enumerate(targets)),
        )
        # Before anybody can see it in the database and take it for abandoned.
        self._at_work.add(operation.id)
        try:
            with nothing_sent_yet():
                results = [target.foregone for target in targets]
                await self.store.record(operation, key=key, now=now, results=results)
        except BaseException:
            self._at_work.discard(operation.id)
            raise
        return operation

    async def take(self, seen: StoredOperation) -> StoredOperation:
        """Takes an operation up that nobody works on.

        Raises:
            WriteInProgress: when somebody does, or was quicker.
        """
        if seen.id in self._at_work or self.is_running(seen):
            raise WriteInProgress(_ASK_AGAIN_MS)
        self._at_work.add(seen.id)
        try:
            with nothing_sent_yet():
                taken = await self._taken(seen)
        except BaseException:
            self._at_work.discard(seen.id)
            raise
        return taken

    async def _taken(self, seen: StoredOperation) -> StoredOperation:
        now = self.clock()
        if not await self.store.take(seen, owner=self._owner, lease_until=now + self._lease_ms, now=now):
            raise WriteInProgress(_ASK_AGAIN_MS)
        taken = await self.store.by_id(seen.id)
        if taken is None:
            # Purged in this very moment: it is older than anything that may be asked for.
            raise WriteInProgress(_ASK_AGAIN_MS)
        return taken

    def is_running(self, operation: StoredOperation) -> bool:
        if operation.owner is None or (operation.lease_until or 0) <= self.clock():
            return False
        if operation.owner == self._owner:
            # Else a database that failed at the end would keep the write shut for the rest of the lease.
            return operation.id in self._at_work
        return not is_surely_gone(operation.owner)

    async def note_sending(self, operation: StoredOperation, targets: Sequence[StoredTarget]) -> None:
        """
        Raises:
            WriteNotRecorded: when the database fails; nothing may be sent then.
        """
        with nothing_sent_yet():
            await self.store.note_sending(operation.id, targets, now=self.clock())

    async def note(self, operation: StoredOperation, position: int, result: WriteResult) -> bool:
        """Whether it is in the record now, unless another answer was there before."""
        try:
            await self.store.note(operation.id, position, result, owner=self._owner, now=self.clock())
        except Exception as error:
            # Whatever it is: what happened at the provider has to reach the caller.
            report("result_not_recorded", error, operation_id=operation.id, provider=result.provider)
            return False
        return True

    async def finish(self, operation: StoredOperation, results: Sequence[WriteResult], *, own_look: bool) -> None:
        """Ends the record. `own_look`: the gateway looked on its own; callers who look do not use that up."""
        try:
            await self.finish_after(None, operation, results, own_look=own_look)
        except Exception as error:
            report("operation_not_finished", error, operation_id=operation.id)

    async def finish_after(
        self,
        first: Callable[[Connection], T] | None,
        operation: StoredOperation,
        results: Sequence[WriteResult],
        *,
        own_look: bool,
        noted: Mapping[int, bool] | None = None,
    ) -> T | None:
        """The same in one transaction with what comes first, and with every answer that the record lacks: those at the
        positions `noted` were given to be noted before, and are in it for sure where that says True.

        Raises:
            Exception: that of the database, or of what came first; nothing was done then.
        """
        looks = operation.looks + own_look
        outcomes = {result.outcome for result in results}
        return await self.store.finish(
            operation.id,
            results,
            owner=self._owner,
            now=self.clock(),
            look_at=self._next_look(operation, looks, own_look) if WriteOutcome.UNKNOWN in outcomes else None,
            looks=looks,
            erase=outcomes <= {WriteOutcome.APPLIED},
            noted=noted,
            first=first,
        )

    @asynccontextmanager
    async def working_on(self, operation: StoredOperation) -> AsyncIterator[None]:
        """Ends what `begin` or `take` began. Whatever ends the work before its end: the write is given back, and
        taken up again."""
        try:
            with bound_contextvars(operation_id=operation.id):
                yield
        except BaseException:
            await self.let_go(operation)
            raise
        finally:
            self._at_work.discard(operation.id)

    async def let_go(self, operation: StoredOperation) -> None:
        """Gives a write back that is not at its end; somebody takes it up again."""
        try:
            await self.store.let_go(operation.id, owner=self._owner)
        except Exception as error:
            report("operation_not_given_back", error, operation_id=operation.id)

    def unsettled_ms(self, target: StoredTarget) -> int:
        """For how much longer the write may still come through; 0 once it cannot any more."""
        since = target.unknown_since if target.unknown_since is not None else self.clock()
        return max(0, since + self._settling_ms - self.clock())

    def _next_look(self, operation: StoredOperation, looks: int, own_look: bool) -> int | None:
        if looks >= _MAX_LOOKS:
            return None
        if operation.look_at is not None and not own_look:
            return operation.look_at
        return self.clock() + min(self._settling_ms << looks, _LONGEST_PAUSE_MS) + 1


@contextmanager
def nothing_sent_yet() -> Iterator[None]:
    """
    Raises:
        WriteNotRecorded: in the place of a database that fails.
    """
    try:
        yield
    except SQLAlchemyError as error:
        report("write_not_recorded", error)
        raise WriteNotRecorded from error
