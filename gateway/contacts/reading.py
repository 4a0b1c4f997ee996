"""Reading: one record, the family of a record, and everybody with an email address."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.connectors.base import Connector
from gateway.contacts.afterwards import check_replaced, follow
from gateway.contacts.containment import contained
from gateway.contacts.directory import Directory
from gateway.contacts.record_cache import RecordCaches
from gateway.contacts.terms import Terms
from gateway.domain.contact import Provider, Record, RecordKey
from gateway.domain.errors import (
    AnswerPending,
    InputProblem,
    InvalidInput,
    OperationUnsupported,
    ProviderFailure,
    RecordNotFound,
)
from gateway.domain.exchange import CallKind
from gateway.domain.merge import Answer
from gateway.resilience.operation import asking_anew
from gateway.store.links import Family, LinkStore

MAX_ADDRESS_CHARACTERS = 320
"""64 for the local part, 255 for the domain (RFC 5321, section 4.5.3.1)."""


class SourceState(StrEnum):
    OK = "OK"
    NOT_FOUND = "NOT_FOUND"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    STALE = "STALE"
    PENDING = "PENDING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How one provider answered; `failure` with every state but OK and NOT_FOUND. `age_seconds` is how old the data
    are; None when they were asked for just now."""

    provider: Provider
    state: SourceState
    failure: ProviderFailure | None = None
    latency_ms: int = 0
    age_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Matches:
    records: tuple[Record, ...]
    sources: tuple[Source, ...]


class Reading:
    def __init__(self, directory: Directory, links: LinkStore, caches: RecordCaches) -> None:
        self._directory = directory
        self._links = links
        self._caches = caches

    async def record(self, key: RecordKey, *, max_age_seconds: int | None = None) -> Answer:
        """The record as it was kept where that is new enough, else as the provider tells it; while that is down, as it
        was kept longer ago. A failure is part of the answer, not raised."""
        started = time.monotonic()
        try:
            with contained(key.provider):
                connector = self._directory.connector(key.provider)
                if (kept := self._caches.fresh(key, max_age_seconds)) is not None:
                    return Answer(key=key, record=kept.record, age_seconds=kept.age_seconds)
                record = await (self._ask_anew if max_age_seconds == 0 else self._ask)(connector, key)
        except RecordNotFound:
            self._caches.drop(key)
            return Answer(key=key, latency_ms=elapsed_ms(started))
        except ProviderFailure as failure:
            return self._without(key, failure, max_age_seconds, latency_ms=elapsed_ms(started))
        if record.key != key:
            self._caches.drop(key)
            await follow(self._links, self._directory, old=key, new=record.key)
        return Answer(key=record.key, record=record, latency_ms=elapsed_ms(started))

    async def _ask_anew(self, connector: Connector, key: RecordKey) -> Record:
        with asking_anew():
            return await self._ask(connector, key)

    async def _ask(self, connector: Connector, key: RecordKey) -> Record:
        with self._caches.of(key.provider).asking(key) as asking:
            record = await connector.read(key.remote_id)
            if record.key != key:
                # Not kept: whether a write has gone to the other id meanwhile is not known here.
                check_replaced(connector.capabilities, old=key, new=record.key)
                return record
            asking.answer = record
        return record

    def _without(
        self, key: RecordKey, failure: ProviderFailure, max_age_seconds: int | None, *, latency_ms: int
    ) -> Answer:
        """The answer when the provider gave none."""
        kept = self._caches.stand_in(key, failure, max_age_seconds)
        if kept is None:
            return Answer(key=key, failure=failure, latency_ms=latency_ms)
        return Answer(
            key=key, record=kept.record, latency_ms=latency_ms, age_seconds=kept.age_seconds, stale_because=failure
        )

    def forget(self, key: RecordKey) -> None:
        """What was kept of a record that may have changed."""
        self._caches.drop(key)

    def family_at_once(self, key: RecordKey) -> Family | None:
        """The family, where it can be had without waiting."""
        return self._links.family_at_once(key)

    async def families(self, keys: Iterable[RecordKey]) -> dict[RecordKey, Family]:
        return await self._links.families(keys)

    async def by_email(self, address: str, providers: Sequence[Provider] | None, terms: Terms) -> Matches:
        """Every record with exactly this address; a provider that failed, cannot look or did not answer in time stands
        in the sources.

        Raises:
            InvalidInput: for a blank address, or providers that cannot be asked.
        """
        if not address.strip():
            raise InvalidInput(InputProblem(path=("email",), code="BLANK", message="must not be blank"))
        if len(address) > MAX_ADDRESS_CHARACTERS:
            message = f"must not be longer than {MAX_ADDRESS_CHARACTERS} characters"
            raise InvalidInput(InputProblem(path=("email",), code="TOO_LONG", message=message))
        targets = self._directory.named(providers, ("providers",))
        found = await asyncio.gather(*(self._find(provider, address.strip(), terms) for provider in targets))
        return Matches(
            records=tuple(record for records, _ in found for record in records),
            sources=tuple(source for _, source in found),
        )

    async def _find(self, provider: Provider, address: str, terms: Terms) -> tuple[tuple[Record, ...], Source]:
        capabilities = self._directory.capabilities(provider)
        if CallKind.FIND_BY_EMAIL not in capabilities.operations:
            message = f"{capabilities.display_name} cannot look an email address up."
            return (), skipped(OperationUnsupported(provider, message))
        started = time.monotonic()
        try:
            found = await terms.ask(provider, self._directory.connector(provider).find_by_email(address))
        except ProviderFailure as failure:
            return (), failed(failure.settled(), latency_ms=elapsed_ms(started))
        return found, Source(provider=provider, state=SourceState.OK, latency_ms=elapsed_ms(started))


def failed(failure: ProviderFailure, *, latency_ms: int) -> Source:
    """A provider that did not answer, or not yet."""
    state = SourceState.PENDING if isinstance(failure, AnswerPending) else SourceState.FAILED
    return Source(provider=failure.fault.provider, state=state, failure=failure, latency_ms=latency_ms)


def skipped(failure: ProviderFailure) -> Source:
    """A provider that was not asked, and why."""
    return Source(provider=failure.fault.provider, state=SourceState.SKIPPED, failure=failure)


def elapsed_ms(started: float) -> int:
    return int((time.monotonic() - started) * 1000)
