"""What a list of contacts answers: a page of them (Relay), or everything that was found."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Any, TypeVar

import strawberry

from gateway.contacts.cursor import Mark
from gateway.contacts.dealing import Dealing, Edge
from gateway.contacts.listing import Listing
from gateway.contacts.reading import Matches
from gateway.domain.contact import Record
from gateway.domain.errors import GatewayError
from resolvers.contact import Contact
from resolvers.cost_directives import at_most
from resolvers.faults import Source

T = TypeVar("T")


def _start_cursor(root: "PageInfo") -> str | None:
    return str(root.start) if root.start else None


def _end_cursor(root: "PageInfo") -> str | None:
    return str(root.end) if root.end else None


@strawberry.type(description="Where a page of a list stands in the whole (Relay).")
class PageInfo:
    start: strawberry.Private[Mark | None]
    end: strawberry.Private[Mark | None]
    has_next_page: bool = strawberry.field(
        description="Whether there is more; stays true while a provider fails, so that the walk can be taken up."
    )
    has_previous_page: bool = strawberry.field(description="Whether the page came after another one.")
    start_cursor: str | None = strawberry.field(resolver=_start_cursor, description="The cursor of the first contact.")
    end_cursor: str | None = strawberry.field(resolver=_end_cursor, description="Where to go on: give it as `after`.")


def _edge_cursor(root: "ContactEdge") -> str:
    return str(root.mark)


@strawberry.type(description="A contact in a list, and where it stands.")
class ContactEdge:
    mark: strawberry.Private[Mark]
    cursor: str = strawberry.field(resolver=_edge_cursor, description="Where the list goes on after this contact.")
    node: Contact = strawberry.field(description="The contact.")


class StreamedPage:
    """A page under way: its contacts as they are dealt, everything else when it has been dealt."""

    def __init__(self, dealing: Dealing[Listing], listed: Callable[[Edge], Awaitable[Any]]) -> None:
        self._dealing = dealing
        self._listed = listed

    async def each(self, make: Callable[[Edge, Any], T]) -> AsyncGenerator[T, None]:
        dealt = 0
        while edges := await self._dealing.after(dealt):
            dealt += len(edges)
            contacts = await asyncio.gather(*(self._listed(edge) for edge in edges))
            for edge, contact in zip(edges, contacts, strict=True):
                yield make(edge, contact)

    async def told(self, tell: Callable[[Listing], T]) -> T:
        return tell(await self._dealing.result())


def _edge(edge: Edge, contact: Any) -> Any:
    return contact if isinstance(contact, GatewayError) else ContactEdge(mark=edge.mark, node=contact)


def _edges(root: "ContactConnection") -> Any:
    if isinstance(root.listing, StreamedPage):
        return root.listing.each(_edge)
    return [_edge(edge, contact) for edge, contact in zip(root.listing.edges, root.contacts, strict=True)]


def _nodes(root: "ContactConnection") -> Any:
    if isinstance(root.listing, StreamedPage):
        return root.listing.each(lambda _, contact: contact)
    return root.contacts


def _tell(root: "ContactConnection", tell: Callable[[Listing], Any]) -> Any:
    return root.listing.told(tell) if isinstance(root.listing, StreamedPage) else tell(root.listing)


def _page_info(root: "ContactConnection") -> Any:
    def told(listing: Listing) -> PageInfo:
        return PageInfo(
            start=next((edge.mark for edge in listing.edges if isinstance(edge.item, Record)), None),
            end=listing.end,
            has_next_page=listing.has_next,
            has_previous_page=root.after is not None,
        )

    return _tell(root, told)


async def _total_count(root: "ContactConnection") -> int | None:
    listing = await root.listing.told(lambda told: told) if isinstance(root.listing, StreamedPage) else root.listing
    return await listing.count()


def _listed_sources(root: "ContactConnection") -> Any:
    return _tell(root, lambda listing: list(listing.sources))


@strawberry.type(description="A page of contacts from several providers, dealt out in turn (Relay).")
class ContactConnection:
    listing: strawberry.Private[Listing | StreamedPage]
    contacts: strawberry.Private[Iterable[Any]]
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
        resolver=_total_count,
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
