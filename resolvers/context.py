"""What one GraphQL request carries: the use cases, and loaders that live as long as the request."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

import strawberry

from gateway.contacts.changes import Changes
from gateway.contacts.directory import Directory
from gateway.contacts.lingering import Lingering
from gateway.contacts.linking import Linking
from gateway.contacts.listing import ContactLists
from gateway.contacts.preview import Previewing
from gateway.contacts.reading import Reading
from gateway.contacts.terms import Terms
from gateway.contacts.writing import Writing
from gateway.domain.caller import Caller
from gateway.resilience.standing import StatusBoard
from resolvers.loaders import FamilyLoader, RecordLoader


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """Made once, at the start."""

    directory: Directory
    reading: Reading
    lists: ContactLists
    writing: Writing
    previewing: Previewing
    linking: Linking
    statuses: StatusBoard
    changes: Changes
    lingering: Lingering


class Context:
    """Made anew for every request: nothing in it is shared between two callers.

    `idempotency_key` is that of the request's header. `in_parts` is whether `@defer` and `@stream` count. `terms` are
    those of a field that says nothing else.
    """

    __slots__ = (
        "_beside",
        "caller",
        "calls",
        "families",
        "idempotency_key",
        "in_parts",
        "records",
        "terms",
        "use_cases",
    )

    def __init__(
        self, use_cases: UseCases, caller: Caller, idempotency_key: str | None = None, *, in_parts: bool = False
    ) -> None:
        self.use_cases, self.caller = use_cases, caller
        self.idempotency_key, self.in_parts = idempotency_key, in_parts
        self.calls = use_cases.lingering.calls()
        self.terms = Terms(calls=self.calls)
        self.records = RecordLoader(use_cases.reading, self.calls)
        self.families = FamilyLoader(use_cases.reading)
        self._beside: set[asyncio.Task[None]] = set()

    @property
    def directory(self) -> Directory:
        return self.use_cases.directory

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """What goes on beside the resolvers, at most as long as the operation."""
        self._beside.add(asyncio.create_task(work))

    async def end(self, *, answered: bool) -> None:
        """Cancels what is still under way, and waits until it has ended; calls that an answer did not wait for go on
        after it."""
        if self._beside:
            for task in self._beside:
                task.cancel()
            await asyncio.gather(*self._beside, return_exceptions=True)
        if answered:
            self.calls.hand_over()
        else:
            await self.calls.break_off()


Info: TypeAlias = strawberry.Info[Context, None]
