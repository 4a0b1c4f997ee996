"""One provider's part of a list: pages fetched when they are needed, records handed out as they are asked for."""

import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from gateway.connectors.base import Connector, ContactFilter, FilterName, PageRequest
from gateway.contacts.cursor import Page, Position, Standing
from gateway.contacts.reading import Source, SourceState, elapsed_ms, failed, skipped
from gateway.contacts.terms import Terms
from gateway.domain.compare import email_key, text_key
from gateway.domain.contact import Field, Provider, Record
from gateway.domain.errors import AnswerPending, CallerNotPermitted, FieldUnsupported, ProviderFailure

# A filter that the gateway applies itself can leave pages empty; a walk pauses rather than reading on. Any other
# walk ends with the calls that one operation may make.
MAX_FILTERED_PAGES_PER_ANSWER = 5
MAX_PAGES_PER_ANSWER = 100

# What a GraphQL Int can say; a provider that counts beyond it, or below nought, does not know.
MAX_COUNT = 2**31 - 1
MIN_FILTERED_PAGE_SIZE = 500

# The field of a summary that tells whether a record passes.
FIELD_OF_FILTER = {
    FilterName.SEARCH: Field.NAME,
    FilterName.STATUS: Field.STATUS,
    FilterName.STAGE: Field.STAGE,
    FilterName.TAG: Field.TAGS,
}


class Run(Struct, frozen=True):
    """At least one record, next to each other in the list of their provider, but for those that do not appear; `dealt`
    of the page's came before them."""

    records: Sequence[Record]
    page: Page
    dealt: int


class Walk:
    """`position` is where the walk stands now; a failure leaves it standing. `fetched` is every record of
    the pages that were fetched on the way.

    `pick_shown` tells which places of a page's records appear in this list at all.
    """

    def __init__(
        self,
        connector: Connector,
        request: PageRequest,
        position: Position,
        pick_shown: Callable[[tuple[Record, ...]], Awaitable[Sequence[int]]],
        terms: Terms,
    ) -> None:
        self._connector = connector
        self._terms = terms
        self._here = narrowed(request.filter, connector)
        size = max(request.limit, MIN_FILTERED_PAGE_SIZE) if self._here.asked else request.limit
        self._request = replace(request, limit=size)
        self._pick_shown = pick_shown
        self._records: tuple[Record, ...] = ()
        self.fetched: list[Record] = []
        self._page: Page | None = None
        self._dealt = 0
        self._pages_left = MAX_FILTERED_PAGES_PER_ANSWER if self._here.asked else MAX_PAGES_PER_ANSWER
        self.position = position
        self.failure: ProviderFailure | None = None
        self.latency_ms = 0

    @property
    def provider(self) -> Provider:
        return self._connector.capabilities.provider

    @property
    def skipped(self) -> bool:
        """The provider has no word for what the filter asks, so there is nothing to wait for."""
        return isinstance(self.failure, FieldUnsupported)

    @property
    def pending(self) -> bool:
        """The provider has not answered in time, and its position is taken up again by whoever asks for more."""
        return isinstance(self.failure, AnswerPending)

    @property
    def is_over(self) -> bool:
        """Nothing will come any more. Who may not read there would else walk on for ever."""
        return self.position.done or isinstance(self.failure, CallerNotPermitted)

    @property
    def source(self) -> Source:
        if self.failure:
            return skipped(self.failure) if self.skipped else failed(self.failure, latency_ms=self.latency_ms)
        return Source(provider=self.provider, state=SourceState.OK, latency_ms=self.latency_ms)

    @property
    def filters_here(self) -> bool:
        """Whether the gateway itself leaves records out, so that the provider's total is not ours."""
        return bool(self._here.asked)

    async def load(self) -> None:
        """Fetches the page that the position stands in, unless it is there already."""
        if self._page or self.position.done or self.failure or not self._pages_left:
            return
        self._pages_left -= 1
        started = time.monotonic()
        try:
            request = replace(self._request, token=self.position.token)
            page = await self._terms.ask(self.provider, self._connector.list_page(request))
        except ProviderFailure as failure:
            self.failure = failure
            if self.skipped:
                self.position = Position(done=True)
            return
        finally:
            self.latency_ms += elapsed_ms(started)
        self.fetched += page.records
        shown = await self._pick_shown(page.records)
        if self.filters_here:
            shown = [place for place in shown if passes(page.records[place], self._here)]
        total = None if self.filters_here else countable(page.total)
        # The page by its own token: the next answer may be of another size, and its first page another one.
        self._records, self._page = page.records, Page(page.token, page.next_token, total, shown)
        self._advance(bisect_left(shown, self.position.skip))

    async def take(self, most: int) -> Run | None:
        """The next records, up to so many, of one page; None when the walk is over, paused, failed or pending."""
        while not self.position.done and not self.failure:
            if self._page is None:
                if not self._pages_left:
                    return None
                await self.load()
                continue
            places = self._page.shown[self._dealt : self._dealt + most]
            run = Run([self._records[place] for place in places], self._page, self._dealt)
            self._advance(self._dealt + len(places))
            return run
        return None

    def _advance(self, dealt: int) -> None:
        assert self._page is not None
        self.position, self._dealt = self._page.position(dealt), dealt
        if dealt >= len(self._page.shown):
            self._page = None


def standing(walks: Sequence[Walk], turn: Provider | None) -> Standing:
    """Where a list stands whose walks these are."""
    return Standing({walk.provider: walk.position for walk in walks}, turn)


def narrowed(wanted: ContactFilter, connector: Connector) -> ContactFilter:
    """The conditions that the provider cannot apply itself, so that the gateway has to.

    Raises:
        FieldUnsupported: when the provider does not even hold what the condition is about.
    """
    capabilities = connector.capabilities
    left = wanted.asked - capabilities.filters
    for name in sorted(left):
        if not capabilities.of(FIELD_OF_FILTER[name]).readable:
            message = f"{capabilities.display_name} cannot filter by {name.value}."
            raise FieldUnsupported(capabilities.provider, message)
    return ContactFilter(**{name.value: getattr(wanted, name) for name in left})


def passes(record: Record, wanted: ContactFilter) -> bool:
    """Whether a summary fulfils every condition; a search looks into the name and the addresses."""
    if wanted.search is not None:
        texts = [record.name or "", record.primaries.get(Field.EMAILS, "")]
        texts += [email.normalized for email in record.emails or ()]
        sought = text_key(wanted.search)
        if not any(sought in text_key(text) for text in texts) and email_key(wanted.search) not in texts:
            return False
    if wanted.status is not None and record.status is not wanted.status:
        return False
    if wanted.stage is not None and record.stage != wanted.stage:
        return False
    return wanted.tag is None or wanted.tag in (record.tags or ())


def countable(total: int | None) -> int | None:
    """The number, if a GraphQL Int can say it."""
    return total if total is not None and 0 <= total <= MAX_COUNT else None
