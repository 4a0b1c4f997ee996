"""A contact as an operation sees it: one value out of those of its records."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from gateway.contacts.reading import Source, SourceState, failed, skipped
from gateway.contacts.terms import Terms
from gateway.domain.contact import Field, Record, RecordKey
from gateway.domain.errors import OperationUnsupported, ProviderFailure
from gateway.domain.merge import UNITED_FIELDS, Answer, of_one, unified
from gateway.store.links import Family, alone
from resolvers.context import Context
from resolvers.record_view import RecordView, answered
from resolvers.selection import Selection


class ContactView:
    """One contact: its records in order of precedence. `whose` is its family, or its one record where a list has told
    that and no link leads to another. `selection` is what the operation asks of it."""

    __slots__ = ("_context", "_known_family", "_readable", "_records", "_selection", "_summaries", "_summary", "_terms")

    def __init__(
        self,
        context: Context,
        whose: Family | Record,
        selection: Selection,
        summaries: Mapping[RecordKey, Record] | None = None,
        terms: Terms | None = None,
    ) -> None:
        self._context = context
        self._selection = selection
        self._summaries = summaries or {}
        self._terms = terms
        self._records: list[RecordView] | None = None
        # The record whose values are those of the contact: nearly everything that lists tell is told by these.
        self._summary: Record | None
        self._known_family: Family | None
        if isinstance(whose, Family):
            self._known_family, first = whose, whose.anchor
            self._summary = self._summaries.get(first) if len(whose.members) == 1 else None
        else:
            self._known_family, self._summary, first = None, whose, whose.key
        # What the provider of the first record holds.
        self._readable = context.use_cases.directory.readable[first.provider]

    @property
    def _family(self) -> Family:
        if self._known_family is None:
            assert self._summary is not None, "whoever gives no family gives the record"
            self._known_family = alone(self._summary.key)
        return self._known_family

    @property
    def records(self) -> list[RecordView]:
        if self._records is None:
            self._records = [self._record(key) for key in self._context.directory.in_order(self._family.members)]
        return self._records

    def _record(self, key: RecordKey) -> RecordView:
        summary, gone = self._summaries.get(key), key in self._family.gone
        return RecordView(self._context, key, summary, gone=gone, terms=self._terms)

    @property
    def anchor(self) -> RecordKey:
        if self._records is None:
            return self._summary.key if self._summary is not None else self._family.anchor
        # A provider may have merged the record meanwhile.
        return self._records[self._context.directory.in_order(self._family.members).index(self._family.anchor)].key

    def teller(self, fields: frozenset[Field]) -> Record | None:
        """The record whose own values and id are those of the contact, where it is the only one and all of them are
        known."""
        summary = self._summary
        if summary is not None and self._records is None and fields <= summary.known and fields <= self._readable:
            return summary
        return None if len(self._family.members) > 1 else self.records[0].teller(fields)

    def value(self, field: Field) -> Any:
        """The unified value, or the failure that stands in its place (the honest null)."""
        if self._summary is not None and field in self._summary.known and field in self._readable:
            return of_one(field, self._summary.value(field))
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
        if len(self.records) == 1:
            return record.needs_asking(asked.every_field, raw=asked.raw)
        own = frozenset(field for field in asked.fields if record in self._tellers(field))
        return record.needs_asking(own | asked.record_fields, raw=asked.raw)

    async def _awaited_value(self, field: Field, answers: list[Answer | Awaitable[Answer]]) -> Any:
        arrived = iter(await asyncio.gather(*(answer for answer in answers if not isinstance(answer, Answer))))
        every = [answer if isinstance(answer, Answer) else next(arrived) for answer in answers]
        return _unified_value(field, every)

    def ask(self) -> Awaitable[None]:
        """Calls every provider that the selection needs up front, all at once."""
        return self._ask(self._selection)

    def ask_for_sources(self) -> Awaitable[None]:
        """Sources that are put off themselves tell of everything that is."""
        return self._ask(self._selection if self._selection.sources else self._selection.whole)

    async def _ask(self, asked: Selection) -> None:
        needed = [record for record in self.records if self._needs_asking(record, asked)]
        for record in needed:
            record.begin()
        for record in needed:
            await answered(record)

    def asked_records(self, asked: Selection) -> list[RecordView | Awaitable[RecordView]]:
        """Each record, once its provider has answered what is asked of it here or was asked up front."""
        return [
            answered(record)
            if self._needs_asking(record, self._selection) or self._needs_asking(record, asked)
            else record
            for record in self.records
        ]

    @property
    def gone(self) -> bool:
        """Every record was asked for, and none is there any more."""
        for record in self.records:
            told = record.told
            if told is None or not told.gone:
                return False
        return True

    def sources(self) -> list[Source]:
        """How each record's provider answered; who was not asked is not named."""
        return [source_of(record.told) for record in self.records if record.told is not None]


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


def _unified_value(field: Field, answers: list[Answer]) -> Any:
    try:
        return unified(field, answers)
    except ProviderFailure as failure:
        return failure
