"""Gately: one flat object per contact; custom fields and consent have endpoints of their own.

Source: docs/providers/gately.md.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

from gateway.connectors.base import PageRequest, Planned, RecordPage, Updated
from gateway.connectors.clock import utc_now
from gateway.connectors.gately import mapping, wire
from gateway.connectors.gately.capabilities import CAPABILITIES
from gateway.connectors.gately.known import LISTED, READABLE, told
from gateway.connectors.paging import PageToken, next_page, raw_items, walk_for_email
from gateway.connectors.stages import after_writing, before_writing
from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import Field, Record, RecordKey
from gateway.domain.errors import DuplicateRecord, FieldUnsupported, InputRefused, ProviderFailure
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.domain.writes import WriteAction
from gateway.upstream.decode import check_acknowledgement, decode
from gateway.upstream.upstream import Upstream

MAX_PAGE_SIZE = 200
# Literal segments that stand where a contact's id stands: as an id they would reach another resource.
RESERVED_IDS = frozenset({"tags", "lists", "segments", "contact-tags", "bulk-import"})


class GatelyConnector:
    capabilities = CAPABILITIES

    def __init__(self, upstream: Upstream, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._upstream = upstream
        self._clock = clock

    async def aclose(self) -> None:
        await self._upstream.aclose()

    def id_problem(self, remote_id: str) -> str | None:
        if remote_id in RESERVED_IDS or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", remote_id):
            return "Gately ids are letters, digits, - and _"
        return None

    async def read(self, remote_id: str) -> Record:
        reply = await self._upstream.send(Call("GET", _path(remote_id), kind=CallKind.READ))
        return self._record(reply, known=READABLE)

    async def list_page(self, request: PageRequest) -> RecordPage:
        wanted = request.filter
        if wanted.tag and "," in wanted.tag:
            message = "Gately's tag filter takes several names by commas, so it cannot find a name with one."
            raise FieldUnsupported(CAPABILITIES.provider, message)
        query = {"search": wanted.search, "status": wanted.status, "tags": wanted.tag}
        return await self._page(request, {key: value for key, value in query.items() if value}, CallKind.LIST)

    async def find_by_email(self, address: str) -> tuple[Record, ...]:
        async def search(request: PageRequest) -> RecordPage:
            return await self._page(request, {"search": address}, CallKind.FIND_BY_EMAIL)

        return await walk_for_email(search, address, limit=MAX_PAGE_SIZE)

    def plan_create(self, draft: Draft) -> Planned:
        return mapping.from_draft(draft)

    async def create(self, draft: Draft) -> Record:
        # Gately has no idempotency key: a lost reply leaves the outcome unknown, so this is never replayed.
        try:
            reply = await self._upstream.send(
                Call("POST", "/contacts", mapping.from_draft(draft).body, kind=CallKind.CREATE)
            )
        except ProviderFailure as failure:
            address = draft.emails[0].address if draft.emails else None
            raise await self._or_duplicate(failure, address) from failure
        return self._record(reply)

    def plan_update(self, patch: Patch) -> Planned:
        return mapping.from_patch(patch, None)

    async def update(self, remote_id: str, patch: Patch) -> Updated:
        """Up to three calls: the fields, a merge of custom fields, consent; in this order, because the
        first is the one that Gately may refuse."""
        with before_writing():
            stored = await self.read(remote_id) if mapping.needs_stored(patch) else None
        planned = mapping.from_patch(patch, stored)
        record: Record | None = None
        if planned.body:
            record = await self._patch(remote_id, planned.body)
        with after_writing(Field.CUSTOM_FIELDS, written=record is not None):
            if stored is None and mapping.merges_custom_fields(patch):
                record = await self._merge_custom_fields(remote_id, patch) or record
        with after_writing(Field.UNSUBSCRIBED, written=record is not None):
            if isinstance(patch.unsubscribed, bool):
                await self._set_unsubscribed(remote_id, patch.unsubscribed)
                # What the first call answered was true before this one.
                record = _without(record or self._untold(remote_id), Field.UNSUBSCRIBED, Field.UPDATED_AT)
        action = WriteAction.UPDATED if record else WriteAction.UNCHANGED
        return Updated(record=record or stored or self._untold(remote_id), action=action, warnings=planned.warnings)

    async def delete(self, remote_id: str) -> None:
        reply = await self._upstream.send(Call("DELETE", _path(remote_id), kind=CallKind.DELETE))
        check_acknowledgement(reply.body, CAPABILITIES.provider, reply.status)

    async def _patch(self, remote_id: str, body: dict[str, object]) -> Record:
        try:
            reply = await self._upstream.send(Call("PATCH", _path(remote_id), body, kind=CallKind.UPDATE))
        except ProviderFailure as failure:
            address = body.get("email")
            known_to_be = RecordKey(CAPABILITIES.provider, remote_id)
            raise await self._or_duplicate(failure, address, but=known_to_be) from failure
        return self._record(reply)

    async def _merge_custom_fields(self, remote_id: str, patch: Patch) -> Record:
        """Through the endpoint that merges; where it does not exist, by reading and writing whole."""
        values = patch.custom_fields.values  # type: ignore[union-attr]
        try:
            path = f"{_path(remote_id)}/custom-fields"
            reply = await self._upstream.send(Call("PATCH", path, values, kind=CallKind.UPDATE))
            check_acknowledgement(reply.body, CAPABILITIES.provider, reply.status)
        except ProviderFailure as failure:
            if failure.fault.upstream_status not in (404, 405):
                raise
        else:
            return self._untold(remote_id)
        with before_writing():
            stored = await self.read(remote_id)
        whole = {**(stored.custom_fields or {}), **values}
        return await self._patch(remote_id, {"custom_fields": whole})

    async def _set_unsubscribed(self, remote_id: str, unsubscribed: bool) -> None:
        path = f"{_path(remote_id)}/unsubscribes"
        body: dict[str, object] | None = {} if unsubscribed else None
        method = "POST" if unsubscribed else "DELETE"
        reply = await self._upstream.send(Call(method, path, body, kind=CallKind.UPDATE))
        check_acknowledgement(reply.body, CAPABILITIES.provider, reply.status)

    async def _or_duplicate(
        self, failure: ProviderFailure, address: object, *, but: RecordKey | None = None
    ) -> ProviderFailure:
        """A refusal of an address that another contact has is a duplicate, whatever its status: which
        status says so is not documented (ambiguity 2)."""
        if not isinstance(failure, (InputRefused, DuplicateRecord)) or not isinstance(address, str):
            return failure
        try:
            others = [found for found in await self.find_by_email(address) if found.key != but]
        except ProviderFailure:
            return failure
        if not others:
            return failure
        fault = failure.fault
        return DuplicateRecord(
            fault.provider,
            "Gately already holds a contact with this email address.",
            upstream_status=fault.upstream_status,
            upstream_code=fault.upstream_code,
            field=Field.EMAILS.input_path,
            existing=others[0].key,
        )

    async def _page(self, request: PageRequest, query: dict[str, str], kind: CallKind) -> RecordPage:
        token = PageToken.read(request.token, request.limit, maximum=MAX_PAGE_SIZE)
        paging = {"page": str(token.page), "limit": str(token.limit)}
        reply = await self._upstream.send(Call("GET", "/contacts", query={**paging, **query}, kind=kind))
        page = decode(reply.body, wire.ContactPage, CAPABILITIES.provider, reply.status)
        now = self._clock()
        records = tuple(
            mapping.to_record(item, known=LISTED | told(item), fetched_at=now, raw=raw)
            for item, raw in zip(page.contacts, raw_items(reply.body, "contacts"), strict=True)
        )
        total = page.pagination.total
        return RecordPage(
            records=records,
            token=str(token),
            next_token=next_page(token, page.pagination.pages, len(records)),
            total=total,
        )

    def _record(self, reply: Reply, *, known: frozenset[Field] | None = None) -> Record:
        contact = decode(reply.body, wire.Contact, CAPABILITIES.provider, reply.status)
        if known is None:
            known = told(contact)
        return mapping.to_record(contact, known=known, fetched_at=self._clock(), raw=reply.body)

    def _untold(self, remote_id: str) -> Record:
        """The record behind a write whose answer says nothing about it."""
        key = RecordKey(CAPABILITIES.provider, remote_id)
        return Record(key=key, known=frozenset(), fetched_at=self._clock())


def _without(record: Record, *fields: Field) -> Record:
    return replace(record, known=record.known - set(fields))


def _path(remote_id: str) -> str:
    return f"/contacts/{quote(remote_id, safe='')}"
