"""Who takes part in a write, and what each is going to get: checked, before anybody is called."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from gateway.connectors.base import Planned
from gateway.connectors.screening import Screened, screen
from gateway.contacts.directory import Directory
from gateway.domain.changes import Changes, Draft, Patch
from gateway.domain.compare import email_key, text_key
from gateway.domain.contact import KLEN_FIELDS, Field, Provider, RecordKey
from gateway.domain.errors import InputProblem, InvalidInput, OperationUnsupported, ProviderFailure
from gateway.domain.exchange import CallKind
from gateway.domain.identity import GlobalId, NodeType
from gateway.domain.intent import Likeness
from gateway.domain.writes import WriteAction, WriteResult, WriteWarning, dropped
from gateway.store.links import Family, LinkStore
from gateway.store.operation import StoredTarget

PROVIDERS_PATH = ("input", "providers")


class Target(Struct, frozen=True, kw_only=True):
    """One provider's share of a write; with a refusal it is never called.

    `planned` is what could be said before the record was read; of an update, the real write says it anew.
    """

    provider: Provider
    call: CallKind
    key: RecordKey | None = None
    changes: Changes
    warnings: tuple[WriteWarning, ...] = ()
    planned: Planned = Planned(body={})
    refusal: ProviderFailure | None = None
    unmodified_since: datetime | None = None

    @property
    def every_warning(self) -> tuple[WriteWarning, ...]:
        return self.warnings + self.planned.warnings

    @property
    def foregone(self) -> WriteResult | None:
        """The result, where it is known without a call."""
        if self.refusal:
            return self.failed(self.refusal)
        if self.call is CallKind.UPDATE and not self.changes.mentioned:
            action = WriteAction.UNCHANGED
            return WriteResult(provider=self.provider, key=self.key, action=action, warnings=self.every_warning)
        return None

    def failed(self, failure: ProviderFailure) -> WriteResult:
        return WriteResult(provider=self.provider, key=self.key, failure=failure, warnings=self.every_warning)

    def to_store(self, position: int) -> StoredTarget:
        return StoredTarget(
            position=position,
            provider=self.provider,
            remote_id=self.key.remote_id if self.key else None,
            creates=self.call is CallKind.CREATE,
            likeness=likeness(self.provider, self.changes) if self.call is CallKind.CREATE else None,
        )


class Targets:
    """Plans writes. Every method raises InvalidInput with everything that is wrong for any of the providers."""

    def __init__(self, directory: Directory, links: LinkStore) -> None:
        self._directory = directory
        self._links = links

    def providers(self, named: Sequence[Provider] | None) -> tuple[Provider, ...]:
        return self._directory.named(named, PROVIDERS_PATH)

    def creations(
        self, draft: Draft, providers: Sequence[Provider], met: Sequence[Provider] | None = None
    ) -> list[Target]:
        """`met` are all providers that the whole write goes to, where that are more than these."""
        return _checked([self.creation(provider, draft, met or providers) for provider in providers])

    def updates(self, patch: Patch, keys: Sequence[RecordKey]) -> list[Target]:
        met = [key.provider for key in keys]
        return _checked([self.update(key, patch, met) for key in keys])

    def deletions(self, keys: Sequence[RecordKey]) -> list[Target]:
        return [self._deletion(key) for key in keys]

    def creation(self, provider: Provider, draft: Draft, met: Sequence[Provider]) -> Target:
        try:
            connector = self._directory.connector(provider)
        except OperationUnsupported as failure:
            # It was taken out of the settings since the write was asked for.
            return Target(provider=provider, call=CallKind.CREATE, changes=draft, refusal=failure)
        screened = screen(draft, connector.capabilities)
        planned = connector.plan_create(screened.changes)
        return _target(provider, None, screened, planned, _unheard(draft, met))

    def update(self, key: RecordKey, patch: Patch, met: Sequence[Provider]) -> Target:
        try:
            connector = self._directory.connector(key.provider)
        except OperationUnsupported as failure:
            return Target(provider=key.provider, call=CallKind.UPDATE, key=key, changes=patch, refusal=failure)
        screened = screen(patch, connector.capabilities)
        planned = connector.plan_update(screened.changes)
        return _target(key.provider, key, screened, planned, _unheard(patch, met))

    def _deletion(self, key: RecordKey) -> Target:
        target = Target(provider=key.provider, call=CallKind.DELETE, key=key, changes=Patch())
        try:
            capabilities = self._directory.connector(key.provider).capabilities
        except OperationUnsupported as failure:
            return replace(target, refusal=failure)
        if CallKind.DELETE in capabilities.operations:
            return target
        message = f"{capabilities.display_name} has no call that deletes a contact."
        return replace(target, refusal=OperationUnsupported(key.provider, message))

    async def keys(self, target: GlobalId, providers: Sequence[Provider] | None) -> tuple[list[RecordKey], Family]:
        """The records that are meant, in the order in which the caller named their providers."""
        named = None if providers is None else self.providers(providers)
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


def likeness(provider: Provider, changes: Changes) -> str:
    emails = tuple(sorted(email_key(email.address) for email in changes.emails or ()))
    if emails:
        return Likeness(provider=provider, emails=emails, name="").digest
    names = (changes.name, changes.first_name, changes.last_name)
    name = " ".join(text_key(name) for name in names if isinstance(name, str))
    return Likeness(provider=provider, emails=(), name=name).digest


def refuse_if_wrong(targets: Sequence[Target]) -> None:
    """
    Raises:
        InvalidInput: with the problems of every target that is not refused anyway.
    """
    problems = [problem for target in targets if not target.refusal for problem in target.planned.problems]
    if problems:
        raise InvalidInput(*problems)


def _checked(targets: list[Target]) -> list[Target]:
    refuse_if_wrong(targets)
    return targets


def _target(
    provider: Provider,
    key: RecordKey | None,
    screened: Screened[Draft] | Screened[Patch],
    planned: Planned,
    unheard: tuple[WriteWarning, ...],
) -> Target:
    return Target(
        provider=provider,
        call=CallKind.UPDATE if key else CallKind.CREATE,
        key=key,
        changes=screened.changes,
        warnings=screened.warnings + unheard,
        planned=planned,
        refusal=screened.refusal,
    )


def _unheard(changes: Changes, targets: Sequence[Provider]) -> tuple[WriteWarning, ...]:
    """Fields for one provider only, in a write that does not go there."""
    if Provider.KLEN in targets:
        return ()
    fields: list[Field] = [name for name in changes.mentioned if name in KLEN_FIELDS]
    return tuple(dropped(name, "This write does not go to Klen AI.") for name in fields)
