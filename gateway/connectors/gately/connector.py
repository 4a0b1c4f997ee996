"""Gately: one flat object per contact; custom fields and consent have endpoints of their own.

Source: docs/providers/gately.md.
"""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from gateway.clock import utc_now
from gateway.connectors.base import Match, PageRequest, Planned, Prepared, RecordPage, Sighting, Sought, Updated
from gateway.connectors.duplicates import or_duplicate
from gateway.connectors.gately import looking, mapping, wire
from gateway.connectors.gately.calls import UpdateCalls, contact_path, creation, fields_call, update_calls
from gateway.connectors.gately.capabilities import CAPABILITIES
from gateway.connectors.gately.ids import check_ids, id_problem
from gateway.connectors.gately.known import READABLE, listed, told
from gateway.connectors.looking import each_once, found_by_emails, not_recognisable
from gateway.connectors.paging import Bound, PageToken, next_page, raw_items, walk
from gateway.connectors.stages import after_writing, before_writing
from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import Field, Record, RecordKey
from gateway.domain.errors import DuplicateRecord, FieldUnsupported, InputRefused, ProviderFailure
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.domain.writes import WriteAction
from gateway.resilience.standing import Standing
from gateway.upstream.decode import check_acknowledgement, decode
from gateway.upstream.upstream import Upstream

MAX_PAGE_SIZE = 200


