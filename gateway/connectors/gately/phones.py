"""Gately's two slots for phone numbers."""

from collections.abc import Iterable

from gateway.domain.changes import WantedPhone
from gateway.domain.contact import Field, PhoneType
from gateway.domain.writes import WriteWarning, coerced, dropped


def phone_slots(phones: Iterable[WantedPhone], warnings: list[WriteWarning]) -> dict[str, str | None]:
    """The first mobile number and the first other one; a slot that gets none is emptied."""
    slots: dict[str, str | None] = {"phone": None, "mobile": None}
    for item in phones:
        slot = "mobile" if item.type in (None, PhoneType.MOBILE) else "phone"
        if slots[slot] is not None:
            warnings.append(dropped(Field.PHONES, f"Gately keeps one number as {slot}.", item.position))
            continue
        slots[slot] = item.number
        if item.type in (PhoneType.WORK, PhoneType.HOME):
            message = "Gately keeps no type of a number but mobile; it reads back as OTHER."
            warnings.append(coerced(Field.PHONES, message, item.position, "type"))
        if item.do_not_call is not None:
            message = "Gately keeps no do-not-call mark."
            warnings.append(dropped(Field.PHONES, message, item.position, "doNotCall"))
    return slots
