"""What one GraphQL request carries: the use cases, and loaders that live as long as the request."""

from dataclasses import dataclass, field
from typing import TypeAlias

import strawberry

from gateway.contacts.directory import Directory
from gateway.contacts.lingering import Calls, Lingering
from gateway.contacts.linking import Linking
from gateway.contacts.listing import ContactLists
from gateway.contacts.preview import Previewing
from gateway.contacts.reading import Reading
from gateway.contacts.terms import Terms
from gateway.contacts.writing import Writing
from gateway.domain.caller import Caller
from gateway.resilience.status import StatusBoard
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
    lingering: Lingering


@dataclass(slots=True)
class Context:
    """Made anew for every request: nothing in it is shared between two callers.

    `idempotency_key` is that of the request's header. `terms` are those of a field that says nothing else.
    """

    use_cases: UseCases
    caller: Caller
    idempotency_key: str | None = None
    calls: Calls = field(init=False)
    terms: Terms = field(init=False)
    records: RecordLoader = field(init=False)
    families: FamilyLoader = field(init=False)

    def __post_init__(self) -> None:
        self.calls = self.use_cases.lingering.calls()
        self.terms = Terms(calls=self.calls)
        self.records = RecordLoader(self.use_cases.reading, self.calls)
        self.families = FamilyLoader(self.use_cases.reading)

    @property
    def directory(self) -> Directory:
        return self.use_cases.directory


Info: TypeAlias = strawberry.Info[Context, None]
