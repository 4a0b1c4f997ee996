"""Cometly: lists of strings, a sparse PUT that replaces them whole, and ids that a merge may replace.

Source: docs/providers/cometly.md.
"""

import re
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.clock import utc_now
from gateway.connectors.base import Match, PageRequest, Planned, Prepared, RecordPage, Sighting, Sought, Updated
from gateway.connectors.cometly import looking, mapping, wire
from gateway.connectors.cometly.capabilities import CAPABILITIES
from gateway.connectors.cometly.listing import Listing
from gateway.connectors.cometly.slots import Slots
from gateway.connectors.duplicates import or_duplicate
from gateway.connectors.looking import not_recognisable
from gateway.connectors.stages import before_writing
from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import Field, Record, RecordKey
from gateway.domain.errors import DuplicateRecord, InputRefused, OperationUnsupported, ProviderFailure
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.domain.writes import WriteAction
from gateway.resilience.standing import Standing
from gateway.upstream.decode import decode
from gateway.upstream.upstream import Upstream


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
        self._listing = Listing(upstream, self._reader, time_zone=time_zone, clock=clock)
        self._clock = clock

    @property
    def standing(self) -> Standing:
        return self._upstream.standing

    async def aclose(self) -> None:
        await self._upstream.aclose()

    def id_problem(self, remote_id: str) -> str | None:
        return None if re.fullmatch(r"[1-9][0-9]{0,18}", remote_id) else "Cometly ids are whole numbers"

    async def read(self, remote_id: str) -> Record:
        return (await self._get(remote_id)).read_once(self._record)

    async def list_page(self, request: PageRequest) -> RecordPage:
        return await self._listing.page(request)

    async def find_by_email(self, address: str) -> tuple[Record, ...]:
        raise OperationUnsupported(CAPABILITIES.provider, "Cometly cannot look an email address up.")

    def plan_create(self, draft: Draft) -> Planned:
        return mapping.from_draft(draft, self._slots)

    def prepare_create(self, draft: Draft) -> Prepared:
        planned = self.plan_create(draft)
        return Prepared(calls=(_creation(planned),), warnings=planned.warnings)

    async def create(self, draft: Draft, planned: Planned | None = None) -> Record:
        # Cometly has no idempotency key: a lost reply leaves the outcome unknown, so this is never replayed.
        call = _creation(planned or self.plan_create(draft))
        try:
            reply = await self._upstream.send(call)
        except (InputRefused, DuplicateRecord) as failure:
            if not draft.emails or not _may_be_taken(failure):
                raise
            look = looking.with_any_email(self._listing, [email.address for email in draft.emails])
            raise await or_duplicate(failure, CAPABILITIES.display_name, look) from failure
        return self._written(reply, call)

    def plan_update(self, patch: Patch) -> Planned:
        return mapping.from_patch(patch, None, self._slots)

    async def prepare_update(self, remote_id: str, patch: Patch) -> Prepared:
        stored: wire.Contact | None = None
        if mapping.needs_stored(patch):
            with before_writing():
                stored = _contact(await self._get(remote_id))
        planned = mapping.from_patch(patch, stored, self._slots)
        call = Call("PUT", f"/contacts/{remote_id}", planned.body, kind=CallKind.UPDATE)
        return Prepared(calls=(call,) if planned.body else (), warnings=planned.warnings)

    async def update(self, remote_id: str, patch: Patch) -> Updated:
        prepared = await self.prepare_update(remote_id, patch)
        if not prepared.calls:
            key = RecordKey(CAPABILITIES.provider, remote_id)
            untouched = Record(key=key, known=frozenset(), fetched_at=self._clock())
            return Updated(record=untouched, action=WriteAction.UNCHANGED, warnings=prepared.warnings)
        (call,) = prepared.calls
        reply = await self._upstream.send(call)
        return Updated(record=self._written(reply, call), warnings=prepared.warnings)

    async def delete(self, remote_id: str) -> None:
        raise OperationUnsupported(CAPABILITIES.provider, "Cometly has no call that deletes a contact.")

    async def find_created(self, sought: Sought) -> Sighting:
        body = self.plan_create(sought.draft).body
        return await looking.sighting(self._listing, body, sought.since, self._clock())

    async def find_matches(self, match: Match) -> tuple[Record, ...]:
        if not match.emails:
            raise not_recognisable(CAPABILITIES, "holds no external id; it recognises a contact by an email address.")
        return await looking.with_any_email(self._listing, match.emails)

    async def _get(self, remote_id: str) -> Reply:
        return await self._upstream.send(Call("GET", f"/contacts/{remote_id}", kind=CallKind.READ))

    def _record(self, reply: Reply) -> Record:
        return self._reader.details(_contact(reply), fetched_at=self._clock(), raw=reply.body)

    def _written(self, reply: Reply, call: Call) -> Record:
        return self._reader.written(_contact(reply), call.body or {}, fetched_at=self._clock(), raw=reply.body)


def _contact(reply: Reply) -> wire.Contact:
    return decode(reply.body, wire.Contact, CAPABILITIES.provider, reply.status)


def _creation(planned: Planned) -> Call:
    return Call("POST", "/contacts", planned.body, kind=CallKind.CREATE)


def _may_be_taken(failure: ProviderFailure) -> bool:
    """Whether Cometly refuses an address that it holds already is not documented (ambiguity 2); if it does,
    it says so by 409, or by a 422 that names the emails."""
    blames_emails = failure.fault.upstream_status == 422 and failure.fault.field == Field.EMAILS.input_path
    return isinstance(failure, DuplicateRecord) or blames_emails
