"""A dry run: what a write would send, what it would lose and what it would collide with; nothing is written."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

from gateway.contacts.containment import contained
from gateway.contacts.directory import Directory
from gateway.contacts.matching import Matching
from gateway.contacts.sending import refuse_if_modified
from gateway.contacts.targets import Target, Targets
from gateway.contacts.written import Preview, Previewed
from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import RecordKey
from gateway.domain.errors import ProviderFailure
from gateway.domain.exchange import CallKind
from gateway.domain.intent import Intent, WriteKind
from gateway.domain.normalise import read_draft, read_patch
from gateway.resilience.permission import refuse_unpermitted


class Previewing:
    def __init__(self, directory: Directory, targets: Targets, matching: Matching) -> None:
        self._directory = directory
        self._targets = targets
        self._matching = matching

    async def preview(self, intent: Intent) -> Previewed:
        """One preview per target, in order; a refusal stands in its provider's preview.

        Raises:
            InvalidInput: with everything that is wrong for any of the providers.
        """
        targets = await self._plan(intent)
        previews = await asyncio.gather(*(self._of(target, intent) for target in targets))
        return Previewed(operation_id=str(uuid4()), results=tuple(previews))

    async def _plan(self, intent: Intent) -> Sequence[Target]:
        if intent.kind is WriteKind.CREATE:
            return self._targets.creations(read_draft(intent.changes), self._targets.providers(intent.providers))
        if intent.kind is WriteKind.UPSERT:
            return await self._matching.plan(intent, self._targets.providers(intent.providers))
        assert intent.target is not None
        keys, _ = await self._targets.keys(intent.target, intent.providers)
        return self._targets.updates(read_patch(intent.changes), keys)

    async def _of(self, target: Target, intent: Intent) -> Preview:
        try:
            if target.refusal:
                raise target.refusal
            with contained(target.provider):
                return await self._prepared(target, intent)
        except ProviderFailure as failure:
            return Preview(
                provider=target.provider,
                key=target.key,
                calls=(),
                warnings=target.every_warning,
                collisions=(),
                failure=failure,
            )

    async def _prepared(self, target: Target, intent: Intent) -> Preview:
        if target.foregone is not None:
            # Nothing is left to send there, so the write would not ask anything either.
            return Preview(
                provider=target.provider, key=target.key, calls=(), warnings=target.every_warning, collisions=()
            )
        # Nothing is called for what would be created, so nobody else would say that it may not be.
        refuse_unpermitted(target.call, target.provider)
        connector = self._directory.connector(target.provider)
        if target.key is None:
            assert isinstance(target.changes, Draft)
            prepared = connector.prepare_create(target.changes)
        else:
            assert isinstance(target.changes, Patch)
            if intent.unmodified_since is not None:
                await refuse_if_modified(connector, target.key, intent.unmodified_since)
            prepared = await connector.prepare_update(target.key.remote_id, target.changes)
        warnings = prepared.warnings if target.key else target.planned.warnings
        return Preview(
            provider=target.provider,
            key=target.key,
            calls=prepared.calls,
            warnings=target.warnings + warnings,
            collisions=await self._collisions(target),
        )

    async def _collisions(self, target: Target) -> tuple[RecordKey, ...] | ProviderFailure | None:
        """Other records with one of the addresses that would be written; None where nobody can say."""
        addresses = [email.address for email in target.changes.emails or ()]
        connector = self._directory.connector(target.provider)
        if not addresses:
            return ()
        if CallKind.FIND_BY_EMAIL not in connector.capabilities.operations:
            return None
        try:
            with contained(target.provider):
                found = await asyncio.gather(*(connector.find_by_email(address) for address in addresses))
        except ProviderFailure as failure:
            return failure
        keys = {record.key for records in found for record in records}
        return tuple(self._directory.in_order(keys - {target.key} if target.key else keys))
