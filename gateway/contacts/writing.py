"""Writing one contact to several providers, and saying honestly what happened at each.

Rules: design section 6. Everything is checked before the first call; then all providers are called at
once, each on its own, and whatever one of them does is its own result.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError

from gateway.connectors.base import Planned
from gateway.connectors.screening import Screened, screen
from gateway.contacts.afterwards import check_replaced, follow, note_deleted
from gateway.contacts.containment import contained
from gateway.contacts.directory import Directory
from gateway.contacts.locks import RecordLocks
from gateway.domain.changes import Changes, Draft, Patch
from gateway.domain.contact import KLEN_FIELDS, Field, Provider, Record, RecordKey
from gateway.domain.errors import InputProblem, InvalidInput, OperationUnsupported, ProviderFailure
from gateway.domain.exchange import CallKind
from gateway.domain.identity import GlobalId, NodeType
from gateway.domain.normalise import read_draft, read_patch
from gateway.domain.writes import WriteAction, WriteResult, WriteStatus, WriteWarning, dropped, status_of
from gateway.incident import report
from gateway.store.links import Family, LinkStore

PROVIDERS_PATH = ("input", "providers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The end of a write: one result per target, in the order in which they were named.

    `anchor` names the contact that the write leaves behind; None when nothing is known to exist.
    `link_error` is what kept the created records from being linked: they exist, each on its own.
    """

    results: tuple[WriteResult, ...]
    anchor: RecordKey | None
    link_error: SQLAlchemyError | None = None
    operation_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def status(self) -> WriteStatus:
        return status_of(self.results)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """One provider's share of a write, checked; with a refusal it is never called.

    `planned` is what could be said before the record was read; the real write says it anew.
    """

    provider: Provider
    key: RecordKey | None = None
    changes: Changes
    warnings: tuple[WriteWarning, ...] = ()
    planned: tuple[WriteWarning, ...] = ()
    problems: tuple[InputProblem, ...] = ()
    refusal: ProviderFailure | None = None

    @property
    def every_warning(self) -> tuple[WriteWarning, ...]:
        return self.warnings + self.planned


