"""A record as an operation sees it: what is known of it already, and what has to be asked for.

A value comes back at once where it is known and as an awaitable where a provider has to be called; a
failure comes back as the exception itself, which GraphQL execution raises at the right path.
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from msgspec.structs import replace

from gateway.contacts.reading import elapsed_ms
from gateway.contacts.terms import Terms, pending
from gateway.domain.contact import Field, Record, RecordKey
from gateway.domain.merge import Answer
from resolvers.context import Context


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
        self._readable = context.use_cases.directory.readable[key.provider]
        # Deleted through this gateway: nobody has to be asked whether it is there.
        self._answer = Answer(key=key) if gone else None
        self._summed_up: Answer | None = None
        self._began: float | None = None

    def holds(self, field: Field) -> bool:
        return field in self._readable

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
        if not known.issuperset(fields & self._readable):
            return True
        return raw and not (self.summary and self.summary.raw)

    def value(self, field: Field) -> Any:
        """The record's own value; None where the provider does not hold the field."""
        if not self.holds(field):
            return None
        answer = self.answer_for(field)
        return _own_value(answer, field) if isinstance(answer, Answer) else _awaited_value(answer, field)

    def teller(self, fields: frozenset[Field]) -> Record | None:
        """Where the values of all these fields and the id stand, if they are known."""
        if not fields <= self._readable:
            return None
        if self.summary is not None:
            record = self.summary if fields <= self.summary.known else None
        else:
            record = self._answer.record if self._answer is not None else None
        # Its provider may tell it by a new id, or by the one that took its place.
        return record if record is not None and record.key == self.key else None

    def answer_for(self, field: Field) -> Answer | Awaitable[Answer]:
        if self.summary is not None and field in self.summary.known:
            if self._summed_up is None:
                self._summed_up = Answer(key=self.key, record=self.summary)
            return self._summed_up
        return self.answer()

    def answer(self) -> Answer | Awaitable[Answer]:
        """The whole record, asked for once."""
        return self._answer or self._ask()

    def begin(self) -> None:
        """Asks for the whole record, so that the answer is under way when somebody waits for it."""
        if self._answer is None:
            self._began = time.monotonic()
            self._load()

    @property
    def told(self) -> Answer | None:
        """What is known without asking (again)."""
        if self._answer is None and self.summary is not None:
            return Answer(key=self.key, record=self.summary)
        return self._answer

    def _load(self) -> "asyncio.Future[Answer]":
        return self._context.records.load(self.key, self.terms.max_age_seconds)

    async def _ask(self) -> Answer:
        started = self._began or time.monotonic()
        answer = await self.terms.within(self._load())
        if answer is None:
            # It stays so for this answer, or its fields would not agree with each other.
            answer = Answer(key=self.key, failure=pending(self.key.provider), latency_ms=elapsed_ms(started))
        if answer.record is not None and self.summary is not None:
            answer = replace(answer, record=answer.record.informed_by(self.summary))
        self._answer = answer
        # A provider that merged the record answers with its new id; from here on that is its id.
        self.key = answer.key
        return answer


async def answered(record: RecordView) -> RecordView:
    answer = record.answer()
    if not isinstance(answer, Answer):
        await answer
    return record


def _own_value(answer: Answer, field: Field) -> Any:
    if answer.failure is not None:
        return answer.failure
    return answer.record.value(field) if answer.record is not None else None


async def _awaited_value(answer: Awaitable[Answer], field: Field) -> Any:
    return _own_value(await answer, field)
