"""What the Gately simulator keeps about a contact, and the shapes it shows of it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta, timezone
from typing import Any

from gateway.sandbox.exchange import JsonObject
from gateway.sandbox.gately.switches import GatelySwitches

STATUSES = ("new", "active", "inactive", "archived")
# The fields of the documented examples, in their order; a summary and a partial answer hold no others.
SUMMARY = [
    "id",
    "project_id",
    "name",
    "email",
    "company",
    "status",
    "unsubscribed",
    "tags",
    "custom_fields",
    "last_contacted_at",
    "created_at",
    "updated_at",
]
UPDATE_ANSWER = ["id", "name", "email", "status", "notes", "last_contacted_at", "updated_at"]
UNLISTED_ON_UPDATE = ("address_line_1", "address_line_2", "external_id")
UNLISTED_ON_READ = frozenset(
    (*UNLISTED_ON_UPDATE, "mobile", "first_name", "last_name", "city", "state", "zip", "country")
)


@dataclass(slots=True)
class Tag:
    id: str
    name: str
    color: str | None
    created_at: datetime


@dataclass(slots=True)
class UnsubscribeRecord:
    id: str
    reason: str | None
    source: str | None
    unsubscribed_at: datetime


@dataclass(slots=True)
class GatelyContact:
    """`tags` holds tag ids, oldest first."""

    id: str
    name: str
    email: str
    created_at: datetime
    updated_at: datetime
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    mobile: str | None = None
    company: str | None = None
    status: str = "new"
    notes: str | None = None
    address_line_1: str | None = None
    address_line_2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    custom_fields: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    external_id: str | None = None
    unsubscribed: bool = False
    last_contacted_at: datetime | None = None
    unsubscribes: list[UnsubscribeRecord] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class GatelyView:
    """Turns stored contacts into answers, as the switches say."""

    project_id: str
    switches: GatelySwitches
    tags: dict[str, Tag]

    def details(self, contact: GatelyContact) -> JsonObject:
        return self._trimmed(self._whole(contact, tag_dates=True))

    def item(self, contact: GatelyContact) -> JsonObject:
        whole = self._whole(contact, tag_dates=False)
        if self.switches.list_items == "summary":
            whole = {name: whole[name] for name in SUMMARY}
        return self._trimmed(whole)

    def created(self, contact: GatelyContact) -> JsonObject:
        whole = self._whole(contact, tag_dates=True)
        if self.switches.write_answers == "partial" and not self.switches.create_answers_tags:
            del whole["tags"]
        return self._trimmed(whole)

    def updated(self, contact: GatelyContact) -> JsonObject:
        whole = self._whole(contact, tag_dates=True)
        if self.switches.write_answers == "partial":
            whole = {name: whole[name] for name in UPDATE_ANSWER}
        return self._trimmed(whole)

    def unsubscribe(self, contact: GatelyContact, record: UnsubscribeRecord) -> JsonObject:
        return {
            "id": record.id,
            "contact_id": contact.id,
            "project_id": self.project_id,
            "type": "all",
            "reason": record.reason,
            "source": record.source,
            "unsubscribed_at": self.time(record.unsubscribed_at),
        }

    def tag(self, tag: Tag) -> JsonObject:
        created_at = self.time(tag.created_at)
        return {
            "id": tag.id,
            "project_id": self.project_id,
            "name": tag.name,
            "color": tag.color,
            "created_at": created_at,
        }

    def time(self, moment: datetime) -> str:
        """ISO 8601 with milliseconds, such as 2031-03-04T05:06:07.000Z."""
        hours = self.switches.timestamp_offset_hours
        text = moment.astimezone(timezone(timedelta(hours=hours))).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z") if hours == 0 else text

    def _whole(self, contact: GatelyContact, *, tag_dates: bool) -> JsonObject:
        stored = {item.name: getattr(contact, item.name) for item in fields(contact)}
        del stored["unsubscribes"]
        shown = {name: self.time(value) if isinstance(value, datetime) else value for name, value in stored.items()}
        shown["tags"] = [self._embedded_tag(self.tags[tag_id], with_date=tag_dates) for tag_id in contact.tags]
        return {"id": shown.pop("id"), "project_id": self.project_id, **shown}

    def _embedded_tag(self, tag: Tag, *, with_date: bool) -> JsonObject:
        short = {"id": tag.id, "name": tag.name, "color": tag.color}
        return {**short, "created_at": self.time(tag.created_at)} if with_date else short

    def _trimmed(self, shown: JsonObject) -> JsonObject:
        if self.switches.unlisted_on_read == "left_out":
            shown = {name: value for name, value in shown.items() if name not in UNLISTED_ON_READ}
        if self.switches.empty_fields == "null":
            return {name: None if value in ([], {}) else value for name, value in shown.items()}
        return {name: value for name, value in shown.items() if value not in (None, [], {})}
