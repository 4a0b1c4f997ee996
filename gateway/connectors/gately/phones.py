"""Gately's two slots for phone numbers: `phone`, the main one, and `mobile`."""

from collections.abc import Sequence

from gateway.domain.changes import WantedPhone
from gateway.domain.contact import Field, Phone, PhoneType
from gateway.domain.normalise import e164
from gateway.domain.writes import WriteWarning, coerced, dropped

# Naming a member of an enumeration by its class runs Python code each time.
_OTHER, _MOBILE = PhoneType.OTHER, PhoneType.MOBILE


def read_slots(phone: str | None, mobile: str | None) -> tuple[Phone, ...]:
    """`phone` is the primary one where both are filled."""
    main = (Phone(number=phone, e164=e164(phone), type=_OTHER, primary=True),) if phone else ()
    if not mobile:
        return main
    return (*main, Phone(number=mobile, e164=e164(mobile), type=_MOBILE, primary=not main))


def phone_slots(
    phones: Sequence[WantedPhone], stored: Sequence[Phone], warnings: list[WriteWarning]
) -> dict[str, str | None]:
    """The first mobile number and the first other one; a slot that gets none is emptied.

    A number without a type stays in the slot where it is stored; a new one is a mobile.
    """
    types = {number.comparable: number.type for number in stored}
    slots: dict[str, str | None] = {"phone": None, "mobile": None}
    for item in phones:
        type_ = item.type or types.get(_comparable(item), PhoneType.MOBILE)
        slot = "mobile" if type_ is PhoneType.MOBILE else "phone"
        if slots[slot] is not None:
            warnings.append(dropped(Field.PHONES, f"Gately keeps one number as {slot}.", item.position))
            continue
        slots[slot] = item.number
        _say_what_is_lost(item, warnings)
    marked = next((item for item in phones if item.primary_named), None)
    if marked and slots["phone"] not in (None, marked.number):
        message = "Gately's primary number is the one that is not a mobile."
        warnings.append(coerced(Field.PHONES, message, marked.position, "primary"))
    return slots


def _say_what_is_lost(item: WantedPhone, warnings: list[WriteWarning]) -> None:
    if item.type in (PhoneType.WORK, PhoneType.HOME):
        message = "Gately keeps no type of a number but mobile; it reads back as OTHER."
        warnings.append(coerced(Field.PHONES, message, item.position, "type"))
    if item.do_not_call is not None:
        message = "Gately keeps no do-not-call mark."
        warnings.append(dropped(Field.PHONES, message, item.position, "doNotCall"))


def _comparable(item: WantedPhone) -> str:
    return Phone(number=item.number, e164=item.e164, type=PhoneType.OTHER).comparable
