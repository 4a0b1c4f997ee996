"""The thirty numbered custom fields of Cometly: 1-15 text, 16-25 number, 26-30 date."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from gateway.sandbox.cometly.switches import CometlySwitches
from gateway.sandbox.fields import numeric

SLOTS = tuple(f"profile_field_{number}" for number in range(1, 31))
# The labels of the simulated Space; COMETLY_CUSTOM_FIELDS names the same slots.
SLOT_LABELS = {"profile_field_1": "Tier", "profile_field_16": "Seats", "profile_field_26": "Renewal"}
SLOT_NAMES = {"tier": "profile_field_1", "seats": "profile_field_16", "renewal": "profile_field_26"}
_LONGEST_TEXT = 10_240


def slot_number(slot: str) -> int:
    return int(slot.rpartition("_")[2])


def slot_complaint(slot: str, value: object) -> str | None:
    """What is wrong with a value for this slot; null is no value and fits every slot."""
    if slot not in SLOTS:
        return "is not a known custom field"
    if value is None:
        return None
    number = slot_number(slot)
    if number <= 15:
        return None if isinstance(value, str) and len(value) <= _LONGEST_TEXT else "must be a string of 10240 at most"
    if number <= 25:
        return numeric(value)
    return None if _is_date(value) else "must be a date (YYYY-MM-DD)"


def to_read_value(slot: str, value: object, switches: CometlySwitches) -> object:
    number = slot_number(slot)
    if value is None or number <= 15:
        return value
    if number <= 25:
        exact = Decimal(str(value))
        if switches.number_slots == "string":
            return str(value)
        return int(exact) if exact == exact.to_integral_value() else float(exact)
    return value if switches.date_slots == "date" else f"{value}T00:00:00.000000Z"


def _is_date(value: object) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
