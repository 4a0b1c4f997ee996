"""Contacts and records as an operation sees them: what is known already, and what has to be asked for.

A value comes back at once where it is known and as an awaitable where a provider has to be called; a
failure comes back as the exception itself, which GraphQL execution raises at the right path.
"""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

from gateway.contacts.reading import Source, SourceState, elapsed_ms, failed, skipped
from gateway.contacts.terms import Terms, pending
from gateway.domain.contact import Field, Record, RecordKey
from gateway.domain.errors import OperationUnsupported, ProviderFailure
from gateway.domain.merge import UNITED_FIELDS, Answer, unified
from gateway.store.links import Family
from resolvers.context import Context
from resolvers.selection import Selection


class RecordView:
    """One record. `summary` is what a list, a search or a write told of it before; `terms` are those of the field
    that it was reached by."""

    def __init__(
        self,
        context: Context,
        key: RecordKey,
        summary: Record | None = None,
        *,
        gone: bool = False,
        terms: Terms | None = None,
    ) -> None:
        self.key = key
        self.summary = summary
        self.terms = terms or context.terms
        self._context = context
        self._capabilities = context.directory.capabilities(key.provider)
        # Deleted through this gateway: nobody has to be asked whether it is there.
        self._answer = Answer(key=key) if gone else None

    def holds(self, field: Field) -> bool:
        return self._capabilities.of(field).readable

    def told_value(self, field: Field) -> Any:
        """What the summary tells; None where it does not tell, or tells null."""
        summary = self.summary
        return summary.value(field) if summary is not None and field in summary.known else None

    def knows_value(self, field: Field) -> bool:
        """Whether the summary tells a value that is not null."""
        return self.told_value(field) is not None

    def needs_asking(self, fields: frozenset[Field], *, raw: bool) -> bool:
        """Whether the provider has to be called for these fields, or for the record as it sent it."""
        known = self.summary.known if self.summary else frozenset()
        if any(self.holds(field) and field not in known for field in fields):
            return True
        return raw and not (self.summary and self.summary.raw)

    def value(self, field: Field) -> Any:
        """The record's own value; None where the provider does not hold the field."""
        if not self.holds(field):
            return None
        answer = self.answer_for(field)
        return _own_value(answer, field) if isinstance(answer, Answer) else _awaited_value(answer, field)

    def answer_for(self, field: Field) -> Answer | Awaitable[Answer]:
        if self.summary is not None and field in self.summary.known:
            return Answer(key=self.key, record=self.summary)
        return self.answer()

    def answer(self) -> Answer | Awaitable[Answer]:
        """The whole record, asked for once."""
        return self._answer or self._ask()

    @property
    def told(self) -> Answer | None:
        """What is known without asking (again)."""
        if self._answer is None and self.summary is not None:
            return Answer(key=self.key, record=self.summary)
        return self._answer

    async def _ask(self) -> Answer:
        started = time.monotonic()
        answer = await self.terms.within(self._context.records.load(self.key, self.terms.max_age_seconds))
        if answer is None:
            # It stays so for this answer, or its fields would not agree with each other.
            answer = Answer(key=self.key, failure=pending(self.key.provider), latency_ms=elapsed_ms(started))
        if answer.record is not None:
            answer = replace(answer, record=answer.record.informed_by(self.summary))
        self._answer = answer
        # A provider that merged the record answers with its new id; from here on that is its id.
        self.key = answer.key
        return answer


