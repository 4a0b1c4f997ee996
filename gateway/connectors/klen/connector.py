"""Klen AI: acknowledgements instead of records, so whatever was written is read again when it is asked for.

Source: docs/providers/klen.md.
"""

import re
from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from gateway.clock import utc_now
from gateway.connectors.base import Match, PageRequest, Planned, Prepared, RecordPage, Sighting, Sought, Updated
from gateway.connectors.duplicates import or_duplicate
from gateway.connectors.klen import looking, mapping, wire
from gateway.connectors.klen.capabilities import CAPABILITIES
from gateway.connectors.klen.phones import left_over
from gateway.connectors.looking import each_once, found_by_emails, not_recognisable
from gateway.connectors.paging import PageToken, next_page, raw_items, walk
from gateway.connectors.stages import before_writing
from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import ContactStatus, Field, Record, RecordKey
from gateway.domain.errors import (
    DuplicateRecord,
    FieldUnsupported,
    OperationUnsupported,
    ProviderFailure,
    ReplyUnreadable,
)
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.domain.writes import WriteAction, WriteWarning, dropped
from gateway.resilience.standing import Standing
from gateway.upstream.decode import check_acknowledgement, decode
from gateway.upstream.upstream import Upstream

MAX_PAGE_SIZE = 100


class KlenConnector:
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
        return None if re.fullmatch(r"[1-9][0-9]{0,18}", remote_id) else "Klen AI ids are whole numbers"

    async def read(self, remote_id: str) -> Record:
        return (await self._get(remote_id)).read_once(self._record)

    async def list_page(self, request: PageRequest) -> RecordPage:
        wanted = request.filter
        query = {"search": wanted.search, "stage": wanted.stage, "tag": wanted.tag}
        query["status"] = None if wanted.status is None else _word_to_ask_for(wanted.status)
        page = await self._page(request, {key: value for key, value in query.items() if value}, CallKind.LIST)
        if wanted.status is None or query["status"]:
            return page
        records = tuple(record for record in page.records if record.status is wanted.status)
        return replace(page, records=records, total=None)

    async def find_by_email(self, address: str) -> tuple[Record, ...]:
        return tuple(record for record in await self._search(address) if record.has_email(address))

    def plan_create(self, draft: Draft) -> Planned:
        return mapping.from_draft(draft)

    def prepare_create(self, draft: Draft) -> Prepared:
        planned = self.plan_create(draft)
        return Prepared(calls=(_creation(planned),), warnings=planned.warnings)

    async def create(self, draft: Draft, planned: Planned | None = None) -> Record:
        # Klen AI has no idempotency key: a lost reply leaves the outcome unknown, so this is never replayed.
        call = _creation(planned or self.plan_create(draft))
        try:
            reply = await self._upstream.send(call)
        except DuplicateRecord as failure:
            email = (call.body or {}).get("email")
            if not email:
                raise
            raise await or_duplicate(failure, CAPABILITIES.display_name, self.find_by_email(email)) from failure
        created = decode(reply.body, wire.Created, CAPABILITIES.provider, reply.status)
        if created.any_id is None:
            message = "Klen AI answered a creation without an id."
            raise ReplyUnreadable(CAPABILITIES.provider, message, upstream_status=reply.status)
        return self._untold(str(created.any_id))

    def plan_update(self, patch: Patch) -> Planned:
        return mapping.from_patch(patch, None)

    async def prepare_update(self, remote_id: str, patch: Patch) -> Prepared:
        prepared, _ = await self._prepare_update(remote_id, patch)
        return prepared

    async def update(self, remote_id: str, patch: Patch) -> Updated:
        prepared, stored = await self._prepare_update(remote_id, patch)
        if not prepared.calls:
            return Updated(record=self._untold(remote_id), action=WriteAction.UNCHANGED, warnings=prepared.warnings)
        (call,) = prepared.calls
        reply = await self._upstream.send(call)
        check_acknowledgement(reply.body, CAPABILITIES.provider, reply.status)
        if patch.phones and stored and left_over(patch.phones, stored.phone_numbers or ()):
            record, kept = await self._look_for_kept_numbers(remote_id, patch)
            return Updated(record=record, warnings=prepared.warnings + kept)
        return Updated(record=self._untold(remote_id), warnings=prepared.warnings)

    async def delete(self, remote_id: str) -> None:
        raise OperationUnsupported(CAPABILITIES.provider, "Klen AI has no call that deletes a contact.")

    async def find_created(self, sought: Sought) -> Sighting:
        body = self.plan_create(sought.draft).body
        # The search covers the first name too, so a contact without an address is found by that.
        found = await self._search(body.get("email") or body["first_name"])
        return looking.sighting(each_once(found), body, sought.since, self._clock())

    async def find_matches(self, match: Match) -> tuple[Record, ...]:
        if not match.emails:
            raise not_recognisable(CAPABILITIES, "holds no external id; it recognises a contact by an email address.")
        return await found_by_emails(self.find_by_email, match.emails)

    async def _prepare_update(self, remote_id: str, patch: Patch) -> tuple[Prepared, wire.Details | None]:
        """The call, and the contact as it is now where it had to be read."""
        stored: wire.Details | None = None
        if mapping.needs_stored(patch):
            with before_writing():
                stored = _details(await self._get(remote_id))
        planned = mapping.from_patch(patch, stored)
        call = Call("PATCH", f"/contacts/{remote_id}/update", planned.body, kind=CallKind.UPDATE)
        return Prepared(calls=(call,) if planned.body else (), warnings=planned.warnings), stored

    async def _search(self, text: str) -> tuple[Record, ...]:
        """Every summary whose first name, last name or email holds the text."""

        async def page(request: PageRequest) -> RecordPage:
            return await self._page(request, {"search": text}, CallKind.FIND_BY_EMAIL)

        return await walk(page, limit=MAX_PAGE_SIZE)

    async def _look_for_kept_numbers(self, remote_id: str, patch: Patch) -> tuple[Record, tuple[WriteWarning, ...]]:
        """Whether an update removes the numbers that it leaves out is not documented: look, and say so."""
        try:
            reply = await self._get(remote_id)
            contact = _details(reply)
            record = mapping.to_record(contact, fetched_at=self._clock(), raw=reply.body)
        except ProviderFailure:
            message = "Whether Klen AI removed the numbers that the new list leaves out could not be seen."
            return self._untold(remote_id), (dropped(Field.PHONES, message),)
        if not left_over(patch.phones or (), contact.phone_numbers or ()):
            return record, ()
        message = "Klen AI kept numbers that the new list leaves out: it has no call that removes one."
        return record, (dropped(Field.PHONES, message),)

    async def _get(self, remote_id: str) -> Reply:
        return await self._upstream.send(Call("GET", f"/contacts/{remote_id}", kind=CallKind.READ))

    def _record(self, reply: Reply) -> Record:
        return mapping.to_record(_details(reply), fetched_at=self._clock(), raw=reply.body)

    async def _page(self, request: PageRequest, query: dict[str, str], kind: CallKind) -> RecordPage:
        token = PageToken.read(request.token, request.limit, maximum=MAX_PAGE_SIZE)
        paging = {"page": str(token.page), "limit": str(token.limit)}
        reply = await self._upstream.send(Call("GET", "/contacts", query={**paging, **query}, kind=kind))
        page = decode(reply.body, wire.SummaryPage, CAPABILITIES.provider, reply.status)
        now = self._clock()
        raws = raw_items(reply.body, "contacts", page.contacts, wanted=request.raw)
        records = tuple(
            [mapping.to_summary(item, fetched_at=now, raw=raw) for item, raw in zip(page.contacts, raws, strict=True)]
        )
        next_token = next_page(token, page.pages, len(records))
        return RecordPage(records=records, token=str(token), next_token=next_token, total=page.count)

    def _untold(self, remote_id: str) -> Record:
        """The record behind a write whose answer is an acknowledgement."""
        key = RecordKey(CAPABILITIES.provider, remote_id)
        return Record(key=key, known=frozenset(), fetched_at=self._clock())


def _details(reply: Reply) -> wire.Details:
    return decode(reply.body, wire.Details, CAPABILITIES.provider, reply.status)


def _creation(planned: Planned) -> Call:
    return Call("POST", "/contacts/create", planned.body, kind=CallKind.CREATE)


def _word_to_ask_for(status: ContactStatus) -> str | None:
    """The one word that stands for a status; None when several do and the gateway has to filter."""
    words = [word for word, meaning in mapping.STATUS_OF_WORD.items() if meaning is status]
    if not words:
        raise FieldUnsupported(CAPABILITIES.provider, f"Klen AI has no word for {status.name}.")
    return words[0] if len(words) == 1 else None
