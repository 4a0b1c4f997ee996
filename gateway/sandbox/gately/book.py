"""The contacts and tags of one simulated Gately project."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from gateway.sandbox.exchange import JsonObject, Refusal
from gateway.sandbox.gately.contact import GatelyContact, Tag
from gateway.sandbox.gately.switches import GatelySwitches

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(slots=True)
class GatelyBook:
    """Contacts by id, oldest first; ids are made of a counter, so every run has the same ones."""

    contacts: dict[str, GatelyContact] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    _made: int = 0

    def new_id(self, kind: str) -> str:
        self._made += 1
        return str(uuid5(NAMESPACE_URL, f"https://gately.test/{kind}/{self._made}"))

    def get(self, contact_id: str, switches: GatelySwitches) -> GatelyContact:
        """Raises: Refusal 404, or the status of the switch for an id that is no UUID."""
        if contact := self.contacts.get(contact_id):
            return contact
        status = 404 if _UUID.fullmatch(contact_id) else switches.malformed_id_status
        raise Refusal(status, "Contact not found")

    def refuse_taken_email(self, email: str, switches: GatelySwitches, *, but: str | None = None) -> None:
        """Raises: Refusal when another contact has the email."""
        wanted = _comparable(email, switches)
        for contact in self.contacts.values():
            if contact.id != but and _comparable(contact.email, switches) == wanted:
                raise Refusal(switches.duplicate_status, "A contact with this email already exists")

    def tag_ids(self, names: Iterable[str], switches: GatelySwitches, now: datetime) -> list[str]:
        """The ids of the tags of these names; unknown ones are created, repeated ones count once."""
        return list(dict.fromkeys(self.tag_named(name, switches, now).id for name in names))

    def tag_named(self, name: str, switches: GatelySwitches, now: datetime) -> Tag:
        found = self.find_tag(name, switches)
        if found is None:
            found = Tag(self.new_id("tag"), name, None, now)
            self.tags[found.id] = found
        return found

    def find_tag(self, name: str, switches: GatelySwitches) -> Tag | None:
        folds = switches.tag_names == "case_insensitive"
        same = (tag for tag in self.tags.values() if tag.name == name)
        alike = (tag for tag in self.tags.values() if folds and tag.name.casefold() == name.casefold())
        return next(same, None) or next(alike, None)

    def change(self, contact: GatelyContact, changes: JsonObject, switches: GatelySwitches, now: datetime) -> None:
        """Set the given fields, already checked; None clears."""
        for name, value in changes.items():
            if name == "tags":
                contact.tags = self.tag_ids(value or [], switches, now)
            elif name == "custom_fields":
                contact.custom_fields = dict(value or {})
            else:
                setattr(contact, name, value)
        contact.updated_at = now


def _comparable(email: str, switches: GatelySwitches) -> str:
    return email.casefold() if switches.email_comparison == "case_insensitive" else email
