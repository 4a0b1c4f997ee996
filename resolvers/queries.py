"""The queries: translate the arguments, delegate, translate the answer."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry import UNSET

from gateway.connectors.base import ContactFilter as DomainFilter
from gateway.contacts.dealing import Edge
from gateway.contacts.listing import ListQuery
from gateway.contacts.terms import Terms
from gateway.domain.contact import ContactStatus, Provider, Record, RecordKey
from gateway.domain.errors import GatewayError, InputProblem, InvalidInput
from gateway.domain.identity import NodeType
from gateway.store.links import Family
from resolvers.contact import Contact, ContactRecord, Node
from resolvers.contact_lists import ContactConnection, ContactMatches, StreamedPage
from resolvers.context import Info
from resolvers.cost_directives import at_most, cost, sliced_by
from resolvers.input_reading import read_at_once
from resolvers.listed_contacts import ListedContacts
from resolvers.providers import ProviderInfo, list_providers
from resolvers.read_terms import MaxAgeSeconds, MaxWaitMs, read_terms
from resolvers.record_view import RecordView
from resolvers.selection import Selection, contact_selection, record_selection, streams
from resolvers.views import ContactView

MAX_NODES = 100

T = TypeVar("T")

Providers = Annotated[
    list[Provider] | None,
    strawberry.argument(description="Whom to ask; every configured provider when left out."),
]


@strawberry.input(description="What a list is narrowed to; all given conditions have to hold.")
class ContactFilter:
    search: strawberry.Maybe[str | None] = strawberry.field(
        description="A text in the name or an email address (at Gately in the company too)."
    )
    status: strawberry.Maybe[ContactStatus | None] = strawberry.field(description="The status.")
    stage: strawberry.Maybe[str | None] = strawberry.field(description="The stage, in the provider's own word.")
    tag: strawberry.Maybe[str | None] = strawberry.field(description="The name of a tag.")

    def to_domain(self) -> DomainFilter:
        given = {"search": self.search, "status": self.status, "stage": self.stage, "tag": self.tag}
        return DomainFilter(**{name: some.value for name, some in given.items() if some is not None})  # type: ignore[arg-type]


read_at_once(ContactFilter)


async def contact(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="A contact's id, or that of one of its records.")],
    max_age_seconds: MaxAgeSeconds = UNSET,
    max_wait_ms: MaxWaitMs = UNSET,
) -> Contact | None:
    terms = read_terms(info, _given(max_age_seconds), _given(max_wait_ms))
    key = info.context.directory.read_id(id, ("id",)).key
    return await existing_contact(info, key, contact_selection(info._raw_info, ()), terms)


async def node(
    info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The id of a contact or a record.")]
) -> Node | None:
    found: Node | None = await _node(info, id, ("id",))
    return found


async def nodes(
    info: Info,
    ids: Annotated[list[strawberry.ID], strawberry.argument(description="Up to 100 ids.")],
) -> list[Node | None]:
    if len(ids) > MAX_NODES:
        message = f"must not hold more than {MAX_NODES} ids"
        raise InvalidInput(InputProblem(path=("ids",), code="OUT_OF_RANGE", message=message))
    pending = [_node(info, one, ("ids", str(place))) for place, one in enumerate(ids)]
    # One bad id is its own error, at its own place.
    found: list[Any] = await asyncio.gather(*(_or_error(one) for one in pending))
    return found


async def contacts_by_email(
    info: Info,
    email: Annotated[str, strawberry.argument(description="The whole address; upper and lower case are equal.")],
    providers: Providers = UNSET,
    max_age_seconds: MaxAgeSeconds = UNSET,
    max_wait_ms: MaxWaitMs = UNSET,
) -> ContactMatches | None:
    terms = read_terms(info, _given(max_age_seconds), _given(max_wait_ms))
    matches = await info.context.use_cases.reading.by_email(email, _given(providers), terms)
    selection = contact_selection(info._raw_info, ("contacts",))
    families = await info.context.families.load_many([record.key for record in matches.records])
    by_key = {record.key: record for record in matches.records}
    by_anchor: dict[RecordKey, Family] = {family.anchor: family for family in families}
    views = [ContactView(info.context, family, selection, by_key, terms) for family in by_anchor.values()]
    contacts = [Contact(view=view) for view in views]
    return ContactMatches(matches=matches, contacts=contacts)


async def contacts(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many contacts at most, 1 to 100.")] = 20,
    after: Annotated[str | None, strawberry.argument(description="The endCursor of the page before.")] = UNSET,
    providers: Providers = UNSET,
    filter: Annotated[ContactFilter | None, strawberry.argument(description="What to list only.")] = UNSET,
    max_age_seconds: MaxAgeSeconds = UNSET,
    max_wait_ms: MaxWaitMs = UNSET,
) -> ContactConnection | None:
    terms = read_terms(info, _given(max_age_seconds), _given(max_wait_ms))
    selection = contact_selection(info._raw_info, ("edges", "node"), ("nodes",))
    asked = ListQuery(
        first=first,
        after=_given(after),
        providers=_given(providers),
        wanted=filter.to_domain() if filter else DomainFilter(),
        fields=selection.whole.every_field,
        raw=selection.whole.raw,
        terms=terms,
    )
    if streams(info._raw_info, "edges", "nodes"):
        return _streamed(info, asked, selection)
    listing = await info.context.use_cases.lists.page(asked)
    found = ListedContacts(info.context, listing, selection, terms)
    return ContactConnection(listing=listing, contacts=found, after=_given(after))


def _streamed(info: Info, asked: ListQuery, selection: Selection) -> ContactConnection:
    dealing = info.context.use_cases.lists.stream(asked)
    info.context.begin(dealing.run())

    def listed(edge: Edge) -> Any:
        return _listed(info, edge, selection, dealing.summaries, asked.terms)

    return ContactConnection(listing=StreamedPage(dealing, listed), contacts=[], after=asked.after)


def _given(argument: T | None) -> T | None:
    """An argument that was left out counts as null; its default stays out of the schema."""
    return None if argument is UNSET else argument


async def existing_contact(
    info: Info, key: RecordKey, selection: Selection, terms: Terms | None = None
) -> Contact | None:
    """The contact, with everything asked for that is selected; None when every record of it is gone."""
    family = await info.context.families.load(key)
    view = ContactView(info.context, family, selection, terms=terms)
    await view.ask()
    return None if view.gone else Contact(view=view)


async def _node(info: Info, id: str, path: tuple[str, ...]) -> Any:
    parsed = info.context.directory.read_id(id, path)
    if parsed.type is NodeType.CONTACT:
        return await existing_contact(info, parsed.key, contact_selection(info._raw_info, ()))
    record = RecordView(info.context, parsed.key)
    asked = record_selection(info._raw_info)
    if record.needs_asking(asked.record_fields, raw=asked.raw):
        answer = await info.context.records.load(parsed.key)
        if answer.record is None:
            return answer.failure
    return ContactRecord(view=record)


async def _or_error(pending: Any) -> Any:
    try:
        return await pending
    except GatewayError as error:
        return error


async def _listed(
    info: Info, edge: Edge, selection: Selection, summaries: Mapping[RecordKey, Record], terms: Terms
) -> Any:
    """The contact of an edge, or the failure that stands in the place of a provider."""
    if not isinstance(edge.item, Record):
        return edge.item
    family = await info.context.families.load(edge.item.key)
    return Contact(view=ContactView(info.context, family, selection, summaries, terms))


@strawberry.type(description="Everything that can be read.")
class Query:
    node: Node | None = strawberry.field(
        resolver=node, description="Fetches anything by its id (Relay).", directives=[cost(10)]
    )
    nodes: list[Node | None] = strawberry.field(
        resolver=nodes,
        description="Fetches several by their ids, in that order (Relay).",
        # The length of `ids` would say it; a slicing argument has to be an integer.
        directives=[at_most(MAX_NODES), cost(30)],
    )
    contact: Contact | None = strawberry.field(
        resolver=contact,
        description="One contact. Null, without an error, when every one of its records is gone.",
        directives=[cost(10)],
    )
    contacts_by_email: ContactMatches | None = strawberry.field(
        resolver=contacts_by_email,
        description="Every contact with exactly this address. A provider that cannot look an email up is"
        " SKIPPED in sources.",
        directives=[cost(10)],
    )
    contacts: ContactConnection | None = strawberry.field(
        resolver=contacts,
        description="Contacts of all providers, one from each in turn; linked records appear once.",
        directives=[sliced_by("first", "edges", "nodes"), cost(30)],
    )
    providers: list[ProviderInfo] = strawberry.field(
        resolver=list_providers,
        description="Every provider and what it can do, in order of precedence.",
        directives=[at_most(3)],
    )
