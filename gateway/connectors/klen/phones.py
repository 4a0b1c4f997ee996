"""Klen AI's phone objects, both ways; for a write matched by number, sent with their ids, exactly one primary.

Source: docs/providers/klen.md, PhoneNumber and ambiguities 5 to 13.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.connectors.klen import wire
from gateway.domain.changes import WantedPhone
from gateway.domain.contact import Field, Phone, PhoneType, Provider
from gateway.domain.errors import InputProblem
from gateway.domain.normalise import e164

# Klen AI's words are ours; it may have others.
_TYPE_OF_WORD = {type_.value: type_ for type_ in PhoneType}
# Naming a member of an enumeration by its class runs Python code each time.
_OTHER = PhoneType.OTHER


def read_numbers(numbers: Sequence[wire.PhoneNumber] | None) -> tuple[Phone, ...]:
    return tuple([_phone(number) for number in numbers or ()])


def _phone(number: wire.PhoneNumber) -> Phone:
    """An unknown word for the type is OTHER: the number counts, not its label."""
    return Phone(
        number=number.phone_number,
        e164=e164(number.phone_number),
        type=_TYPE_OF_WORD.get((number.phone_type or "").lower(), _OTHER),
        primary=number.primary,
        do_not_call=bool(number.do_not_call),
    )


def phone_entries(
    wanted: Iterable[WantedPhone],
    *,
    stored: Sequence[wire.PhoneNumber],
    problems: list[InputProblem],
) -> list[dict[str, Any]]:
    """One entry per number that is wanted; what the caller left out keeps what is stored for it."""
    known = {comparable(number.phone_number): number for number in stored}
    entries = []
    for phone in wanted:
        if phone.e164 is None:
            problems.append(_not_e164(phone))
            continue
        entries.append(_entry(phone, phone.e164, known.get(phone.e164)))
    return entries


def left_over(wanted: Iterable[WantedPhone], stored: Iterable[wire.PhoneNumber]) -> bool:
    """Whether Klen AI holds a number that the wanted list leaves out."""
    numbers = {phone.e164 for phone in wanted}
    return any(comparable(number.phone_number) not in numbers for number in stored)


def _entry(phone: WantedPhone, number: str, stored: wire.PhoneNumber | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"phone_number": number}
    if stored is not None and stored.id is not None:
        entry = {"id": stored.id, **entry}
    kept_type = stored.phone_type if stored else None
    entry["phone_type"] = phone.type.value if phone.type else kept_type or PhoneType.MOBILE.value
    entry["primary"] = phone.primary
    if phone.do_not_call is not None:
        entry["do_not_call"] = phone.do_not_call
    elif stored is not None and stored.do_not_call:
        # Said again, in case an entry replaces the number whole: this mark is never lost by accident.
        entry["do_not_call"] = True
    return entry


def comparable(number: str) -> str:
    return e164(number) or number


def _not_e164(phone: WantedPhone) -> InputProblem:
    return InputProblem(
        path=(*Field.PHONES.input_path, str(phone.position), "number"),
        code="NOT_E164",
        message="Klen AI takes numbers in E.164 only; write it with its country code, such as +358400000001",
        provider=Provider.KLEN,
    )