class ContactView:
    """One contact: its records in order of precedence. `selection` is what the operation asks of it."""

    def __init__(
        self,
        context: Context,
        family: Family,
        selection: Selection,
        summaries: Mapping[RecordKey, Record] | None = None,
        terms: Terms | None = None,
    ) -> None:
        by_key = summaries or {}
        keys = context.directory.in_order(family.members)
        self.records = [RecordView(context, key, by_key.get(key), gone=key in family.gone, terms=terms) for key in keys]
        self._anchor = self.records[keys.index(family.anchor)]
        self._selection = selection

    @property
    def anchor(self) -> RecordKey:
        return self._anchor.key

    def value(self, field: Field) -> Any:
        """The unified value, or the failure that stands in its place (the honest null)."""
        if field not in UNITED_FIELDS:
            first = next((record for record in self.records if record.holds(field)), None)
            # Nobody has to be asked, and nothing is united: what nearly every value of a list is.
            if first is not None and (told := first.told_value(field)) is not None:
                return told
        answers = [record.answer_for(field) for record in self._tellers(field)]
        known = [answer for answer in answers if isinstance(answer, Answer)]
        if len(known) == len(answers):
            return _unified_value(field, known)
        return self._awaited_value(field, answers)

    def _tellers(self, field: Field) -> list[RecordView]:
        """The records that can hold a field; whoever comes after a known single value need not be asked."""
        tellers: list[RecordView] = []
        for record in self.records:
            if record.holds(field):
                tellers.append(record)
                if field not in UNITED_FIELDS and record.knows_value(field):
                    break
        return tellers

    def _needs_asking(self, record: RecordView, asked: Selection) -> bool:
        if asked.asks_everybody:
            return record.summary is None
        own = frozenset(field for field in asked.fields if record in self._tellers(field))
        return record.needs_asking(own | asked.record_fields, raw=asked.raw)

    async def _awaited_value(self, field: Field, answers: list[Answer | Awaitable[Answer]]) -> Any:
        arrived = iter(await asyncio.gather(*(answer for answer in answers if not isinstance(answer, Answer))))
        every = [answer if isinstance(answer, Answer) else next(arrived) for answer in answers]
        return _unified_value(field, every)

    async def ask(self) -> None:
        """Calls every provider that the selection needs up front, all at once."""
        await self._ask(self._selection)

    async def ask_for_sources(self) -> None:
        """Sources that are put off themselves tell of everything that is."""
        await self._ask(self._selection if self._selection.sources else self._selection.whole)

    async def _ask(self, asked: Selection) -> None:
        needed = [record.answer() for record in self.records if self._needs_asking(record, asked)]
        await asyncio.gather(*(answer for answer in needed if not isinstance(answer, Answer)))

    def asked_records(self, asked: Selection) -> list[RecordView | Awaitable[RecordView]]:
        """Each record, once its provider has answered what is asked of it here or was asked up front."""
        return [
            _answered(record)
            if self._needs_asking(record, self._selection) or self._needs_asking(record, asked)
            else record
            for record in self.records
        ]

    @property
    def gone(self) -> bool:
        """Every record was asked for, and none is there any more."""
        return all(record.told is not None and record.told.gone for record in self.records)

    def sources(self) -> list[Source]:
        """How each record's provider answered; who was not asked is not named."""
        return [source_of(record.told) for record in self.records if record.told is not None]


async def _answered(record: RecordView) -> RecordView:
    answer = record.answer()
    if not isinstance(answer, Answer):
        await answer
    return record


def source_of(answer: Answer) -> Source:
    provider, latency_ms = answer.key.provider, answer.latency_ms
    if isinstance(answer.failure, OperationUnsupported):
        return skipped(answer.failure)
    if answer.failure is not None:
        return failed(answer.failure, latency_ms=latency_ms)
    state = SourceState.NOT_FOUND if answer.gone else SourceState.STALE if answer.stale_because else SourceState.OK
    return Source(
        provider=provider,
        state=state,
        failure=answer.stale_because,
        latency_ms=latency_ms,
        age_seconds=answer.age_seconds,
    )


def _own_value(answer: Answer, field: Field) -> Any:
    if answer.failure is not None:
        return answer.failure
    return answer.record.value(field) if answer.record is not None else None


async def _awaited_value(answer: Awaitable[Answer], field: Field) -> Any:
    return _own_value(await answer, field)


def _unified_value(field: Field, answers: list[Answer]) -> Any:
    try:
        return unified(field, answers)
    except ProviderFailure as failure:
        return failure
