"""The Klen AI API: admission with its machine codes, and the contact endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import ClassVar

from gateway.sandbox.credentials import KLEN_KEY
from gateway.sandbox.exchange import Clock, JsonObject, Received, Refusal, Reply, utc_now
from gateway.sandbox.fields import read_object
from gateway.sandbox.klen.contact import (
    ADDRESS_PARTS,
    CLOSED_TEAM,
    DEFAULTS,
    OPEN_TEAMS,
    KlenContact,
    KlenView,
)
from gateway.sandbox.klen.listing import list_page
from gateway.sandbox.klen.phones import PhoneWriter
from gateway.sandbox.klen.rules import check_create, check_update, refuse_missing_first_name
from gateway.sandbox.klen.switches import KlenSwitches
from gateway.sandbox.routes import Matched, Route, find_route
from gateway.sandbox.simulator import Simulator, Sleep

_REQUESTS_A_MINUTE = 60
_FIRST_ID = 9001
_CODES = {
    400: "validation_error",
    401: "invalid_key",
    403: "permission_denied",
    404: "not_found",
    429: "rate_limit_exceeded",
}


@dataclass(slots=True)
class KlenAccount:
    """Contacts by id, oldest first."""

    contacts: dict[int, KlenContact] = field(default_factory=dict)
    phones_made: int = 300

    def new_id(self) -> int:
        return max(self.contacts, default=_FIRST_ID - 1) + 1

    def new_phone_id(self) -> int:
        self.phones_made += 1
        return self.phones_made


class KlenSimulator(Simulator):
    """One Klen account; `switches` may be exchanged while it runs, `reset` restores them."""

    provider: ClassVar[str] = "klen"
    base_path: ClassVar[str] = "/api/v1"

    def __init__(
        self,
        switches: KlenSwitches | None = None,
        *,
        stock: Callable[[], KlenAccount] = KlenAccount,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._first_switches = switches or KlenSwitches()
        self._stock = stock
        self.switches = self._first_switches
        self.account = stock()
        super().__init__(clock=clock, sleep=sleep)

    @property
    def contacts(self) -> dict[int, KlenContact]:
        return self.account.contacts

    @property
    def view(self) -> KlenView:
        return KlenView(self.switches)

    def make_routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/contacts/create", "create", self._create),
            Route("GET", "/contacts", "list", self._list),
            Route("GET", "/contacts/{id}", "read", self._read),
            Route("PATCH", "/contacts/{id}/update", "update", self._patch),
            Route("PUT", "/contacts/{id}/update", "update", self._put),
        )

    def match(self, received: Received) -> Matched:
        if self.switches.trailing_slash == "redirected_to":
            if not received.path.endswith("/"):
                location = ("Location", f"{self.base_path}{received.path}/")
                raise Refusal(301, "Moved", headers=(location,))
            return find_route(self.routes, received.method, received.path.removesuffix("/"))
        return super().match(received)

    def admit(self, received: Received, operation: str) -> None:
        key = received.bearer or received.headers.get("x-api-key") or received.query.get("api_key")
        if not key:
            raise Refusal(401, "An API key is required", code="authentication_required")
        if key != KLEN_KEY:
            raise Refusal(401, "The API key is unknown or inactive", code="invalid_key")
        needed = self.switches.write_permission if operation in ("create", "update") else "can_read_contacts"
        if needed not in self.switches.permissions:
            raise Refusal(403, f"The key lacks {needed}", code="permission_denied")
        if self.switches.rate_limit:
            self._spend()

    def refuse(self, refusal: Refusal) -> Reply:
        unlisted = "server_error" if refusal.status >= 500 else f"http_{refusal.status}"
        code = refusal.code or _CODES.get(refusal.status, unlisted)
        body: JsonObject = {"error": code, "message": refusal.message}
        if refusal.complaints and self.switches.validation_details == "details_key":
            body["message"] = "The request is invalid"
            body["details"] = {one.field: one.message for one in refusal.complaints}
        return Reply.json(refusal.status, body)

    def restock(self) -> None:
        self.switches = self._first_switches
        self.account = self._stock()

    def describe_contacts(self) -> list[JsonObject]:
        return [self.view.details(contact) | {"team_id": contact.team_id} for contact in self.contacts.values()]

    def _spend(self) -> None:
        spent = self.budgets.spend("key", limit=_REQUESTS_A_MINUTE)
        if spent.retry_after_seconds is None:
            return
        seconds, form = spent.retry_after_seconds, self.switches.retry_after
        when = format_datetime(self.clock() + timedelta(seconds=seconds), usegmt=True)
        header = ("Retry-After", when if form == "date" else str(seconds))
        raise Refusal(429, "Too many requests", headers=() if form == "absent" else (header,))

    def _contact(self, text: str) -> KlenContact:
        contact = self.contacts.get(int(text)) if text.isascii() and text.isdigit() else None
        if contact is None:
            raise Refusal(404, "Contact not found", code="not_found")
        if contact.team_id == CLOSED_TEAM:
            status = self.switches.foreign_contact_status
            raise Refusal(status, "Contact not found", code="not_found" if status == 404 else "permission_denied")
        return contact

    def _phone_writer(self) -> PhoneWriter:
        return PhoneWriter(self.switches, self.clock(), self.account.new_phone_id)

    def _create(self, received: Received, _: str) -> Reply:
        sent = check_create(read_object(received), self.switches)
        self._refuse_team(sent)
        self._refuse_taken_email(sent)
        phones = self._phone_writer().created(sent.pop("phone_numbers", []))
        contact = KlenContact(self.account.new_id(), sent["first_name"], self.clock())
        _change(contact, sent)
        contact.phone_numbers = phones
        self.contacts[contact.id] = contact
        return Reply.json(self.switches.create_status, self._acknowledgement(contact))

    def _acknowledgement(self, contact: KlenContact) -> JsonObject:
        message = {"message": "Contact created successfully"}
        match self.switches.create_answer:
            case "id" | "contact_id" as key:
                return {key: contact.id, **message}
            case "contact":
                return {"contact": {"id": contact.id}, **message}
            case "none":
                return dict(message)

    def _refuse_team(self, sent: JsonObject) -> None:
        team = sent.get("team_id")
        if team == CLOSED_TEAM:
            raise Refusal(403, "No access to this team", code="team_access_denied")
        if team is not None and team not in OPEN_TEAMS:
            raise Refusal(404, "No such team", code="team_not_found")

    def _refuse_taken_email(self, sent: JsonObject, *, but: int | None = None) -> None:
        wanted, rule = sent.get("email"), self.switches.duplicate_email
        if rule == "allowed" or wanted is None:
            return
        if any(one.id != but and (one.email or "").casefold() == wanted.casefold() for one in self.contacts.values()):
            raise Refusal(int(rule), "A contact with this email already exists", code="validation_error")

    def _read(self, received: Received, text: str) -> Reply:
        return Reply.json(200, self.view.details(self._contact(text)))

    def _patch(self, received: Received, text: str) -> Reply:
        contact = self._contact(text)
        sent = check_update(read_object(received), self.switches)
        if self.switches.custom_context == "merged":
            for name in ("custom_context", "industry_context"):
                if sent.get(name):
                    sent[name] = getattr(contact, name) | sent[name]
        together = self.switches.address_parts == "replaced_together"
        if together and any(part in sent for part in ADDRESS_PARTS):
            sent = {**dict.fromkeys(ADDRESS_PARTS), "country": DEFAULTS["country"], **sent}
        return self._store(contact, sent, removes_phones=self.switches.patch_phones == "removes_unlisted")

    def _put(self, received: Received, text: str) -> Reply:
        contact = self._contact(text)
        body = read_object(received)
        refuse_missing_first_name(body)
        sent = check_update(body, self.switches)
        if self.switches.put_absent == "cleared":
            # `team_id` stays: a contact that loses its team would be nobody's.
            cleared = [
                "last_name",
                "email",
                "company",
                "website",
                "tags",
                "phone_numbers",
                "custom_context",
                "industry_context",
            ]
            sent = {**dict.fromkeys((*cleared, *ADDRESS_PARTS)), **DEFAULTS, **sent}
        return self._store(contact, sent, removes_phones=self.switches.put_absent == "cleared")

    def _store(self, contact: KlenContact, sent: JsonObject, *, removes_phones: bool) -> Reply:
        self._refuse_team(sent)
        self._refuse_taken_email(sent, but=contact.id)
        if "phone_numbers" in sent:
            entries = sent.pop("phone_numbers")
            # A null clears, which nothing but a removal can do.
            removes = removes_phones or entries is None
            held = contact.phone_numbers
            contact.phone_numbers = self._phone_writer().updated(held, entries or [], removes_unlisted=removes)
        _change(contact, sent)
        if self.switches.update_answer == "empty" or self.switches.update_status == 204:
            return Reply(self.switches.update_status)
        return Reply.json(self.switches.update_status, {"message": "Contact updated successfully"})

    def _list(self, received: Received, _: str) -> Reply:
        return Reply.json(200, list_page(self.contacts.values(), received, self.view))


def _change(contact: KlenContact, sent: JsonObject) -> None:
    """Set the given fields, already checked; None clears."""
    for name, value in sent.items():
        if name == "tags":
            contact.tags = list(dict.fromkeys(value or []))
        elif name in ("custom_context", "industry_context"):
            setattr(contact, name, dict(value or {}))
        else:
            setattr(contact, name, value)
