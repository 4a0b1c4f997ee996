"""One provider's share of a write, carried out once; whatever happens there becomes its result."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from gateway.connectors.base import Connector
from gateway.contacts.afterwards import check_replaced, follow
from gateway.contacts.containment import contained
from gateway.contacts.directory import Directory
from gateway.contacts.locks import LockNotTaken, Locks
from gateway.contacts.record_cache import RecordCaches
from gateway.contacts.targets import Target
from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import Field, Record, RecordKey
from gateway.domain.errors import FieldUnsupported, ProviderFailure, RecordBusy, RecordStale, WriteOutcome
from gateway.domain.exchange import CallKind
from gateway.domain.intent import lock_name
from gateway.domain.writes import WriteAction, WriteResult, WriteWarning
from gateway.store.links import LinkStore

_UNMODIFIED_SINCE_PATH = ("input", "ifUnmodifiedSince")


class Sending:
    def __init__(self, directory: Directory, links: LinkStore, locks: Locks, caches: RecordCaches) -> None:
        self._directory = directory
        self._links = links
        self._locks = locks
        self._caches = caches
        self._calls: Mapping[CallKind, Callable[[Target], Awaitable[WriteResult]]] = {
            CallKind.CREATE: self._create,
            CallKind.UPDATE: self._update,
            CallKind.DELETE: self._delete,
        }

    async def send(self, target: Target) -> WriteResult:
        """Never raises for what happens at the provider, and never sends anything twice."""
        if (foregone := target.foregone) is not None:
            return foregone
        self._caches.drop(target.key)
        try:
            with contained(target.provider):
                result = await self._calls[target.call](target)
        except ProviderFailure as failure:
            result = target.failed(failure.settled())
        finally:
            # Whatever came of it: what was read meanwhile may be older than the write.
            self._caches.drop(target.key)
        # The provider may have merged it into another one; a write without an answer may still come through.
        for key in (target.key, result.key):
            self._caches.drop(key, unsettled=result.outcome is WriteOutcome.UNKNOWN)
        return result

    async def _create(self, target: Target) -> WriteResult:
        assert isinstance(target.changes, Draft)
        record = await self._directory.connector(target.provider).create(target.changes, target.planned)
        return _applied(target, record, WriteAction.CREATED, target.every_warning)

    async def _update(self, target: Target) -> WriteResult:
        assert isinstance(target.changes, Patch)
        assert target.key is not None
        connector = self._directory.connector(target.provider)
        try:
            async with self._locks.holding(lock_name(target.key)):
                if target.unmodified_since is not None:
                    await refuse_if_modified(connector, target.key, target.unmodified_since)
                updated = await connector.update(target.key.remote_id, target.changes)
        except LockNotTaken:
            raise _busy(target.key) from None
        if updated.record.key != target.key:
            check_replaced(connector.capabilities, old=target.key, new=updated.record.key)
            await follow(self._links, self._directory, old=target.key, new=updated.record.key)
        return _applied(target, updated.record, updated.action, target.warnings + updated.warnings)

    async def _delete(self, target: Target) -> WriteResult:
        assert target.key is not None
        try:
            async with self._locks.holding(lock_name(target.key)):
                await self._directory.connector(target.provider).delete(target.key.remote_id)
        except LockNotTaken:
            raise _busy(target.key) from None
        return WriteResult(provider=target.provider, key=target.key, action=WriteAction.DELETED)


async def refuse_if_modified(connector: Connector, key: RecordKey, since: datetime) -> None:
    """
    Raises:
        RecordStale: when the record was changed after `since`, counted in whole milliseconds as the API shows it.
        FieldUnsupported: when the provider does not tell when a record was changed.
        ProviderFailure: when the record cannot be read; nothing was sent then.
    """
    name = connector.capabilities.display_name
    if not connector.capabilities.of(Field.UPDATED_AT).readable:
        message = f"{name} does not tell when a contact was changed, so the condition cannot be checked there."
        raise FieldUnsupported(key.provider, message, field=_UNMODIFIED_SINCE_PATH)
    try:
        updated_at = (await connector.read(key.remote_id)).updated_at
    except ProviderFailure as failure:
        failure.outcome = WriteOutcome.NOT_APPLIED
        raise
    if updated_at is None or _milliseconds(updated_at) > _milliseconds(since):
        message = f"The contact was changed at {name} after the time given. Read it again and decide anew."
        raise RecordStale(key.provider, message, field=_UNMODIFIED_SINCE_PATH)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _busy(key: RecordKey) -> RecordBusy:
    return RecordBusy(key.provider, "Another write to the same record did not end in time; nothing was sent.")


def _applied(target: Target, record: Record, action: WriteAction, warnings: tuple[WriteWarning, ...]) -> WriteResult:
    return WriteResult(
        provider=target.provider,
        key=record.key,
        record=record,
        action=action,
        warnings=warnings,
        wanted=target.changes,
    )
