"""What follows once every target of a write has an answer: links, the end of the record, the answer itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from msgspec import structs
from sqlalchemy.exc import SQLAlchemyError

from gateway.contacts.afterwards import note_deleted
from gateway.contacts.directory import Directory
from gateway.contacts.journal import Journal
from gateway.contacts.written import Written
from gateway.domain.contact import RecordKey
from gateway.domain.errors import WriteOutcome
from gateway.domain.identity import NodeType
from gateway.domain.intent import Intent, WriteKind
from gateway.domain.writes import WriteResult
from gateway.incident import report
from gateway.store.links import Family, LinkStore
from gateway.store.operation import StoredOperation

Concluded: TypeAlias = Callable[[Sequence[WriteResult]], None]
"""Hears how a write ended that was carried out, or taken up again, for a caller."""

_CREATING = (WriteKind.CREATE, WriteKind.UPSERT)


def unheard(_: Sequence[WriteResult]) -> None:
    """Nobody listens."""


class Settlement:
    def __init__(
        self, directory: Directory, links: LinkStore, journal: Journal, concluded: Concluded = unheard
    ) -> None:
        self._concluded = concluded
        self._directory = directory
        self._links = links
        self._journal = journal

    async def conclude(
        self,
        operation: StoredOperation,
        intent: Intent | None,
        results: Sequence[WriteResult],
        *,
        own_look: bool,
        noted: Mapping[int, bool] | None = None,
    ) -> Written:
        """Links what is there now, ends the record and tells. A database that fails hides nothing.

        `noted` are the positions whose answers were given to be noted; True: they are in the record for sure. None:
        all of them are.
        """
        if not own_look:
            self._concluded(results)
        every = dict.fromkeys(range(len(results)), True)
        noted = every if noted is None else noted
        joined = self._joined(operation, results)
        # What a deletion leaves behind is noted by itself first. And where those who link wait for each other, the
        # answers do not wait with them.
        if operation.kind is WriteKind.DELETE or (joined and not self._journal.store.in_order):
            await self._note(operation, results, noted)
            noted = every
        if operation.kind is not WriteKind.DELETE:
            linking = self._links.linking(joined, self._directory.rank) if joined else None
            try:
                family = await self._journal.finish_after(linking, operation, results, own_look=own_look, noted=noted)
            except Exception:
                # One part that fails may not take the others along: each is tried, and told of, by itself.
                await self._note(operation, results, noted)
            else:
                return await self.tell(operation, intent, results, family)
        return await self._end_by_steps(operation, intent, results, own_look=own_look)

    async def tell(
        self,
        operation: StoredOperation,
        intent: Intent | None,
        results: Sequence[WriteResult],
        family: Family | None = None,
    ) -> Written:
        """The answer, from what is known; nothing is changed. `family` is what was just linked."""
        anchor, family = (family.anchor, family) if family else await self._contact(operation, intent, results)
        return Written(operation_id=operation.id, results=tuple(results), anchor=anchor, family=family)

    async def _note(
        self, operation: StoredOperation, results: Sequence[WriteResult], noted: Mapping[int, bool]
    ) -> None:
        for position, result in enumerate(results):
            if not noted.get(position):
                await self._journal.note(operation, position, result)

    async def _end_by_steps(
        self, operation: StoredOperation, intent: Intent | None, results: Sequence[WriteResult], *, own_look: bool
    ) -> Written:
        try:
            await self._connect(operation, results)
        except SQLAlchemyError as error:
            # The ids of what was created must reach the caller, or it would be created again.
            report("created_records_not_linked", error, operation_id=operation.id)
            await self._journal.let_go(operation)
            return structs.replace(await self.tell(operation, intent, results), link_error=error)
        await self._journal.finish(operation, results, own_look=own_look)
        return await self.tell(operation, intent, results)

    async def _connect(self, operation: StoredOperation, results: Sequence[WriteResult]) -> None:
        if operation.kind is WriteKind.DELETE:
            deleted = set(_applied(results))
            if deleted:
                one = next(iter(deleted))
                await note_deleted(self._links, await self._looked_up(one) or _alone(one), deleted)
        elif joined := self._joined(operation, results):
            await self._links.link(joined, self._directory.rank)

    def _joined(self, operation: StoredOperation, results: Sequence[WriteResult]) -> list[RecordKey]:
        """What is to be linked, if anything."""
        if operation.kind not in _CREATING:
            return []
        applied = self._directory.in_order(_applied(results))
        linked = {target.key for target in operation.targets if target.linked}
        fresh = [key for key in applied if key not in linked]
        # Of those that were linked before, somebody may have unlinked one since: only the first of them stands
        # for the contact that a new record joins.
        joined = [*fresh, *[key for key in applied if key in linked][:1]] if fresh else []
        return joined if len(joined) > 1 else []

    async def _contact(
        self, operation: StoredOperation, intent: Intent | None, results: Sequence[WriteResult]
    ) -> tuple[RecordKey | None, Family | None]:
        """Anchor and family of the contact that is left, as far as anything is known to be."""
        if operation.kind in _CREATING:
            keys = self._directory.in_order(_applied(results))[:1]
        else:
            keys = [target.key for target in operation.targets if target.key]
        if not keys:
            return None, None
        found = await self._looked_up(keys[0])
        family = found or _alone(keys[0])
        if operation.kind is WriteKind.DELETE:
            aimed_at_record = intent is not None and intent.target and intent.target.type is NodeType.RECORD
            aimed_at = {family.record} if aimed_at_record else set(family.members)
            if aimed_at <= {*_applied(results), *family.gone}:
                return None, None
        return family.anchor, found and structs.replace(found, record=found.anchor)

    async def _looked_up(self, key: RecordKey) -> Family | None:
        """The family of a record; None when the database does not answer."""
        try:
            return (await self._links.families([key]))[key]
        except SQLAlchemyError as error:
            report("contact_not_looked_up", error, provider=key.provider)
            return None


def _alone(key: RecordKey) -> Family:
    return Family(key, frozenset({key}), key)


def _applied(results: Sequence[WriteResult]) -> list[RecordKey]:
    return [result.key for result in results if result.key and result.outcome is WriteOutcome.APPLIED]
