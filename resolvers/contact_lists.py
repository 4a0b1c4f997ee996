"""What a list of contacts answers: a page of them (Relay), or everything that was found."""

from typing import Any

import strawberry

from gateway.contacts.listing import Listing
from gateway.contacts.reading import Matches
from gateway.domain.contact import Record
from gateway.domain.errors import GatewayError
from resolvers.contact import Contact
from resolvers.cost_directives import at_most
from resolvers.faults import Source


@strawberry.type(description="Where a page of a list stands in the whole (Relay).")
class PageInfo:
    has_next_page: bool = strawberry.field(
        description="Whether there is more; stays true while a provider fails, so that the walk can be taken up."
    )
    has_previous_page: bool = strawberry.field(description="Whether the page came after another one.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first contact.")
    end_cursor: str | None = strawberry.field(description="Where to go on: give it as `after`.")


@strawberry.type(description="A contact in a list, and where it stands.")
class ContactEdge:
    cursor: str = strawberry.field(description="Where the list goes on after this contact.")
    node: Contact = strawberry.field(description="The contact.")


def _edges(root: "ContactConnection") -> Any:
    return [
        contact if isinstance(contact, GatewayError) else ContactEdge(cursor=edge.cursor, node=contact)
        for edge, contact in zip(root.listing.edges, root.contacts, strict=True)
    ]


def _nodes(root: "ContactConnection") -> Any:
    return root.contacts


def _page_info(root: "ContactConnection") -> PageInfo:
    cursors = [edge.cursor for edge in root.listing.edges if isinstance(edge.item, Record)]
    return PageInfo(
        has_next_page=root.listing.has_next,
        has_previous_page=root.after is not None,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=root.listing.end_cursor,
    )


def _listed_sources(root: "ContactConnection") -> Any:
    return list(root.listing.sources)


@strawberry.type(description="A page of contacts from several providers, dealt out in turn (Relay).")
class ContactConnection:
    listing: strawberry.Private[Listing]
    contacts: strawberry.Private[list[Any]]
    after: strawberry.Private[str | None]
    edges: list[ContactEdge | None] = strawberry.field(
        resolver=_edges,
        description="An edge is null, with an error, in the place of a provider that could not be listed.",
    )
    nodes: list[Contact | None] = strawberry.field(
        resolver=_nodes, description="The contacts of the edges, null at the same places."
    )
    page_info: PageInfo = strawberry.field(resolver=_page_info, description="Where this page stands.")
    total_count: int | None = strawberry.field(
        resolver=lambda root: root.listing.total,
        graphql_type=int | None,
        description="How many contacts the whole list has; null when a provider in it does not say.",
    )
    sources: list[Source] = strawberry.field(
        resolver=_listed_sources, description="How each provider answered.", directives=[at_most(3)]
    )


def _found_sources(root: "ContactMatches") -> Any:
    return list(root.matches.sources)


@strawberry.type(description="What was found, and who could say so.")
class ContactMatches:
    matches: strawberry.Private[Matches]
    contacts: list[Contact] = strawberry.field(description="Every contact that was found.", directives=[at_most(10)])
    sources: list[Source] = strawberry.field(
        resolver=_found_sources,
        description="How each provider answered; one that cannot look is SKIPPED.",
        directives=[at_most(3)],
    )
