"""What the Klen simulator keeps about a contact, and the shapes it shows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gateway.sandbox.exchange import JsonObject
from gateway.sandbox.klen.switches import KlenSwitches

STAGES = ("lead", "prospect", "customer", "qualified_lead")
STATUSES = ("not_contacted", "contacted", "active")
ADDRESS_PARTS = ("address", "city", "state", "zip_code", "country")
DEFAULTS = {"country": "US", "stage": "lead", "status": "not_contacted"}
OPEN_TEAMS = (7, 8)
"""Teams whose contacts the key may see."""
CLOSED_TEAM = 9
"""A team that exists but is not open to the key."""
_ZONES = {
    "DE": "Europe/Berlin",
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "IE": "Europe/Dublin",
    "US": "America/New_York",
}


@dataclass(slots=True)
class Phone:
    id: int
    phone_number: str
    phone_type: str | None = None
    primary: bool = False
    do_not_call: bool = False
    dnc_date: datetime | None = None
    dnc_reason: str | None = None


@dataclass(slots=True)
class Note:
    id: int
    content: str
    created_at: datetime
    note_type: str
    call_result: str | None = None


@dataclass(slots=True)
class KlenContact:
    """Named as written: `address` is the street. `phone_numbers` are in the order they came."""

    id: int
    first_name: str
    created_date: datetime
    last_name: str | None = None
    email: str | None = None
    company: str | None = None
    website: str | None = None
    address: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country: str | None = DEFAULTS["country"]
    stage: str = DEFAULTS["stage"]
    status: str = DEFAULTS["status"]
    team_id: int | None = None
    tags: list[str] = field(default_factory=list)
    phone_numbers: list[Phone] = field(default_factory=list)
    custom_context: dict[str, Any] = field(default_factory=dict)
    industry_context: dict[str, Any] = field(default_factory=dict)
    last_call_date: datetime | None = None
    notes: list[Note] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


@dataclass(frozen=True, slots=True)
class KlenView:
    """Turns stored contacts into answers, as the switches say."""

    switches: KlenSwitches

    def details(self, contact: KlenContact) -> JsonObject:
        return self._trimmed(
            {
                "id": contact.id,
                "first_name": contact.first_name,
                "last_name": contact.last_name,
                "full_name": contact.full_name,
                "email": contact.email,
                "company": contact.company,
                "website": contact.website,
                "stage": contact.stage,
                "stage_display": _display(contact.stage),
                "status": contact.status,
                "status_display": _display(contact.status),
                "address": self._address(contact),
                "timezone": _ZONES.get(contact.country or "", "UTC"),
                "created_date": to_time(contact.created_date),
                "last_call_date": to_time(contact.last_call_date),
                "phone_numbers": [_phone(phone) for phone in contact.phone_numbers],
                "tags": contact.tags,
                "recent_notes": [_note(note) for note in reversed(contact.notes)],
                "custom_context": contact.custom_context,
                "industry_context": contact.industry_context,
            }
        )

    def item(self, contact: KlenContact) -> JsonObject:
        return self._trimmed(
            {
                "id": contact.id,
                "first_name": contact.first_name,
                "last_name": contact.last_name,
                "full_name": contact.full_name,
                "email": contact.email,
                "company": contact.company,
                "stage": contact.stage,
                "status": contact.status,
                "phone": self._listed_phone(contact),
                "created_date": to_time(contact.created_date),
                "last_call_date": to_time(contact.last_call_date),
                "tags": contact.tags,
            }
        )

    def _address(self, contact: KlenContact) -> JsonObject:
        return self._trimmed(
            {
                "street": contact.address,
                "city": contact.city,
                "state": contact.state,
                "zip_code": contact.zip_code,
                "country": contact.country,
            }
        )

    def _listed_phone(self, contact: KlenContact) -> str | None:
        candidates = contact.phone_numbers
        if self.switches.listed_phone == "primary":
            candidates = [phone for phone in candidates if phone.primary]
        return candidates[0].phone_number if candidates else None

    def _trimmed(self, shown: JsonObject) -> JsonObject:
        if self.switches.empty_fields == "absent":
            return {name: value for name, value in shown.items() if value is not None}
        if self.switches.empty_fields == "blank":
            dates = ("created_date", "last_call_date")
            return {name: "" if value is None and name not in dates else value for name, value in shown.items()}
        return shown


def to_time(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC without fractions, such as 2031-03-04T05:06:07Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _display(word: str) -> str:
    return word.replace("_", " ").title()


def _phone(phone: Phone) -> JsonObject:
    return {
        "id": phone.id,
        "phone_number": phone.phone_number,
        "phone_type": phone.phone_type,
        "primary": phone.primary,
        "do_not_call": phone.do_not_call,
        "dnc_date": to_time(phone.dnc_date),
        "dnc_reason": phone.dnc_reason,
    }


def _note(note: Note) -> JsonObject:
    return {
        "id": note.id,
        "content": note.content,
        "created_at": to_time(note.created_at),
        "note_type": note.note_type,
        "call_result": note.call_result,
    }
