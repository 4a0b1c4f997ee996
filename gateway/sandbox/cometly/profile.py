"""What the Cometly simulator keeps about a contact, and the shapes it shows of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.sandbox.cometly.slots import SLOT_LABELS, SLOTS, to_read_value
from gateway.sandbox.cometly.switches import CometlySwitches
from gateway.sandbox.exchange import JsonObject

LISTS = ("emails", "phones", "names", "locations")
_SINGULAR = {"emails": "email", "phones": "phone", "names": "name", "locations": "location"}
_LONGEST_READ = 25


@dataclass(slots=True)
class Values:
    """The values of one list, oldest first, and the one that the list call shows."""

    oldest_first: list[str] = field(default_factory=list)
    primary: str | None = None

    def replace(self, sent: Iterable[str], switches: CometlySwitches) -> None:
        """Take a whole new list whose first value becomes the primary."""
        values = list(sent)
        if switches.repeated_values == "dropped":
            values = list(dict.fromkeys(values))
        self.primary = values[0] if values else None
        self.oldest_first = values if switches.order_after_write == "reversed" else values[::-1]

    def add(self, sent: Iterable[str]) -> None:
        """Append newer values, as a merge of two profiles does; the primary stays."""
        self.oldest_first += [value for value in sent if value not in self.oldest_first]
        self.primary = self.primary or next(iter(self.oldest_first), None)


@dataclass(slots=True)
class CometlyProfile:
    id: int
    created_at: datetime
    emails: Values = field(default_factory=Values)
    phones: Values = field(default_factory=Values)
    names: Values = field(default_factory=Values)
    locations: Values = field(default_factory=Values)
    custom_fields: dict[str, Any] = field(default_factory=dict)

    def values(self, name: str) -> Values:
        values: Values = getattr(self, name)
        return values


@dataclass(frozen=True, slots=True)
class CometlyView:
    """Turns stored profiles into answers, as the switches say."""

    switches: CometlySwitches

    def details(self, profile: CometlyProfile, *, labels: bool = False) -> JsonObject:
        shown: JsonObject = {"id": profile.id}
        for name in LISTS:
            values = profile.values(name)
            newest_first = values.oldest_first[::-1][:_LONGEST_READ]
            shown[name] = [self._value(value, values.primary) for value in newest_first]
        if self.switches.custom_fields_on_read != "absent":
            every = self.switches.custom_fields_on_read == "all_slots"
            shown["custom_fields"] = self._custom_fields(profile, every=every, labels=labels)
        return shown

    def written(self, profile_id: int, sent: JsonObject) -> JsonObject:
        """What a create or update answers: the id and the fields that were sent."""
        shown: JsonObject = {"id": profile_id}
        for name in (*LISTS, "custom_fields"):
            if name in LISTS and name in sent:
                values = sent[name] or []
                shown[name] = [self._value(value, next(iter(values), None)) for value in values]
            elif name in sent:
                shown[name] = sent[name]
        return shown

    def item(self, profile: CometlyProfile, query: set[str]) -> JsonObject:
        """A list item; `query` holds the names of the include flags that are set."""
        shown: JsonObject = {"id": profile.id}
        for name in ("emails", "names", "phones", "locations"):
            shown[_SINGULAR[name]] = profile.values(name).primary
        if "include_all_emails" in query:
            emails = profile.emails
            values = [self._value(value, emails.primary) for value in emails.oldest_first[::-1]]
            shown[self.switches.all_emails_key] = values
        if "include_comet_tokens" in query:
            shown["comet_tokens"] = []
        if "include_custom_fields" in query:
            columns = self._custom_fields(profile, every=True, labels="use_custom_field_labels" in query)
            nested = self.switches.listed_custom_fields == "nested"
            shown |= {"custom_fields": columns} if nested else columns
        return shown

    def _value(self, value: str, primary: str | None) -> str | JsonObject:
        if self.switches.value_items == "strings":
            return value
        if self.switches.primary_on_read == "unmarked":
            return {"value": value}
        return {"value": value, "is_primary": value == primary}

    def _custom_fields(self, profile: CometlyProfile, *, every: bool, labels: bool) -> JsonObject:
        shown = {
            slot: to_read_value(slot, profile.custom_fields.get(slot), self.switches)
            for slot in SLOTS
            if every or profile.custom_fields.get(slot) is not None
        }
        return {SLOT_LABELS.get(slot, slot) if labels else slot: value for slot, value in shown.items()}
