"""Cometly: lists of strings, a sparse PUT that replaces them whole, and ids that a merge may replace.

Source: docs/providers/cometly.md.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from gateway.connectors.base import PageRequest, Planned, RecordPage, Updated
from gateway.connectors.clock import utc_now
from gateway.connectors.cometly import mapping, wire
from gateway.connectors.cometly.capabilities import CAPABILITIES
from gateway.connectors.cometly.slots import SLOT, Slots
from gateway.connectors.paging import foreign_token, raw_items
from gateway.connectors.stages import before_writing
from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import Field, Record, RecordKey
from gateway.domain.errors import OperationUnsupported
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.domain.writes import WriteAction
from gateway.upstream.decode import decode
from gateway.upstream.upstream import Upstream

MAX_PAGE_SIZE = 5_000
# The list wants a window of creation times. Nothing is older than this; the end is a day ahead,
# because the Space's time zone is a setting that may be wrong (ambiguity 19).
FIRST_DAY = "2000-01-01 00:00:00"
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


class CometlyConnector:
    capabilities = CAPABILITIES

    def __init__(
        self,
        upstream: Upstream,
        *,
        slots: Slots,
        time_zone: ZoneInfo,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._upstream = upstream
        self._slots = slots
        self._reader = mapping.Reader(slots)
        self._time_zone = time_zone
        self._clock = clock

    async def aclose(self) -> None:
        await self._upstream.aclose()

    def id_problem(self, remote_id: str) -> str | None:
        return None if re.fullmatch(r"[1-9][0-9]{0,18}", remote_id) else "Cometly ids are whole numbers"

    async def read(self, remote_id: str) -> Record:
        contact, raw = await self._details(remote_id)
        return self._reader.details(contact, fetched_at=self._clock(), raw=raw)

    async def list_page(self, request: PageRequest) -> RecordPage:
        token = _PageToken.read(request.token) or self._first_token(request.limit)
        query = {"start_date": FIRST_DAY, "end_date": token.end, "per_page": str(token.per_page)}
        if token.cursor:
            query["cursor"] = token.cursor
        if Field.EMAILS in request.wanted:
            query["include_all_emails"] = "1"
        if Field.CUSTOM_FIELDS in request.wanted:
            query["include_custom_fields"] = "1"
        reply = await self._upstream.send(Call("GET", "/contacts", query=query, kind=CallKind.LIST))
        page = decode(reply.body, wire.SummaryPage, CAPABILITIES.provider, reply.status)
        records = self._summaries(page, reply, with_slots="include_custom_fields" in query)
        following = page.next_cursor and str(_PageToken(token.end, token.per_page, page.next_cursor))
        return RecordPage(records=records, token=str(token), next_token=following or None, total=None)

    async def find_by_email(self, address: str) -> tuple[Record, ...]:
        raise OperationUnsupported(CAPABILITIES.provider, "Cometly cannot look an email address up.")

    def plan_create(self, draft: Draft) -> Planned:
        return mapping.from_draft(draft, self._slots)

    async def create(self, draft: Draft) -> Record:
        # Cometly has no idempotency key: a lost reply leaves the outcome unknown, so this is never replayed.
        body = mapping.from_draft(draft, self._slots).body
        reply = await self._upstream.send(Call("POST", "/contacts", body, kind=CallKind.CREATE))
        return self._written(reply, body)

    def plan_update(self, patch: Patch) -> Planned:
        return mapping.from_patch(patch, None, self._slots)

    async def update(self, remote_id: str, patch: Patch) -> Updated:
        stored: wire.Contact | None = None
        if mapping.needs_stored(patch):
            with before_writing():
                stored, _ = await self._details(remote_id)
        planned = mapping.from_patch(patch, stored, self._slots)
        if not planned.body:
            key = RecordKey(CAPABILITIES.provider, remote_id)
            untouched = Record(key=key, known=frozenset(), fetched_at=self._clock())
            return Updated(record=untouched, action=WriteAction.UNCHANGED, warnings=planned.warnings)
        reply = await self._upstream.send(Call("PUT", f"/contacts/{remote_id}", planned.body, kind=CallKind.UPDATE))
        return Updated(record=self._written(reply, planned.body), warnings=planned.warnings)

    async def delete(self, remote_id: str) -> None:
        raise OperationUnsupported(CAPABILITIES.provider, "Cometly has no call that deletes a contact.")

    async def _details(self, remote_id: str) -> tuple[wire.Contact, bytes]:
        reply = await self._upstream.send(Call("GET", f"/contacts/{remote_id}", kind=CallKind.READ))
        return decode(reply.body, wire.Contact, CAPABILITIES.provider, reply.status), reply.body

    def _written(self, reply: Reply, body: dict[str, Any]) -> Record:
        contact = decode(reply.body, wire.Contact, CAPABILITIES.provider, reply.status)
        return self._reader.written(contact, body, fetched_at=self._clock(), raw=reply.body)

    def _first_token(self, limit: int) -> "_PageToken":
        """The end stays the same through a walk: a cursor belongs to the window it was made for."""
        end = (self._clock() + timedelta(days=1)).astimezone(self._time_zone)
        return _PageToken(end.strftime(TIME_FORMAT), min(limit, MAX_PAGE_SIZE), None)

    def _summaries(self, page: wire.SummaryPage, reply: Reply, *, with_slots: bool) -> tuple[Record, ...]:
        now = self._clock()
        records = []
        for item, raw in zip(page.data, raw_items(reply.body, "data"), strict=True):
            if with_slots and not isinstance(item.custom_fields, dict):
                # Whether the slots are nested or stand on the item itself is not documented (ambiguity 13).
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
class _PageToken:
    end: str
    per_page: int
    cursor: str | None

    def __str__(self) -> str:
        return f"{self.end}|{self.per_page}|{self.cursor or ''}"

    @classmethod
    def read(cls, text: str | None) -> "_PageToken | None":
        if text is None:
            return None
        match = re.fullmatch(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\|(\d{1,4})\|([!-~]{0,2000})", text, re.ASCII)
        if match is None or not 1 <= int(match[2]) <= MAX_PAGE_SIZE:
            raise foreign_token()
        return cls(match[1], int(match[2]), match[3] or None)
