"""Upsert: which record of each provider a contact is, before it is created or updated there."""

import asyncio
from collections.abc import Sequence
from hashlib import sha256

from gateway.connectors.base import Match
from gateway.contacts.containment import contained
from gateway.contacts.directory import Directory
from gateway.contacts.targets import Target, Targets, refuse_if_wrong
from gateway.domain.changes import Draft, Patch
from gateway.domain.compare import email_key
from gateway.domain.contact import Provider, RecordKey
from gateway.domain.errors import (
    FieldUnsupported,
    InputProblem,
    InvalidInput,
    ProviderFailure,
    SeveralMatches,
    WriteOutcome,
)
from gateway.domain.exchange import CallKind
from gateway.domain.intent import Intent, MatchKey
from gateway.domain.normalise import read_draft, read_patch
from gateway.store.links import LinkStore

_INPUT_NAMES = {MatchKey.EMAIL: "emails", MatchKey.EXTERNAL_ID: "externalId"}


class Matching:
    def __init__(self, directory: Directory, links: LinkStore, targets: Targets) -> None:
        self._directory = directory
        self._links = links
        self._targets = targets

    def lock_names(self, intent: Intent) -> list[str]:
        """What two upserts of one contact have in common: only one of them may look and create at a time."""
        match = self.match(intent)
        words = [f"email {email_key(email)}" for email in match.emails]
        words += [f"external id {match.external_id}"] if match.external_id else []
        return [f"upsert:{sha256(word.encode()).hexdigest()}" for word in words]

    def match(self, intent: Intent) -> Match:
        """
        Raises:
            InvalidInput: when there is nothing to match on, or the input holds nothing of it.
        """
        if not intent.match_on:
            message = f"must name at least one of {' and '.join(key.name for key in MatchKey)}"
            raise InvalidInput(InputProblem(path=("matchOn",), code="NOTHING_TO_MATCH", message=message))
        draft = read_draft(intent.changes)
        by_email = MatchKey.EMAIL in intent.match_on
        by_external_id = MatchKey.EXTERNAL_ID in intent.match_on
        emails = tuple(email.address for email in draft.emails or ()) if by_email else ()
        external_id = (draft.external_id or None) if by_external_id else None
        if not emails and not external_id:
            wanted = " or ".join(_INPUT_NAMES[key] for key in intent.match_on)
            message = f"must hold {wanted}, which the contact is matched on"
            raise InvalidInput(InputProblem(path=("input",), code="NOTHING_TO_MATCH", message=message))
        return Match(emails=emails, external_id=external_id)

    async def plan(
        self,
        intent: Intent,
        providers: Sequence[Provider],
        *,
        met: Sequence[Provider] | None = None,
        known: Sequence[RecordKey] = (),
    ) -> list[Target]:
        """One target per provider: an update where exactly one record matches, a creation where none does.

        A record that is linked to a match elsewhere matches too. `met` are all providers that the whole write goes
        to, where that are more; `known` are records that have been found to match before.

        Raises:
            InvalidInput: with everything that is wrong for any of the providers; nothing was written.
        """
        draft, patch, match = read_draft(intent.changes), read_patch(intent.changes), self.match(intent)
        # Held against the rules of a creation first: what is wrong is said before anybody is called.
        met = met or providers
        refuse_if_wrong([self._targets.creation(provider, draft, met) for provider in providers])
        found = await asyncio.gather(*(self._find(provider, match) for provider in providers))
        matches = [key for keys in found if not isinstance(keys, ProviderFailure) for key in keys]
        linked = await self._linked([*matches, *known])
        targets = []
        for provider, keys in zip(providers, found, strict=True):
            there = {key for key in linked if key.provider is provider}
            # Who cannot look by what was given may still hold a record that is linked to a match.
            if isinstance(keys, ProviderFailure) and not (there and isinstance(keys, FieldUnsupported)):
                targets.append(_refused(provider, draft, keys))
                continue
            every = there if isinstance(keys, ProviderFailure) else there | set(keys)
            targets.append(self._target(provider, draft, patch, self._directory.in_order(every), met))
        refuse_if_wrong(targets)
        return targets

    def _target(
        self, provider: Provider, draft: Draft, patch: Patch, keys: list[RecordKey], met: Sequence[Provider]
    ) -> Target:
        if not keys:
            return self._targets.creation(provider, draft, met)
        if len(keys) == 1:
            return self._targets.update(keys[0], patch, met)
        name = self._directory.capabilities(provider).display_name
        message = f"{len(keys)} contacts at {name} match; update the one that is meant by its id."
        return _refused(provider, draft, SeveralMatches(provider, message, candidates=tuple(keys)))

    async def _find(self, provider: Provider, match: Match) -> list[RecordKey] | ProviderFailure:
        """A failure is a refusal: without having looked, nothing is created there."""
        try:
            with contained(provider):
                connector = self._directory.connector(provider)
                return [record.key for record in await connector.find_matches(match)]
        except ProviderFailure as failure:
            # Nothing was sent but a look, whatever became of it.
            failure.outcome = WriteOutcome.NOT_APPLIED
            return failure

    async def _linked(self, keys: Sequence[RecordKey]) -> set[RecordKey]:
        families = (await self._links.families(keys)).values() if keys else ()
        return {member for family in families for member in family.members - family.gone}


def _refused(provider: Provider, draft: Draft, failure: ProviderFailure) -> Target:
    return Target(provider=provider, call=CallKind.CREATE, changes=draft, refusal=failure)
