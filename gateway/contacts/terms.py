"""On what terms a field is read: how old its records may be, and how long it waits for providers."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from msgspec import Struct

from gateway.contacts.containment import contained
from gateway.contacts.lingering import Calls
from gateway.domain.contact import Provider
from gateway.domain.errors import AnswerPending
from gateway.resilience.waiting import ends_within

T = TypeVar("T")


class Terms(Struct, frozen=True, kw_only=True):
    """`max_age_seconds` None: as old as the settings allow. `until` is a reading of the monotonic clock; None: a field
    waits as long as the operation may take."""

    calls: Calls
    max_age_seconds: int | None = None
    until: float | None = None

    async def within(self, answer: "asyncio.Future[T]") -> T | None:
        """The answer, or None when it is not there in time; it stays under way then."""
        clocks = self.calls.clocks
        left = None if self.until is None else self.until - clocks.monotonic()
        if left is None or left > 0:
            await ends_within(answer, left, clocks)
        else:
            # One turn of the loop: what needs no call is there after it.
            await asyncio.sleep(0)
        return answer.result() if answer.done() else None

    async def ask(self, provider: Provider, call: Coroutine[Any, Any, T]) -> T:
        """
        Raises:
            AnswerPending: when the answer is not there in time; the call goes on.
            ProviderFailure: as the call does, and in the place of whatever nobody expected.
        """
        if self.until is None:
            # In the task of who waits, which goes on with a page as soon as it has been read. Another task's turn would
            # come after the pages of others, when this one has left the processor's caches (docs/adr/0026).
            return await _contained(provider, call)
        answered = await self.within(self.calls.start(_contained(provider, call)))
        if answered is None:
            raise pending(provider)
        return answered


async def _contained(provider: Provider, call: Coroutine[Any, Any, T]) -> T:
    with contained(provider):
        return await call


def pending(provider: Provider) -> AnswerPending:
    message = "The provider had not answered when the time given as maxWaitMs was over. Ask again shortly."
    return AnswerPending(provider, message)
