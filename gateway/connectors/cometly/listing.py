"""Cometly's list call: a window of creation times told in the Space's time zone, walked by cursors.

Source: docs/providers/cometly.md, GET /contacts and ambiguities 12, 13, 18 and 19.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from gateway.connectors.base import PageRequest, RecordPage
from gateway.connectors.cometly import wire
from gateway.connectors.cometly.capabilities import CAPABILITIES
from gateway.connectors.cometly.mapping import Reader
from gateway.connectors.cometly.slots import SLOT
from gateway.connectors.paging import foreign_token, raw_items
from gateway.domain.contact import Field, Record
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.upstream.decode import decode
from gateway.upstream.upstream import Upstream

MAX_PAGE_SIZE = 5_000
# The list wants a window of creation times. Nothing is older than this; the end is a day ahead,
# because the Space's time zone is a setting that may be wrong (ambiguity 19).
FIRST_DAY = "2000-01-01 00:00:00"
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Window:
    """Wall clock times of the Space, in whole seconds."""

    start: str
    end: str

    @classmethod
    def around(cls, first: datetime, last: datetime, zone: ZoneInfo) -> "Window":
        """Holds both moments, whether the ends belong to the window or not (ambiguity 18).

        The hour that the end of summer time repeats has two meanings; a window that ends in it
        ends after it, or it might end before the moment, and even before its own start.
        """
        start = (first - timedelta(seconds=1)).astimezone(zone)
        end = (last + timedelta(seconds=1)).astimezone(zone)
        later = end.replace(tzinfo=None) + max(_offset(end, fold=0) - _offset(end, fold=1), timedelta(0))
        return cls(start.strftime(TIME_FORMAT), later.strftime(TIME_FORMAT))


def _offset(time: datetime, *, fold: int) -> timedelta:
    return time.replace(fold=fold).utcoffset() or timedelta(0)


class Listing:
    def __init__(
        self, upstream: Upstream, reader: Reader, *, time_zone: ZoneInfo, clock: Callable[[], datetime]
    ) -> None:
        self._upstream = upstream
        self._reader = reader
        self._clock = clock
        self.time_zone = time_zone

    async def page(self, request: PageRequest, window: Window | None = None) -> RecordPage:
        """One page of a window; of everything when there is none."""
        token = PageToken.read(request.token) or self._first_token(request.limit, window)
        start = window.start if window else FIRST_DAY
        query = {"start_date": start, "end_date": token.end, "per_page": str(token.per_page)}
        if token.cursor:
            query["cursor"] = token.cursor
        if Field.EMAILS in request.wanted:
            query["include_all_emails"] = "1"
        if Field.CUSTOM_FIELDS in request.wanted:
            query["include_custom_fields"] = "1"
        reply = await self._upstream.send(Call("GET", "/contacts", query=query, kind=CallKind.LIST))
        page = decode(reply.body, wire.SummaryPage, CAPABILITIES.provider, reply.status)
        records = self._summaries(page, reply, request, with_slots="include_custom_fields" in query)
        following = page.next_cursor and str(PageToken(token.end, token.per_page, page.next_cursor))
        return RecordPage(records=records, token=str(token), next_token=following or None, total=None)

    def _first_token(self, limit: int, window: Window | None) -> "PageToken":
        """The end stays the same through a walk: a cursor belongs to the window it was made for."""
        end = (self._clock() + timedelta(days=1)).astimezone(self.time_zone).strftime(TIME_FORMAT)
        return PageToken(window.end if window else end, min(limit, MAX_PAGE_SIZE), None)

    def _summaries(
        self, page: wire.SummaryPage, reply: Reply, request: PageRequest, *, with_slots: bool
    ) -> tuple[Record, ...]:
        now = self._clock()
        # Whether the slots are nested or stand on the item itself is not documented (ambiguity 13).
        looks = with_slots and not all(isinstance(item.custom_fields, dict) for item in page.data)
        raws = raw_items(reply.body, "data", page.data, wanted=looks or request.raw)
        records = []
        for item, raw in zip(page.data, raws, strict=True):
            if looks and raw and not isinstance(item.custom_fields, dict):
                item.custom_fields = _slots_on_item(raw, reply.status)
            records.append(self._reader.summary(item, fetched_at=now, raw=raw))
        return tuple(records)


def _slots_on_item(item: bytes, status: int) -> dict[str, wire.Scalar]:
    every = msgspec.json.decode(item, type=dict[str, msgspec.Raw])
    return {
        slot: decode(bytes(value), wire.Scalar, CAPABILITIES.provider, status)  # type: ignore[arg-type]
        for slot, value in every.items()
        if SLOT.fullmatch(slot)
    }


@dataclass(frozen=True, slots=True)
class PageToken:
    end: str
    per_page: int
    cursor: str | None

    def __str__(self) -> str:
        return f"{self.end}|{self.per_page}|{self.cursor or ''}"

    @classmethod
    def read(cls, text: str | None) -> "PageToken | None":
        if text is None:
            return None
        match = re.fullmatch(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\|(\d{1,4})\|([!-~]{0,2000})", text, re.ASCII)
        if match is None or not 1 <= int(match[2]) <= MAX_PAGE_SIZE:
            raise foreign_token()
        return cls(match[1], int(match[2]), match[3] or None)
