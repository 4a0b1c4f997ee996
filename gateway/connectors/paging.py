"""Page-and-limit paging, as Gately and Klen AI have it, walks through whole lists, and the raw items of one."""

import itertools
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from gateway.connectors.base import Capabilities, PageRequest, RecordPage
from gateway.domain.contact import Field, Record
from gateway.domain.errors import InputProblem, InvalidInput, ListTruncated

MAX_PAGE = 1_000_000


@dataclass(frozen=True, slots=True)
class PageToken:
    """Which page of what size comes next; the size stays the same through a walk, or pages would shift."""

    page: int
    limit: int

    def __str__(self) -> str:
        return f"{self.page}:{self.limit}"

    @classmethod
    def read(cls, text: str | None, limit: int, *, maximum: int) -> "PageToken":
        """
        Raises:
            InvalidInput: at `after`, for a token that str() of a PageToken did not make.
        """
        if text is None:
            return cls(1, min(limit, maximum))
        match = re.fullmatch(r"([0-9]{1,7}):([0-9]{1,4})", text)
        page, size = (int(match[1]), int(match[2])) if match else (0, 0)
        if not (1 <= page <= MAX_PAGE and 1 <= size <= maximum):
            raise foreign_token()
        return cls(page, size)


def next_page(token: PageToken, pages: int, count: int) -> str | None:
    """The walk ends at the last page, and at an empty one in case the number of pages is wrong."""
    if count == 0 or token.page >= pages:
        return None
    return str(PageToken(token.page + 1, token.limit))


def raw_items(body: bytes, key: str, items: Sequence[object], *, wanted: bool) -> Sequence[bytes | None]:
    """These items of a list as the provider sent them, or None for each. The body has been decoded strictly before."""
    if not wanted:
        return [None] * len(items)
    page = _decoder_of_items(key).decode(body)
    return [bytes(item) for item in page.items]


@cache
def _decoder_of_items(key: str) -> msgspec.json.Decoder[Any]:
    """Passes over everything else in one go."""
    page = msgspec.defstruct("RawPage", [("items", list[msgspec.Raw])], rename={"items": key})
    return msgspec.json.Decoder(page)


@dataclass(frozen=True, slots=True)
class Bound:
    """How many pages of a list are looked through at most, for want of a search."""

    capabilities: Capabilities
    pages: int

    def exceeded(self, limit: int) -> ListTruncated:
        name, most = self.capabilities.display_name, self.pages * limit
        message = f"{name} has no search for this, and holds more than the {most:,} contacts that are looked through."
        return ListTruncated(self.capabilities.provider, message)


async def walk(
    page_of: Callable[[PageRequest], Awaitable[RecordPage]],
    *,
    limit: int,
    wanted: frozenset[Field] = frozenset(),
    bound: Bound | None = None,
) -> tuple[Record, ...]:
    """Every record of a list, in its order; pages that shift while they are walked show one twice.

    Raises:
        ListTruncated: when the list goes on after the pages of `bound`.
    """
    found: list[Record] = []
    token: str | None = None
    for walked in itertools.count(1):
        page = await page_of(PageRequest(limit=limit, token=token, wanted=wanted))
        found += page.records
        if (token := page.next_token) is None:
            break
        if bound and walked == bound.pages:
            raise bound.exceeded(limit)
    return tuple(found)


def foreign_token() -> InvalidInput:
    return InvalidInput(
        InputProblem(path=("after",), code="MALFORMED_CURSOR", message="is not a cursor of this gateway")
    )
