"""Reading: one record, the family of a record, and everybody with an email address."""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from gateway.contacts.afterwards import check_replaced, follow
from gateway.contacts.containment import contained
from gateway.contacts.directory import Directory
from gateway.domain.contact import Provider, Record, RecordKey
from gateway.domain.errors import InputProblem, InvalidInput, OperationUnsupported, ProviderFailure, RecordNotFound
from gateway.domain.exchange import CallKind
from gateway.domain.merge import Answer
from gateway.store.links import Family, LinkStore

T = TypeVar("T")

MAX_ADDRESS_CHARACTERS = 320
"""64 for the local part, 255 for the domain (RFC 5321, section 4.5.3.1)."""


class SourceState(StrEnum):
    OK = "OK"
    NOT_FOUND = "NOT_FOUND"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How one provider answered; `failure` with FAILED and SKIPPED."""

    provider: Provider
    state: SourceState
    failure: ProviderFailure | None = None
    latency_ms: int = 0


@dataclass(frozen=True, slots=True)
class Matches:
    records: tuple[Record, ...]
    sources: tuple[Source, ...]


class Reading:
    def __init__(self, directory: Directory, links: LinkStore) -> None:
        self._directory = directory
        self._links = links

    async def record(self, key: RecordKey) -> Answer:
        """Asks the provider once. Its failure is part of the answer, not raised."""
        started = time.monotonic()
        record: Record | None = None
        failure: ProviderFailure | None = None
        try:
            with contained(key.provider):
                connector = self._directory.connector(key.provider)
                answered = await connector.read(key.remote_id)
            if answered.key != key:
                check_replaced(connector.capabilities, old=key, new=answered.key)
            record = answered
        except RecordNotFound:
            pass
        except ProviderFailure as error:
            failure = error
        if record is not None and record.key != key:
            await follow(self._links, self._directory, old=key, new=record.key)
        latency_ms = elapsed_ms(started)
        return Answer(key=record.key if record else key, record=record, failure=failure, latency_ms=latency_ms)

    async def families(self, keys: Iterable[RecordKey]) -> dict[RecordKey, Family]:
        return await self._links.families(keys)

    async def by_email(self, address: str, providers: Sequence[Provider] | None) -> Matches:
        """Every record with exactly this address; a provider that failed or cannot look stands in the sources.

        Raises:
            InvalidInput: for a blank address, or providers that cannot be asked.
        """
        if not address.strip():
            raise InvalidInput(InputProblem(path=("email",), code="BLANK", message="must not be blank"))
        if len(address) > MAX_ADDRESS_CHARACTERS:
            message = f"must not be longer than {MAX_ADDRESS_CHARACTERS} characters"
            raise InvalidInput(InputProblem(path=("email",), code="TOO_LONG", message=message))
        targets = self._directory.named(providers, ("providers",))
        found = await asyncio.gather(*(self._find(provider, address.strip()) for provider in targets))
        return Matches(
            records=tuple(record for records, _ in found for record in records),
            sources=tuple(source for _, source in found),
        )

    async def _find(self, provider: Provider, address: str) -> tuple[tuple[Record, ...], Source]:
        capabilities = self._directory.capabilities(provider)
        if CallKind.FIND_BY_EMAIL not in capabilities.operations:
            message = f"{capabilities.display_name} cannot look an email address up."
            return (), skipped(OperationUnsupported(provider, message))
        connector = self._directory.connector(provider)
        return await asked(provider, connector.find_by_email(address), empty=())


async def asked(provider: Provider, call: Awaitable[T], *, empty: T) -> tuple[T, Source]:
    """What a provider answered and how; `empty` in the place of an answer that did not come."""
    started = time.monotonic()
    try:
        with contained(provider):
            answer = await call
    except ProviderFailure as failure:
        state = SourceState.FAILED
        return empty, Source(provider=provider, state=state, failure=failure, latency_ms=elapsed_ms(started))
    return answer, Source(provider=provider, state=SourceState.OK, latency_ms=elapsed_ms(started))


def skipped(failure: ProviderFailure) -> Source:
    """A provider that was not asked, and why."""
    return Source(provider=failure.fault.provider, state=SourceState.SKIPPED, failure=failure)


def elapsed_ms(started: float) -> int:
    return int((time.monotonic() - started) * 1000)
