"""The Gately API: admission, its forms of error, and the contact endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from math import ceil
from typing import ClassVar

from gateway.sandbox.credentials import GATELY_KEY, GATELY_PROJECT_ID
from gateway.sandbox.exchange import Clock, JsonObject, Received, Refusal, Reply, utc_now
from gateway.sandbox.fields import positive_parameter, read_object, summary, unknown_parameters
from gateway.sandbox.gately.book import GatelyBook
from gateway.sandbox.gately.contact import STATUSES, GatelyContact, GatelyView
from gateway.sandbox.gately.rules import check_create, check_update
from gateway.sandbox.gately.side_routes import GatelySideRoutes
from gateway.sandbox.gately.switches import GatelySwitches
from gateway.sandbox.routes import Route
from gateway.sandbox.simulator import Simulator, Sleep

_LIST_PARAMETERS = ("page", "limit", "search", "status", "tags", "segment_id")
_REQUESTS_A_MINUTE = 60


class GatelySimulator(Simulator):
    """One Gately project; `switches` may be exchanged while it runs, `reset` restores them."""

    provider: ClassVar[str] = "gately"
    base_path: ClassVar[str] = "/api/v1"

    def __init__(
        self,
        switches: GatelySwitches | None = None,
        *,
        stock: Callable[[], GatelyBook] = GatelyBook,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._first_switches = switches or GatelySwitches()
        self._stock = stock
        self.switches = self._first_switches
        self.book = stock()
        super().__init__(clock=clock, sleep=sleep)

    @property
    def contacts(self) -> dict[str, GatelyContact]:
        return self.book.contacts

    @property
    def view(self) -> GatelyView:
        return GatelyView(GATELY_PROJECT_ID, self.switches, self.book.tags)

    def make_routes(self) -> tuple[Route, ...]:
        return (
            *GatelySideRoutes(self).routes(),
            Route("POST", "/contacts", "create", self._create),
            Route("GET", "/contacts", "list", self._list),
            Route("GET", "/contacts/{id}", "read", self._read),
            Route("PATCH", "/contacts/{id}", "update", self._update),
            Route("DELETE", "/contacts/{id}", "delete", self._delete),
        )

    def admit(self, received: Received, operation: str) -> None:
        if received.bearer != GATELY_KEY:
            raise Refusal(401, "Missing or invalid credentials")
        project = received.headers.get("x-project-id")
        if project is None and self.switches.project_header == "required":
            raise Refusal(400, "X-Project-ID is required")
        if project not in (None, GATELY_PROJECT_ID):
            raise Refusal(403, "The key does not belong to this project")
        if self.switches.rate_limit:
            self._spend()

    def refuse(self, refusal: Refusal) -> Reply:
        status, text = refusal.status, refusal.message
        match self.switches.error_form:
            case "error":
                return Reply.json(status, {"error": text})
            case "error_object":
                code = refusal.code or f"http_{status}"
                return Reply.json(status, {"error": {"code": code, "message": text}})
            case "message":
                return Reply.json(status, {"message": text})
            case "success_false":
                return Reply.json(status, {"success": False, "error": text})
            case "empty":
                return Reply(status)
            case "text":
                return Reply(status, text.encode(), "text/plain; charset=utf-8")

    def restock(self) -> None:
        self.switches = self._first_switches
        self.book = self._stock()

    def describe_contacts(self) -> list[JsonObject]:
        return [self.view.details(contact) for contact in self.contacts.values()]

    def _spend(self) -> None:
        spent = self.budgets.spend("key", limit=_REQUESTS_A_MINUTE)
        if spent.retry_after_seconds is None:
            return
        seconds, form = spent.retry_after_seconds, self.switches.retry_after
        when = format_datetime(self.clock() + timedelta(seconds=seconds), usegmt=True)
        header = ("Retry-After", when if form == "date" else str(seconds))
        raise Refusal(429, "Too many requests", headers=() if form == "absent" else (header,))

    def _create(self, received: Received, _: str) -> Reply:
        wanted = check_create(read_object(received), self.switches)
        self.book.refuse_taken_email(wanted["email"], self.switches)
        now = self.clock()
        contact = GatelyContact(self.book.new_id("contact"), wanted["name"], wanted["email"], now, now)
        self.book.change(contact, wanted, self.switches, now)
        self.contacts[contact.id] = contact
        return Reply.json(self.switches.create_status, self.view.created(contact))

    def _read(self, received: Received, contact_id: str) -> Reply:
        return Reply.json(200, self.view.details(self.book.get(contact_id, self.switches)))

    def _update(self, received: Received, contact_id: str) -> Reply:
        contact = self.book.get(contact_id, self.switches)
        changes = check_update(read_object(received), self.switches)
        if "email" in changes:
            self.book.refuse_taken_email(changes["email"], self.switches, but=contact.id)
        now = self.clock()
        self.book.change(contact, changes, self.switches, now)
        if changes.get("unsubscribed") is False:
            contact.unsubscribes.clear()
        if self.switches.update_sets_last_contacted:
            contact.last_contacted_at = now
        return Reply.json(200, self.view.updated(contact))

    def _delete(self, received: Received, contact_id: str) -> Reply:
        del self.contacts[self.book.get(contact_id, self.switches).id]
        return Reply.json(self.switches.delete_status, {"message": "Contact deleted successfully"})

    def _list(self, received: Received, _: str) -> Reply:
        page, limit = self._read_paging(received)
        found = [contact for contact in self.contacts.values() if self._is_wanted(contact, received)]
        newest_first = self.switches.list_order == "newest_first"
        found.sort(key=lambda contact: contact.created_at, reverse=newest_first)
        shown = found[(page - 1) * limit : page * limit]
        pagination = {"page": page, "limit": limit, "total": len(found), "pages": ceil(len(found) / limit)}
        return Reply.json(200, {"contacts": [self.view.item(contact) for contact in shown], "pagination": pagination})

    def _read_paging(self, received: Received) -> tuple[int, int]:
        query = received.query
        if self.switches.unknown_fields == "refused" and (odd := unknown_parameters(query, _LIST_PARAMETERS)):
            raise Refusal(self.switches.validation_status, summary(odd), complaints=odd)
        page = positive_parameter(query, "page", default=1)
        limit = positive_parameter(query, "limit", default=50)
        too_long = limit is not None and limit > 200 and self.switches.limit_above_maximum == "refused"
        if page is None or limit is None or too_long:
            raise Refusal(400, "page must be from 1, limit from 1 to 200")
        if "status" in query and query["status"] not in STATUSES:
            raise Refusal(self.switches.validation_status, f"status must be one of {', '.join(STATUSES)}")
        if "segment_id" in query:
            raise Refusal(404, "Segment not found")
        return page, min(limit, 200)

    def _is_wanted(self, contact: GatelyContact, received: Received) -> bool:
        query = received.query
        if "status" in query and contact.status != query["status"]:
            return False
        places = [contact.name, contact.email]
        if self.switches.search_covers == "name_email_company":
            places.append(contact.company or "")
        if not any(query.get("search", "").casefold() in place.casefold() for place in places):
            return False
        names = [name for name in query.get("tags", "").split(",") if name]
        found = [self.book.find_tag(name, self.switches) for name in names]
        carried = [tag is not None and tag.id in contact.tags for tag in found]
        enough = all if self.switches.tag_filter == "all" else any
        return not names or enough(carried)
