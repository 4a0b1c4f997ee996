"""Writing one contact to several providers, and saying honestly what happened at each.

Rules: design section 6; docs/writes.md. Everything is checked and recorded before the first call; then all
providers are called at once, each on its own, and whatever one of them does is its own result.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace
from sqlalchemy.exc import SQLAlchemyError

from gateway.contacts.journal import Journal, nothing_sent_yet
from gateway.contacts.locks import LockNotTaken, Locks
from gateway.contacts.looking import Looking
from gateway.contacts.matching import Matching
from gateway.contacts.sending import Sending
from gateway.contacts.settlement import Settlement
from gateway.contacts.targets import Target, Targets
from gateway.contacts.written import Written
from gateway.domain.contact import RecordKey
from gateway.domain.errors import InputProblem, InvalidInput, WriteOutcome
from gateway.domain.intent import Intent, WriteKind
from gateway.domain.normalise import read_draft, read_patch
from gateway.domain.writes import IdempotencyKeyMismatch, WriteInProgress, WriteNotRecorded, WriteResult
from gateway.store.operation import StoredOperation, StoredTarget
from gateway.store.operations import KeyTaken

_OPERATION_ID_PATH = ("input", "operationId")
_ASK_AGAIN_MS = 1000
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Writing:
    def __init__(
        self,
        *,
        targets: Targets,
        matching: Matching,
        sending: Sending,
        looking: Looking,
        settlement: Settlement,
        journal: Journal,
        locks: Locks,
    ) -> None:
        self._targets = targets
        self._matching = matching
        self._sending = sending
        self._looking = looking
        self._settlement = settlement
        self._journal = journal
        self._locks = locks

    async def write(self, intent: Intent, key: str | None = None) -> Written:
        """Carries a write out; with a key that was used before, completes and tells what became of it.

        Raises:
            InvalidInput: with everything that is wrong for any of the providers; nobody was called.
            IdempotencyKeyMismatch, WriteInProgress: about the write that has the key already.
            WriteNotRecorded: when the database fails; nobody was called.
        """
        earlier = await self._journal.by_key(key) if key is not None else None
        if earlier is not None:
            return await self._again(earlier, intent)
        try:
            async with self._alone(intent):
                with nothing_sent_yet():
                    targets = await self._plan(intent)
                operation = await self._journal.begin(intent, key, targets)
                async with self._journal.working_on(operation):
                    return await self._carry_out(operation, intent, targets)
        except KeyTaken:
            assert key is not None
            taken = await self._journal.by_key(key)
            if taken is None:
                raise WriteInProgress(_ASK_AGAIN_MS) from None
            return await self._again(taken, intent)

    async def retry(self, operation_id: str) -> Written:
        """Sends again what was surely not done, and only that.

        Raises:
            InvalidInput: at `input.operationId`, for an operation that is not (or no longer) known.
            WriteInProgress: while it is being carried out.
        """
        return await self._resume(await self._known(operation_id), None, look=False, send=True)

    async def reconcile(self, operation_id: str) -> Written:
        """Looks for what is unknown, and sends nothing. Raises as `retry` does."""
        return await self._resume(await self._known(operation_id), None, look=True, send=False)

    async def look_again(self, operation: StoredOperation) -> Written:
        """The gateway's own look at a write that is unknown or was interrupted."""
        return await self._resume(operation, None, look=True, send=False, own=True)

    async def _again(self, earlier: StoredOperation, intent: Intent) -> Written:
        if earlier.fingerprint != intent.fingerprint:
            raise IdempotencyKeyMismatch
        return await self._resume(earlier, intent, look=True, send=True)

    async def _known(self, operation_id: str) -> StoredOperation:
        operation = await self._journal.by_id(operation_id) if _UUID.fullmatch(operation_id) else None
        if operation is None:
            message = "is not a write that this gateway remembers; it may be too long ago"
            raise InvalidInput(InputProblem(path=_OPERATION_ID_PATH, code="UNKNOWN_OPERATION", message=message))
        return operation

    async def _resume(
        self, seen: StoredOperation, intent: Intent | None, *, look: bool, send: bool, own: bool = False
    ) -> Written:
        if seen.settled:
            return await self._settlement.tell(seen, intent, [target.replayed for target in seen.targets])
        operation = await self._journal.take(seen)
        intent = intent or operation.intent
        results = [target.replayed for target in operation.targets]
        async with self._journal.working_on(operation):
            if look:
                await self._look(operation, results)
            if send and intent is not None:
                await self._send_again(operation, intent, results)
            return await self._settlement.conclude(operation, intent, results, own_look=own)

    async def _look(self, operation: StoredOperation, results: list[WriteResult]) -> None:
        async def one(target: StoredTarget) -> None:
            results[target.position] = await self._looking.look(operation, target)
            await self._journal.note(operation, target.position, results[target.position])

        unknown = [target for target in operation.targets if target.outcome is WriteOutcome.UNKNOWN]
        await asyncio.gather(*(one(target) for target in unknown))

    async def _send_again(self, operation: StoredOperation, intent: Intent, results: list[WriteResult]) -> None:
        undone = [
            target
            for target, result in zip(operation.targets, results, strict=True)
            if result.outcome is WriteOutcome.NOT_APPLIED
        ]
        if not undone:
            return
        async with self._alone(intent):
            with nothing_sent_yet():
                plan = await self._plan_again(intent, undone, operation.targets)
            aimed = [
                replace(target.to_store(one.position), sent_at=one.sent_at)
                for one, target in zip(undone, plan, strict=True)
            ]
            await self._journal.note_sending(operation, aimed)
            await self._send(operation, dict(zip((one.position for one in undone), plan, strict=True)), results)

    async def _send(self, operation: StoredOperation, targets: dict[int, Target], results: list[WriteResult]) -> None:
        async def one(position: int, target: Target) -> None:
            results[position] = await self._sending.send(target)
            await self._journal.note(operation, position, results[position])

        await asyncio.gather(*(one(position, target) for position, target in targets.items()))

    async def _carry_out(self, operation: StoredOperation, intent: Intent, targets: Sequence[Target]) -> Written:
        """Sends to all at once. Whose answer is the last one ends the write with it, in one transaction; the others
        are noted as they come in."""
        results: dict[int, WriteResult] = {}
        noted: dict[int, bool] = {}

        async def one(position: int, target: Target) -> Written | None:
            results[position] = await self._sending.send(target)
            if len(results) == len(targets):
                told = [results[place] for place in range(len(targets))]
                return await self._settlement.conclude(operation, intent, told, own_look=False, noted=noted)
            noted[position] = False
            noted[position] = await self._journal.note(operation, position, results[position])
            return None

        ended = await asyncio.gather(*(one(position, target) for position, target in enumerate(targets)))
        return next(written for written in ended if written is not None)

    async def _plan(self, intent: Intent) -> list[Target]:
        if intent.kind is WriteKind.CREATE:
            return self._targets.creations(read_draft(intent.changes), self._targets.providers(intent.providers))
        if intent.kind is WriteKind.UPSERT:
            return await self._matching.plan(intent, self._targets.providers(intent.providers))
        assert intent.target is not None
        keys, _ = await self._targets.keys(intent.target, intent.providers)
        return self._of_records(intent, keys)

    async def _plan_again(
        self, intent: Intent, undone: Sequence[StoredTarget], every: Sequence[StoredTarget]
    ) -> list[Target]:
        """The targets that were not reached, in their order; which they are stands in the record."""
        met = [target.provider for target in every]
        if intent.kind is WriteKind.CREATE:
            return self._targets.creations(read_draft(intent.changes), [one.provider for one in undone], met)
        if intent.kind is WriteKind.UPSERT:
            known = [target.key for target in every if target.key]
            return await self._matching.plan(intent, [one.provider for one in undone], met=met, known=known)
        return self._of_records(intent, [one.key for one in undone if one.key])

    def _of_records(self, intent: Intent, keys: Sequence[RecordKey]) -> list[Target]:
        if intent.kind is WriteKind.DELETE:
            return self._targets.deletions(keys)
        targets = self._targets.updates(read_patch(intent.changes), keys)
        return [replace(target, unmodified_since=intent.unmodified_since) for target in targets]

    @asynccontextmanager
    async def _alone(self, intent: Intent) -> AsyncIterator[None]:
        """Two upserts of one contact come one after the other, or both would find nobody and create."""
        if intent.kind is not WriteKind.UPSERT:
            yield
            return
        try:
            async with self._locks.holding_all(self._matching.lock_names(intent)):
                yield
        except LockNotTaken as lock:
            if isinstance(lock.__cause__, SQLAlchemyError):
                raise WriteNotRecorded from lock
            raise WriteInProgress(_ASK_AGAIN_MS) from None