class GatelyConnector:
    capabilities = CAPABILITIES

    def __init__(self, upstream: Upstream, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._upstream = upstream
        self._clock = clock

    @property
    def standing(self) -> Standing:
        return self._upstream.standing

    async def aclose(self) -> None:
        await self._upstream.aclose()

    def id_problem(self, remote_id: str) -> str | None:
        return id_problem(remote_id)

    async def read(self, remote_id: str) -> Record:
        reply = await self._upstream.send(Call("GET", contact_path(remote_id), kind=CallKind.READ))
        return reply.read_once(self._whole)

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

        return tuple(record for record in await walk(search, limit=MAX_PAGE_SIZE) if record.has_email(address))

    def plan_create(self, draft: Draft) -> Planned:
        return mapping.from_draft(draft)

    async def create(self, draft: Draft, planned: Planned | None = None) -> Record:
        # Gately has no idempotency key: a lost reply leaves the outcome unknown, so this is never replayed.
        return await self._send_fields(creation(planned or self.plan_create(draft)))

    def prepare_create(self, draft: Draft) -> Prepared:
        planned = self.plan_create(draft)
        return Prepared(calls=(creation(planned),), warnings=planned.warnings)

    def plan_update(self, patch: Patch) -> Planned:
        return mapping.from_patch(patch, None)

    async def prepare_update(self, remote_id: str, patch: Patch) -> Prepared:
        return (await self._update_calls(remote_id, patch)).prepared

    async def update(self, remote_id: str, patch: Patch) -> Updated:
        steps = await self._update_calls(remote_id, patch)
        record: Record | None = None
        if steps.fields:
            record = await self._send_fields(steps.fields, but=RecordKey(CAPABILITIES.provider, remote_id))
        with after_writing(Field.CUSTOM_FIELDS, written=record is not None):
            if steps.merge:
                record = await self._merge_custom_fields(remote_id, steps.merge) or record
        with after_writing(Field.UNSUBSCRIBED, written=record is not None):
            if steps.consent:
                await self._acknowledged(steps.consent)
                # What the first call answered was true before this one.
                record = _without(record or self._untold(remote_id), Field.UNSUBSCRIBED, Field.UPDATED_AT)
        action = WriteAction.UPDATED if record else WriteAction.UNCHANGED
        record = record or steps.stored or self._untold(remote_id)
        return Updated(record=record, action=action, warnings=steps.warnings)

    async def delete(self, remote_id: str) -> None:
        await self._acknowledged(Call("DELETE", contact_path(remote_id), kind=CallKind.DELETE))

    async def find_created(self, sought: Sought) -> Sighting:
        (call,) = self.prepare_create(sought.draft).calls
        sent = call.body or {}
        return looking.sighting(each_once(await self.find_by_email(sent["email"])), sent, sought.since, self._clock())

    async def find_matches(self, match: Match) -> tuple[Record, ...]:
        if not match.emails and not match.external_id:
            raise not_recognisable(CAPABILITIES, "recognises a contact by an email address or an external id only.")
        found = await found_by_emails(self.find_by_email, match.emails)
        if not match.external_id:
            return found
        bound = Bound(CAPABILITIES, looking.MAX_PAGES)
        listed = each_once(await walk(self.list_page, limit=MAX_PAGE_SIZE, bound=bound))
        return each_once((*found, *await looking.with_external_id(listed, match.external_id, self.read)))

    async def _update_calls(self, remote_id: str, patch: Patch) -> UpdateCalls:
        with before_writing():
            stored = await self.read(remote_id) if mapping.needs_stored(patch) else None
        return update_calls(remote_id, patch, stored)

    async def _send_fields(self, call: Call, *, but: RecordKey | None = None) -> Record:
        """A creation, or an update of the record `but`.

        A refusal of an address that another contact has is a duplicate, whatever its status: which status
        says so is not documented (ambiguity 2).
        """
        try:
            reply = await self._upstream.send(call)
        except (InputRefused, DuplicateRecord) as failure:
            address = (call.body or {}).get("email")
            if not address:
                raise
            raise await or_duplicate(failure, CAPABILITIES.display_name, self._others(address, but)) from failure
        return self._record(reply)

    async def _others(self, address: str, but: RecordKey | None) -> tuple[Record, ...]:
        return tuple(found for found in await self.find_by_email(address) if found.key != but)

    async def _merge_custom_fields(self, remote_id: str, merge: Call) -> Record:
        """Through the endpoint that merges; where it does not exist, by reading and writing whole."""
        try:
            await self._acknowledged(merge)
        except ProviderFailure as failure:
            if failure.fault.upstream_status not in (404, 405):
                raise
        else:
            return self._untold(remote_id)
        with before_writing():
            stored = await self.read(remote_id)
        whole = {**(stored.custom_fields or {}), **(merge.body or {})}
        return await self._send_fields(fields_call(remote_id, {"custom_fields": whole}))

    async def _acknowledged(self, call: Call) -> None:
        reply = await self._upstream.send(call)
        check_acknowledgement(reply.body, CAPABILITIES.provider, reply.status)

    async def _page(self, request: PageRequest, query: dict[str, str], kind: CallKind) -> RecordPage:
        token = PageToken.read(request.token, request.limit, maximum=MAX_PAGE_SIZE)
        paging = {"page": str(token.page), "limit": str(token.limit)}
        reply = await self._upstream.send(Call("GET", "/contacts", query={**paging, **query}, kind=kind))
        page = decode(reply.body, wire.ContactPage, CAPABILITIES.provider, reply.status)
        check_ids(page.contacts, reply.status)
        now = self._clock()
        raws = raw_items(reply.body, "contacts", page.contacts, wanted=request.raw)
        records = tuple(
            [
                mapping.to_record(item, known=listed(item), fetched_at=now, raw=raw)
                for item, raw in zip(page.contacts, raws, strict=True)
            ]
        )
        total = page.pagination.total
        return RecordPage(
            records=records,
            token=str(token),
            next_token=next_page(token, page.pagination.pages, len(records)),
            total=total,
        )

    def _whole(self, reply: Reply) -> Record:
        return self._record(reply, known=READABLE)

    def _record(self, reply: Reply, *, known: frozenset[Field] | None = None) -> Record:
        contact = decode(reply.body, wire.Contact, CAPABILITIES.provider, reply.status)
        check_ids((contact,), reply.status)
        if known is None:
            known = told(contact)
        return mapping.to_record(contact, known=known, fetched_at=self._clock(), raw=reply.body)

    def _untold(self, remote_id: str) -> Record:
        """The record behind a write whose answer says nothing about it."""
        key = RecordKey(CAPABILITIES.provider, remote_id)
        return Record(key=key, known=frozenset(), fetched_at=self._clock())


def _without(record: Record, *fields: Field) -> Record:
    return replace(record, known=record.known - set(fields))
