"""Finding out what became of a write whose answer was lost, by reading only; nothing is ever sent again here."""

from datetime import datetime, timezone
from typing import Any

from msgspec.structs import replace

from gateway.connectors.base import Connector, Sighting, Sought
from gateway.contacts.containment import contained
from gateway.contacts.directory import Directory
from gateway.contacts.journal import Journal
from gateway.contacts.locks import LockNotTaken, Locks
from gateway.contacts.targets import Targets, likeness
from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import Field, Provider, Record, RecordKey
from gateway.domain.echo import missing, not_stored_warnings
from gateway.domain.errors import DuplicateRecord, ProviderFailure, RecordNotFound, WriteOutcome
from gateway.domain.intent import WriteKind
from gateway.domain.normalise import read_draft, read_patch
from gateway.domain.proof import proven
from gateway.domain.writes import WriteAction, WriteResult
from gateway.store.operation import StoredOperation, StoredTarget, interrupted

# What tells one contact from another of the same name and address.
_TELLING = frozenset(
    {Field.NAME, Field.FIRST_NAME, Field.LAST_NAME, Field.EMAILS, Field.PHONES, Field.COMPANY, Field.EXTERNAL_ID}
)


class Looking:
    def __init__(self, directory: Directory, targets: Targets, journal: Journal, locks: Locks) -> None:
        self._directory = directory
        self._targets = targets
        self._journal = journal
        self._locks = locks

    async def look(self, operation: StoredOperation, target: StoredTarget) -> WriteResult:
        """What is known now of a target that was UNKNOWN; UNKNOWN again where looking did not help."""
        try:
            with contained(target.provider):
                connector = self._directory.connector(target.provider)
                if operation.kind is WriteKind.DELETE:
                    return await self._look_for_deletion(connector, target)
                if target.creates:
                    return await self._look_for_creation(connector, operation, target)
                return await self._look_for_update(connector, operation, target)
        except LockNotTaken:
            return _still_unknown(target, "Looking for it had to wait too long.")
        except ProviderFailure as failure:
            reason = f"Looking for it failed: {failure}"
            return _still_unknown(target, reason, retry_after_ms=failure.fault.retry_after_ms)

    async def _look_for_creation(
        self, connector: Connector, operation: StoredOperation, target: StoredTarget
    ) -> WriteResult:
        assert operation.intent is not None
        draft = read_draft(operation.intent.changes)
        planned = self._targets.creation(target.provider, draft, [one.provider for one in operation.targets])
        assert isinstance(planned.changes, Draft)
        like = likeness(target.provider, planned.changes)
        # Two writes of the same contact that were both lost may not take the same record for theirs.
        async with self._locks.holding(f"look:{like}"):
            if await self._journal.store.is_under_way(
                target.provider, like, but=operation.id, now=self._journal.clock()
            ):
                return _still_unknown(target, "Another write of the same contact is under way.")
            sent = planned.changes
            sighting = await connector.find_created(Sought(draft=sent, since=_moment(target.sent_at)))
            result = await self._judge(connector, operation, target, sent, sighting)
            result = self._told(target.provider, replace(result, warnings=planned.every_warning), sent)
            await self._journal.note(operation, target.position, result)
            return result

    def _told(self, provider: Provider, result: WriteResult, sent: Draft) -> WriteResult:
        """With what did not stick: the record has been read whole, so the echo of a lost answer is known."""
        if result.record is None:
            return result
        name = self._directory.capabilities(provider).display_name
        lost = not_stored_warnings(sent, result.record, result.warnings, name)
        return replace(result, warnings=result.warnings + lost)

    async def _judge(
        self, connector: Connector, operation: StoredOperation, target: StoredTarget, sent: Draft, sighting: Sighting
    ) -> WriteResult:
        seen = [record.key for record in (*sighting.created, *sighting.doubtful)]
        claimed = await self._journal.store.claimed(seen, but=operation.id)
        doubtful = [record for record in sighting.doubtful if record.key not in claimed]
        for record in sighting.created:
            if record.key in claimed:
                continue
            whole = await connector.read(record.key.remote_id)
            # Somebody else may have made one that looks alike in a list.
            if not _TELLING & set(missing(sent, whole)):
                return _applied(whole, WriteAction.CREATED)
            doubtful.append(whole)
        if sighting.before:
            return _ruled_out(target.provider, sighting.before[0].key)
        if doubtful:
            message = (
                "A record like it is there, but whether this write made it cannot be told."
                " Look at it, then link it, or create the contact under another key."
            )
            return _still_unknown(target, message, existing=doubtful[0].key)
        return self._not_there(target)

    async def _look_for_update(
        self, connector: Connector, operation: StoredOperation, target: StoredTarget
    ) -> WriteResult:
        assert operation.intent is not None
        assert target.key is not None
        patch = read_patch(operation.intent.changes)
        planned = self._targets.update(target.key, patch, [one.provider for one in operation.targets])
        assert isinstance(planned.changes, Patch)
        try:
            record = await connector.read(target.key.remote_id)
        except RecordNotFound as failure:
            return _failed(target, failure)
        keeps = connector.capabilities.of(Field.PHONES).keeps_left_out
        if proven(planned.changes, record, planned.every_warning, keeps_numbers=keeps):
            name, told = connector.capabilities.display_name, planned.every_warning
            lost = not_stored_warnings(planned.changes, record, told, name)
            return replace(_applied(record, WriteAction.UPDATED), warnings=(*told, *lost))
        if not missing(planned.changes, record):
            return _still_unknown(target, "The provider does not show what would tell.")
        if await self._is_changed_since(operation, target, record):
            # Ours may have been there, and to send it again would undo what came after.
            return _still_unknown(target, "The record has been changed by somebody else since.")
        return self._not_there(target)

    async def _is_changed_since(self, operation: StoredOperation, target: StoredTarget, record: Record) -> bool:
        assert target.key is not None
        sent_at = target.sent_at or 0
        if record.updated_at is not None and record.updated_at > _moment(sent_at):
            return True
        return await self._journal.store.is_written_since(target.key, sent_at, but=operation.id)

    async def _look_for_deletion(self, connector: Connector, target: StoredTarget) -> WriteResult:
        assert target.key is not None
        try:
            await connector.read(target.key.remote_id)
        except RecordNotFound:
            return WriteResult(provider=target.provider, key=target.key, action=WriteAction.DELETED)
        return self._not_there(target)

    def _not_there(self, target: StoredTarget) -> WriteResult:
        """Surely not done once the provider has had its time; until then it may still come through."""
        if unsettled_ms := self._journal.unsettled_ms(target):
            return _still_unknown(target, "It is not there yet, and may still come.", retry_after_ms=unsettled_ms)
        message = "The answer was lost; the gateway has looked since, and it was not done."
        return _failed(target, _lost(target, message, outcome=WriteOutcome.NOT_APPLIED, retryable=True))


