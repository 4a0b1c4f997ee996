"""The one face of every provider: what it can do, as data, and the calls it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct

from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import LIST_FIELDS, ContactStatus, Field, Provider, Record
from gateway.domain.errors import InputProblem
from gateway.domain.exchange import Call, CallKind
from gateway.domain.writes import WriteAction, WriteWarning
from gateway.resilience.standing import Standing


class FilterName(StrEnum):
    SEARCH = "search"
    STATUS = "status"
    STAGE = "stage"
    TAG = "tag"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCapability:
    """What a provider can do with one unified field.

    `writable` is for a creation, `updatable` for an update, `clearable` for a null in an update;
    `max_items` is how many items of a list it keeps (None: no limit known); `keeps_left_out`, whether items that a
    new list leaves out may stay.
    """

    readable: bool = False
    writable: bool = False
    updatable: bool = False
    clearable: bool = False
    max_items: int | None = None
    required_on_create: bool = False
    keeps_left_out: bool = False

    @property
    def held(self) -> bool:
        return self.readable or self.writable or self.updatable

    @property
    def read_only(self) -> bool:
        return self.readable and not self.writable and not self.updatable


NOT_HELD = FieldCapability()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Everything a caller may know beforehand; a test holds it against what the mapping does.

    `replaces_ids` says that a record may answer under another id than it was asked for by. What a creation or an update
    may hold of the fields `created_whole` and `updated_whole` goes there as it is.
    """

    provider: Provider
    display_name: str
    operations: frozenset[CallKind]
    fields: Mapping[Field, FieldCapability]
    filters: frozenset[FilterName]
    replaces_ids: bool = False
    readable: frozenset[Field] = field(init=False)
    created_whole: frozenset[Field] = field(init=False)
    updated_whole: frozenset[Field] = field(init=False)

    def __post_init__(self) -> None:
        whole = {name: can for name, can in self.fields.items() if name not in LIST_FIELDS or can.max_items != 1}
        for found, names in (
            ("readable", (name for name, can in self.fields.items() if can.readable)),
            ("created_whole", (name for name, can in whole.items() if can.writable)),
            ("updated_whole", (name for name, can in whole.items() if can.updatable)),
        ):
            object.__setattr__(self, found, frozenset(names))

    def of(self, field: Field) -> FieldCapability:
        return self.fields.get(field, NOT_HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFilter:
    """What a list is narrowed to; all given conditions have to hold. None: not `asked` for."""

    search: str | None = None
    status: ContactStatus | None = None
    stage: str | None = None
    tag: str | None = None
    asked: frozenset[FilterName] = field(init=False)

    def __post_init__(self) -> None:
        asked = frozenset(name for name in FilterName if getattr(self, name) is not None)
        object.__setattr__(self, "asked", asked)


class PageRequest(Struct, frozen=True, kw_only=True):
    """One page of a provider's list. `token` is that of the page before, None for the first page;
    `wanted` lets a provider add to its summaries what the caller is going to read, and `raw` is whether that is the
    items as they were sent too."""

    limit: int
    token: str | None = None
    filter: ContactFilter = ContactFilter()
    wanted: frozenset[Field] = frozenset()
    raw: bool = True


class RecordPage(Struct, frozen=True, kw_only=True):
    """`token` asks for this same page again; `next_token` is None on the last page; `total` is None where
    the provider does not tell."""

    records: tuple[Record, ...]
    token: str
    next_token: str | None
    total: int | None


class Planned(Struct, frozen=True, kw_only=True):
    """A write as its fields would be sent. Problems mean that it may not be sent at all."""

    body: dict[str, Any]
    warnings: tuple[WriteWarning, ...] = ()
    problems: tuple[InputProblem, ...] = ()


class Prepared(Struct, frozen=True, kw_only=True):
    """A write as it would be sent, call by call, in order; the very calls that the write itself sends."""

    calls: tuple[Call, ...]
    warnings: tuple[WriteWarning, ...] = ()


class Updated(Struct, frozen=True, kw_only=True):
    """What an update did. `record` knows only what the answer told."""

    record: Record
    action: WriteAction = WriteAction.UPDATED
    warnings: tuple[WriteWarning, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A creation of which nobody knows whether it happened: what was wanted, and since when it may exist."""

    draft: Draft
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a look for a lost creation found.

    `created`: records that are it, as far as anybody can tell, oldest first. `before`: records that were
    there already and rule it out, because the provider allows no second one. `doubtful`: records that may be
    it or may be older; the provider tells nothing that would decide. All empty: it is not there.
    """

    created: tuple[Record, ...] = ()
    before: tuple[Record, ...] = ()
    doubtful: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What an upsert recognises a contact by: any of these. None and empty: not by this."""

    emails: tuple[str, ...] = ()
    external_id: str | None = None


class Connector(Protocol):
    """One provider's API. Every method that calls may raise any ProviderFailure; reads raise
    RecordNotFound where there is no such record. Drafts and patches come screened: they hold only
    fields that the capabilities allow."""

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def standing(self) -> Standing:
        """How the provider stands at present."""

    def id_problem(self, remote_id: str) -> str | None:
        """Why this text can be no id of this provider, or None. Guards the URL that it becomes part of."""

    async def read(self, remote_id: str) -> Record:
        """The whole record. Its key differs from the one asked for when the provider merged it away."""

    async def list_page(self, request: PageRequest) -> RecordPage:
        """Summaries, in the provider's own order.

        Raises:
            FieldUnsupported: for a filter value that this provider has no word for.
        """

    async def find_by_email(self, address: str) -> tuple[Record, ...]:
        """Summaries of the records with exactly this address; upper and lower case are equal."""

    def plan_create(self, draft: Draft) -> Planned:
        """What `create` would send; pure."""

    async def create(self, draft: Draft, planned: Planned | None = None) -> Record:
        """Creates and returns what the answer tells; never sent twice. `planned` is what `plan_create` said of this
        draft, from whoever has asked for it already."""

    def prepare_create(self, draft: Draft) -> Prepared:
        """The calls that `create` would send; pure."""

    def plan_update(self, patch: Patch) -> Planned:
        """What can be said of an update before the record is read; pure."""

    async def prepare_update(self, remote_id: str, patch: Patch) -> Prepared:
        """What `update` would send, in order, after reading what it would read; it writes nothing."""

    async def update(self, remote_id: str, patch: Patch) -> Updated:
        """Changes only what the patch mentions, reading first what can only be written whole."""

    async def delete(self, remote_id: str) -> None:
        """Deletes for good."""

    async def find_created(self, sought: Sought) -> Sighting:
        """Looks for a creation whose answer was lost. Everything there is has to be looked through: an
        empty Sighting lets the creation be sent again."""

    async def find_matches(self, match: Match) -> tuple[Record, ...]:
        """Summaries of every record that an upsert would mean.

        Raises:
            FieldUnsupported: when the provider cannot recognise a contact by any of what is given.
            ListTruncated: when more contacts would have to be looked through than is sensible.
        """

    async def aclose(self) -> None:
        """Closes the connections."""