class Writing:
    def __init__(self, directory: Directory, links: LinkStore, locks: RecordLocks) -> None:
        self._directory = directory
        self._links = links
        self._locks = locks

    async def create(self, asked: Changes, providers: Sequence[Provider] | None) -> Written:
        """Creates the contact at every named provider and links what was created.

        Raises:
            InvalidInput: with everything that is wrong for any of the providers; nobody was called.
        """
        targets = self._directory.named(providers, PROVIDERS_PATH)
        draft = read_draft(asked)
        plans = [self._plan_create(provider, draft, targets) for provider in targets]
        _refuse_if_wrong(plans)
        results = await asyncio.gather(*(self._create(plan) for plan in plans))
        created = self._directory.in_order(result.key for result in results if result.key)
        written = Written(results=tuple(results), anchor=created[0] if created else None)
        if len(created) > 1:
            try:
                family = await self._links.link(created, self._directory.rank)
            except SQLAlchemyError as error:
                # The ids of what was created must reach the caller, or it would be created again.
                report("created_records_not_linked", error, operation_id=written.operation_id)
                return replace(written, link_error=error)
            return replace(written, anchor=family.anchor)
        return written

    async def update(self, target: GlobalId, asked: Changes, providers: Sequence[Provider] | None) -> Written:
        """Updates the record, or every record of the contact (only those of `providers`, when given).

        Raises:
            InvalidInput: with everything that is wrong for any of the providers; nobody was called.
        """
        keys, family = await self._targets(target, providers)
        patch = read_patch(asked)
        providers_met = [key.provider for key in keys]
        plans = [self._plan_update(key, patch, providers_met) for key in keys]
        _refuse_if_wrong(plans)
        results = await asyncio.gather(*(self._update(plan) for plan in plans))
        merged = {plan.key: result.key for plan, result in zip(plans, results, strict=True)}
        return Written(results=tuple(results), anchor=merged.get(family.anchor) or family.anchor)

    async def delete(self, target: GlobalId, providers: Sequence[Provider] | None) -> Written:
        """Deletes the records for good; `anchor` is None when nothing of the target is left.

        Raises:
            InvalidInput: for providers that cannot be meant; nobody was called.
        """
        keys, family = await self._targets(target, providers)
        results = tuple(await asyncio.gather(*(self._delete(key) for key in keys)))
        deleted = {result.key for result in results if result.key and result.action is WriteAction.DELETED}
        await note_deleted(self._links, family, deleted)
        gone = {family.record} if target.type is NodeType.RECORD else set(family.members)
        return Written(results=results, anchor=None if gone <= {*deleted, *family.gone} else family.anchor)

    async def _targets(self, target: GlobalId, providers: Sequence[Provider] | None) -> tuple[list[RecordKey], Family]:
        """The records that are meant, in the order in which the caller named their providers."""
        named = None if providers is None else self._directory.named(providers, PROVIDERS_PATH)
        family = (await self._links.families([target.key]))[target.key]
        there = family.members - family.gone
        keys = [family.record] if target.type is NodeType.RECORD else self._directory.in_order(there)
        if named is None:
            return keys, family
        for provider in named:
            if provider not in {key.provider for key in keys}:
                message = f"the contact has no record at {provider.name}"
                raise InvalidInput(
                    InputProblem(path=PROVIDERS_PATH, code="NO_RECORD", message=message, provider=provider)
                )
        return [key for provider in named for key in keys if key.provider is provider], family

    def _plan_create(self, provider: Provider, draft: Draft, targets: Sequence[Provider]) -> _Target:
        connector = self._directory.connector(provider)
        screened = screen(draft, connector.capabilities)
        planned = connector.plan_create(screened.changes)
        return _target(provider, None, screened, planned, _unheard(draft, targets))

    def _plan_update(self, key: RecordKey, patch: Patch, targets: Sequence[Provider]) -> _Target:
        try:
            connector = self._directory.connector(key.provider)
        except OperationUnsupported as failure:
            return _Target(provider=key.provider, key=key, changes=patch, refusal=failure)
        screened = screen(patch, connector.capabilities)
        planned = connector.plan_update(screened.changes)
        return _target(key.provider, key, screened, planned, _unheard(patch, targets))

    async def _create(self, target: _Target) -> WriteResult:
        async def call() -> WriteResult:
            assert isinstance(target.changes, Draft)
            record = await self._directory.connector(target.provider).create(target.changes)
            return _applied(record, WriteAction.CREATED, target.every_warning)

        return await _outcome(target, call)

    async def _update(self, target: _Target) -> WriteResult:
        async def call() -> WriteResult:
            assert isinstance(target.changes, Patch)
            assert target.key is not None
            async with self._locks.holding(target.key):
                connector = self._directory.connector(target.provider)
                updated = await connector.update(target.key.remote_id, target.changes)
            if updated.record.key != target.key:
                check_replaced(connector.capabilities, old=target.key, new=updated.record.key)
                await follow(self._links, self._directory, old=target.key, new=updated.record.key)
            return _applied(updated.record, updated.action, target.warnings + updated.warnings)

        if target.refusal is None and not target.changes.mentioned:
            return self._unchanged(target)
        return await _outcome(target, call)

    async def _delete(self, key: RecordKey) -> WriteResult:
        target = _Target(provider=key.provider, key=key, changes=Patch())

        async def call() -> WriteResult:
            connector = self._directory.connector(key.provider)
            if CallKind.DELETE not in connector.capabilities.operations:
                name = connector.capabilities.display_name
                raise OperationUnsupported(key.provider, f"{name} has no call that deletes a contact.")
            async with self._locks.holding(key):
                await connector.delete(key.remote_id)
            return WriteResult(provider=key.provider, key=key, action=WriteAction.DELETED)

        return await _outcome(target, call)

    def _unchanged(self, target: _Target) -> WriteResult:
        return WriteResult(
            provider=target.provider, key=target.key, action=WriteAction.UNCHANGED, warnings=target.every_warning
        )


async def _outcome(target: _Target, call: Callable[[], Awaitable[WriteResult]]) -> WriteResult:
    """One provider's result, whatever happens there."""
    try:
        if target.refusal:
            raise target.refusal
        with contained(target.provider):
            return await call()
    except ProviderFailure as failure:
        return WriteResult(provider=target.provider, key=target.key, failure=failure, warnings=target.every_warning)


def _target(
    provider: Provider,
    key: RecordKey | None,
    screened: Screened[Draft] | Screened[Patch],
    planned: Planned,
    unheard: tuple[WriteWarning, ...],
) -> _Target:
    return _Target(
        provider=provider,
        key=key,
        changes=screened.changes,
        warnings=screened.warnings + unheard,
        planned=planned.warnings,
        problems=planned.problems,
        refusal=screened.refusal,
    )


def _applied(record: Record, action: WriteAction, warnings: tuple[WriteWarning, ...]) -> WriteResult:
    return WriteResult(provider=record.key.provider, key=record.key, record=record, action=action, warnings=warnings)


def _unheard(changes: Changes, targets: Sequence[Provider]) -> tuple[WriteWarning, ...]:
    """Fields for one provider only, in a write that does not go there."""
    if Provider.KLEN in targets:
        return ()
    fields: list[Field] = [name for name in changes.mentioned if name in KLEN_FIELDS]
    return tuple(dropped(name, "This write does not go to Klen AI.") for name in fields)


def _refuse_if_wrong(targets: Sequence[_Target]) -> None:
    problems = [problem for target in targets if not target.refusal for problem in target.problems]
    if problems:
        raise InvalidInput(*problems)