def _applied(record: Record, action: WriteAction) -> WriteResult:
    return WriteResult(provider=record.key.provider, key=record.key, record=record, action=action)


def _still_unknown(target: StoredTarget, message: str, **details: Any) -> WriteResult:
    text = f"Whether it was done is still unknown. {message}"
    return _failed(target, _lost(target, text, outcome=WriteOutcome.UNKNOWN, retryable=False, **details))


def _ruled_out(provider: Provider, existing: RecordKey) -> WriteResult:
    message = "The answer was lost; the gateway has looked since: another contact has this email address."
    return WriteResult(provider=provider, failure=DuplicateRecord(provider, message, existing=existing))


def _lost(target: StoredTarget, message: str, **details: Any) -> ProviderFailure:
    """The failure with which the answer was lost, told anew."""
    before = target.failure or interrupted(target.provider)
    fault = before.fault
    told = {"upstream_status": fault.upstream_status, "upstream_code": fault.upstream_code, "field": fault.field}
    return type(before)(target.provider, message, **{**told, **details})


def _failed(target: StoredTarget, failure: ProviderFailure) -> WriteResult:
    return WriteResult(provider=target.provider, key=target.key, failure=failure, warnings=target.warnings)


def _moment(milliseconds: int | None) -> datetime:
    return datetime.fromtimestamp((milliseconds or 0) / 1000, timezone.utc)
