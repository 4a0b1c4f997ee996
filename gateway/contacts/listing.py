"""Lists over several providers: dealt out in turn, linked records once, and a walk that survives a failure.

Rules: design section 8.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

from msgspec import Struct

from gateway.connectors.base import ContactFilter, PageRequest
from gateway.contacts.cursor import Mark, Position, Standing, Stretch, fingerprint, read_cursor
from gateway.contacts.dealing import Dealing, Edge, Edges, Item
from gateway.contacts.directory import Directory
from gateway.contacts.reading import Source, skipped
from gateway.contacts.terms import Terms
from gateway.contacts.walk import Walk, countable, standing
from gateway.domain.contact import Field, Provider, Record, RecordKey
from gateway.domain.errors import FieldUnsupported, InputProblem, InvalidInput
from gateway.store.links import Family, LinkStore

MAX_FIRST = 100
# It travels in a URL, which servers cut at some 8 KiB; percent-encoded, a character can take 12 bytes.
MAX_FILTER_CHARACTERS = 300


class Listing(Struct, frozen=True, kw_only=True):
    """`items` are those of the `edges`. `summaries` is all that the providers told on the way, linked records that
    stand elsewhere included; `families` are those of them that are linked. `count` counts the whole list: a look into
    the database for whoever asks."""

    items: Sequence[Item]
    edges: Iterable[Edge]
    summaries: tuple[Record, ...]
    families: Mapping[RecordKey, Family]
    sources: tuple[Source, ...]
    count: Callable[[], Awaitable[int | None]]
    has_next: bool
    end: Mark | None


class ListQuery(Struct, frozen=True, kw_only=True):
    """`after` is the cursor to go on from, `providers` None for every configured one, `fields` what will be read of the
    records, `raw` whether they will be shown as they were sent."""

    first: int
    after: str | None
    providers: Sequence[Provider] | None
    wanted: ContactFilter
    fields: frozenset[Field]
    raw: bool
    terms: Terms


class _Page(Struct, frozen=True, kw_only=True):
    """One page under way; `skipped` are the providers that cannot be asked."""

    targets: tuple[Provider, ...]
    walks: list[Walk]
    families: Mapping[RecordKey, Family]
    skipped: list[Source]
    turn: Provider | None
    arguments: str
    filtered: bool


class ContactLists:
    def __init__(self, directory: Directory, links: LinkStore) -> None:
        self._directory = directory
        self._links = links

    async def page(self, asked: ListQuery) -> Listing:
        """Up to `first` records and one failure per failed provider. Of a provider that does not answer in time there
        is nothing, and the list goes on where it stood.

        Raises:
            InvalidInput: for `first` out of range, a foreign cursor, a blank filter, or providers that
                cannot be asked.
        """
        page = self._open(asked)
        await _at_once([walk.load() for walk in page.walks])
        edges, end = await _deal(page.walks, asked.first, page.turn, page.arguments)
        return self._told(page, edges.items, edges, end)

    def stream(self, asked: ListQuery) -> Dealing[Listing]:
        """What `page` answers, its edges as the providers answer. Nobody is called before it is run.

        Raises:
            InvalidInput: as `page` does.
        """
        page = self._open(asked)

        async def finish(edges: Sequence[Edge], end: Mark) -> Listing:
            return self._told(page, [edge.item for edge in edges], edges, end)

        return Dealing(
            page.walks,
            first=asked.first,
            turn=page.turn,
            arguments=page.arguments,
            finish=finish,
        )

    def _open(self, asked: ListQuery) -> _Page:
        _check(asked.first, asked.wanted)
        named = self._directory.named(asked.providers, ("providers",))
        targets = tuple(provider for provider in self._directory.precedence if provider in named)
        arguments = fingerprint(targets, asked.wanted)
        standing = read_cursor(asked.after, arguments) if asked.after is not None else Standing({})
        request = PageRequest(limit=asked.first, filter=asked.wanted, wanted=asked.fields, raw=asked.raw)
        families: dict[RecordKey, Family] = {}
        walks, skipped_sources = self._walks(targets, request, standing.positions, asked.terms, families)
        return _Page(
            targets=targets,
            walks=walks,
            families=families,
            skipped=skipped_sources,
            turn=standing.turn,
            arguments=arguments,
            filtered=bool(asked.wanted.asked),
        )

    def _told(self, page: _Page, items: Sequence[Item], edges: Iterable[Edge], end: Mark) -> Listing:
        """What is known once the page has been dealt."""
        over = all(walk.is_over for walk in page.walks)
        by_provider = {source.provider: source for source in (*page.skipped, *(walk.source for walk in page.walks))}
        return Listing(
            items=items,
            edges=edges,
            summaries=tuple(chain.from_iterable([walk.fetched for walk in page.walks])),
            families=page.families,
            sources=tuple(by_provider[provider] for provider in page.targets),
            count=partial(self._total, page.walks, filtered=page.filtered),
            has_next=not over,
            end=end if items or not over else None,
        )

    def _walks(
        self,
        targets: Sequence[Provider],
        request: PageRequest,
        positions: Mapping[Provider, Position],
        terms: Terms,
        families: dict[RecordKey, Family],
    ) -> tuple[list[Walk], list[Source]]:
        """The walks of the providers that can be asked, and the sources of those that cannot. `families` gathers those
        of the records that are met."""
        walks: list[Walk] = []
        sources: list[Source] = []
        asked: set[Provider] = set()

        async def pick_shown(records: tuple[Record, ...]) -> Sequence[int]:
            linked = await self._links.linked([record.key for record in records])
            families.update(linked)
            places = range(len(records))
            return [place for place in places if self._appears(records[place].key, linked, asked)] if linked else places

        for provider in targets:
            position = positions.get(provider, Position())
            try:
                walks.append(Walk(self._directory.connector(provider), request, position, pick_shown, terms))
                asked.add(provider)
            except FieldUnsupported as failure:
                sources.append(skipped(failure))
        return walks, sources

    def _appears(self, key: RecordKey, linked: Mapping[RecordKey, Family], asked: set[Provider]) -> bool:
        return key not in linked or self._representative(linked[key], asked) == key

    def _representative(self, family: Family, asked: set[Provider]) -> object:
        """The record at whose place a contact appears: its anchor, or the first one that is listed at all."""
        there = family.members - family.gone
        if family.anchor in there and family.anchor.provider in asked:
            return family.anchor
        listed = (key for key in self._directory.in_order(there) if key.provider in asked)
        return next(listed, None)

    async def _total(self, walks: Sequence[Walk], *, filtered: bool) -> int | None:
        """Records are counted by the providers; a contact of several records counts once."""
        totals = [None if walk.failure else walk.position.total for walk in walks if not walk.skipped]
        known = [total for total in totals if total is not None]
        if len(known) < len(totals) or not totals:
            return None
        hidden = await self._links.count_hidden([walk.provider for walk in walks])
        if hidden and filtered:
            return None
        return countable(max(0, sum(known) - hidden))


async def _at_once(loads: Sequence[Coroutine[Any, Any, None]]) -> None:
    """One alone in this task, as `Terms.ask` does it."""
    if len(loads) == 1:
        await loads[0]
    else:
        await asyncio.gather(*loads)


async def _deal(walks: Sequence[Walk], first: int, turn: Provider | None, arguments: str) -> tuple[Edges, Mark]:
    """The edges, and where the list goes on after them.

    One record from each walk in turn; a walk that fails leaves one mark at its turn, one that is pending none.

    The turn goes on from page to page, so the order does not depend on the size of the pages.
    """
    edges = Edges(arguments)
    order = [walk.provider for walk in walks]
    start = order.index(turn) if turn in order else 0
    playing = [*walks[start:], *walks[:start]]
    dealt = 0
    while playing and dealt < first:
        walk = playing.pop(0)
        # Whoever is the last one is its own follower.
        run = await walk.take(1 if playing else first - dealt)
        if run is not None:
            playing.append(walk)
            dealt += len(run.records)
            turn = order[(order.index(walk.provider) + 1) % len(order)]
            edges.add(run.records, Stretch(standing(walks, turn), walk.provider, run.page, run.dealt))
        elif walk.failure and not (walk.skipped or walk.pending):
            edges.add([walk.failure], standing(walks, turn))
    return edges, Mark(arguments, standing(walks, turn))


def _check(first: int, wanted: ContactFilter) -> None:
    problems = []
    if not 1 <= first <= MAX_FIRST:
        message = f"must be 1 to {MAX_FIRST}; ask for more with after: endCursor"
        problems.append(InputProblem(path=("first",), code="OUT_OF_RANGE", message=message))
    for name in sorted(wanted.asked):
        value = getattr(wanted, name)
        if isinstance(value, str) and len(value) > MAX_FILTER_CHARACTERS:
            message = f"must not be longer than {MAX_FILTER_CHARACTERS} characters"
            problems.append(InputProblem(path=("filter", name.value), code="TOO_LONG", message=message))
        if isinstance(value, str) and not value.strip():
            problems.append(InputProblem(path=("filter", name.value), code="BLANK", message="must not be blank"))
    if problems:
        raise InvalidInput(*problems)
