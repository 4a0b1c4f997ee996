"""A page of a list that is dealt out as providers answer, so that nobody's contacts wait for somebody else's provider.

Design section 8 deals in turn; here who has answered deals its share at once, and what is left of the page is dealt in
turn when everybody has answered. The cursor holds one position per provider, so a walk may change between the two ways.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import pairwise
from typing import Generic, TypeAlias, TypeVar

from msgspec import Struct

from gateway.contacts.cursor import Mark, Standing, Stretch
from gateway.contacts.walk import Walk, standing
from gateway.domain.contact import Provider, Record, RecordKey
from gateway.domain.errors import ProviderFailure

R = TypeVar("R")

Item: TypeAlias = Record | ProviderFailure
"""A record, or the failure in the place of a provider's records."""


class Edge(Struct, frozen=True):
    """`mark` is where the list goes on after the item."""

    item: Item
    mark: Mark


class Edges:
    """The edges of a page whose items are all there: made for whoever asks for them, which hardly anybody does."""

    __slots__ = ("_arguments", "_within", "items")

    def __init__(self, arguments: str) -> None:
        self._arguments = arguments
        self.items: list[Item] = []
        # At which place what follows each other begins.
        self._within: list[tuple[int, Standing | Stretch]] = []

    def add(self, items: Sequence[Item], within: Standing | Stretch) -> None:
        self._within.append((len(self.items), within))
        self.items += items

    def __iter__(self) -> Iterator[Edge]:
        beginnings = [*(first for first, _ in self._within), len(self.items)]
        for (_, within), (first, end) in zip(self._within, pairwise(beginnings), strict=True):
            for place in range(first, end):
                yield Edge(self.items[place], Mark(self._arguments, within, place - first))


class Dealing(Generic[R]):
    """One page under way. It goes on only while `run` does, whoever waits for its edges.

    `finish` makes what is known at the end out of every edge and the place after them.
    """

    def __init__(
        self,
        walks: Sequence[Walk],
        *,
        first: int,
        turn: Provider | None,
        arguments: str,
        finish: Callable[[tuple[Edge, ...], Mark], Awaitable[R]],
    ) -> None:
        self._walks = walks
        self._first = first
        self._turn = turn
        self._arguments = arguments
        self._finish = finish
        self._edges: list[Edge] = []
        self._marked: set[Provider] = set()
        # Records that were dealt, and those for which a walk is just fetching another page.
        self._dealt = 0
        self._all_dealt = False
        self._result: R | None = None
        self._failure: Exception | None = None
        self._news = asyncio.Event()

    @property
    def summaries(self) -> dict[RecordKey, Record]:
        """All that the providers have told so far."""
        return {record.key: record for walk in self._walks for record in walk.fetched}

    async def after(self, count: int) -> Sequence[Edge]:
        """The edges after the first `count`, as soon as there are any; none when there are no more."""
        while len(self._edges) <= count and not self._all_dealt:
            await self._more()
        return self._edges[count:]

    async def result(self) -> R:
        """What `finish` made, when everything has been dealt."""
        while self._result is None:
            await self._more()
        return self._result

    async def run(self) -> None:
        """Deals the page. What it fails of, whoever waits is told."""
        try:
            asked = sum(not walk.position.done for walk in self._walks)
            async with asyncio.TaskGroup() as sharing:
                for walk in self._walks:
                    sharing.create_task(self._deal_share(walk, -(-self._first // max(asked, 1))))
            await self._deal_in_turn()
            self._all_dealt = True
            self._tell()
            self._result = await self._finish(tuple(self._edges), self._mark_here())
        except ExceptionGroup as failures:
            self._failure = failures.exceptions[0]
        except Exception as failure:
            self._failure = failure
        finally:
            self._tell()

    async def _deal_share(self, walk: Walk, share: int) -> None:
        """So many records, without regard to who else has answered."""
        await walk.load()
        while share and await self._take(walk):
            share -= 1
        self._mark(walk)

    async def _deal_in_turn(self) -> None:
        order = [walk.provider for walk in self._walks]
        start = order.index(self._turn) if self._turn in order else 0
        playing = [*self._walks[start:], *self._walks[:start]]
        while playing and self._dealt < self._first:
            walk = playing.pop(0)
            if await self._take(walk, next_turn=order[(order.index(walk.provider) + 1) % len(order)]):
                playing.append(walk)
            else:
                self._mark(walk)

    async def _take(self, walk: Walk, next_turn: Provider | None = None) -> bool:
        """Deals the walk's next record, if there is one and room for it."""
        if self._dealt >= self._first:
            return False
        self._dealt += 1
        run = await walk.take(1)
        if run is None:
            self._dealt -= 1
            return False
        self._turn = next_turn or self._turn
        self._add(run.records[0])
        return True

    def _mark(self, walk: Walk) -> None:
        """A walk that failed leaves one mark; one that is pending is taken up again by the next page."""
        if walk.failure and not walk.skipped and not walk.pending and walk.provider not in self._marked:
            self._marked.add(walk.provider)
            self._add(walk.failure)

    def _add(self, item: Item) -> None:
        self._edges.append(Edge(item, self._mark_here()))
        self._tell()

    def _mark_here(self) -> Mark:
        return Mark(self._arguments, standing(self._walks, self._turn))

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _more(self) -> None:
        if self._failure is not None:
            # Each raise would add the frames of one more reader.
            raise self._failure.with_traceback(None)
        await self._news.wait()
