"""What follows once every target of a write has an answer: links, the end of the record, the answer itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

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
        self, operation: StoredOperation, intent: Intent | None, results: Sequence[WriteResult], *, own_look: bool
    ) -> Written:
        """Links what is there now, ends the record and tells. A database that fails hides nothing."""
        if not own_look:
            self._concluded(results)
        try:
            await self._connect(operation, results)
        except SQLAlchemyError as error:
            # The ids of what was created must reach the caller, or it would be created again.
            report("created_records_not_linked", error, operation_id=operation.id)
            await self._journal.let_go(operation)
            return replace(await self.tell(operation, intent, results), link_error=error)
        await self._journal.finish(operation, results, own_look=own_look)
        return await self.tell(operation, intent, results)

    async def tell(self, operation: StoredOperation, intent: Intent | None, results: Sequence[WriteResult]) -> Written:
        """The answer, from what is known; nothing is changed."""
        return Written(
            operation_id=operation.id, results=tuple(results), anchor=await self._anchor(operation, intent, results)
        )

    async def _connect(self, operation: StoredOperation, results: Sequence[WriteResult]) -> None:
        if operation.kind is WriteKind.DELETE:
            deleted = set(_applied(results))
            if deleted:
                await note_deleted(self._links, await self._family(next(iter(deleted))), deleted)
            return
        if operation.kind is WriteKind.UPDATE:
            return
        applied = self._directory.in_order(_applied(results))
        linked = {target.key for target in operation.targets if target.linked}
        fresh = [key for key in applied if key not in linked]
        # Of those that were linked before, somebody may have unlinked one since: only the first of them stands
        # for the contact that a new record joins.
        joined = [*fresh, *[key for key in applied if key in linked][:1]] if fresh else []
        if len(joined) > 1:
            await self._links.link(joined, self._directory.rank)

    async def _anchor(
        self, operation: StoredOperation, intent: Intent | None, results: Sequence[WriteResult]
    ) -> RecordKey | None:
        if operation.kind in (WriteKind.CREATE, WriteKind.UPSERT):
            applied = self._directory.in_order(_applied(results))
            return (await self._family(applied[0])).anchor if applied else None
        keys = [target.key for target in operation.targets if target.key]
        family = await self._family(keys[0])
        if operation.kind is WriteKind.DELETE:
            aimed_at_record = intent is not None and intent.target and intent.target.type is NodeType.RECORD
            aimed_at = {family.record} if aimed_at_record else set(family.members)
            if aimed_at <= {*_applied(results), *family.gone}:
                return None
        return family.anchor

    async def _family(self, key: RecordKey) -> Family:
        """The family of a record; the record alone when the database does not answer."""
        try:
            return (await self._links.families([key]))[key]
        except SQLAlchemyError as error:
            report("contact_not_looked_up", error, provider=key.provider)
            return Family(key, frozenset({key}), key)


def _applied(results: Sequence[WriteResult]) -> list[RecordKey]:
    return [result.key for result in results if result.key and result.outcome is WriteOutcome.APPLIED]
