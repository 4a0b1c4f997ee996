"""A record that was read back after a write, held against what the write wanted; pure.

Generous where a provider may write a value its own way, strict where a value is lost. Which item of a list
is the primary one and in which order the items stand is not judged: providers differ, and say so beforehand.
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from gateway.domain.changes import (
    Changes,
    Patch,
    WantedAddress,
    WantedCustomFields,
    WantedEmail,
    WantedPhone,
    WantedTags,
)
from gateway.domain.compare import email_key, text_key
from gateway.domain.contact import Address, Email, Field, Phone, PhoneType, Record
from gateway.domain.names import join_name
from gateway.domain.same_json import is_empty, same_json
from gateway.domain.writes import WriteWarning, not_stored

# Cometly shows no more items of a list, so what a list of this length lacks may still be stored.
MOST_SHOWN = 25

ADDRESS_PARTS = ("street", "street2", "city", "state", "postal_code", "country")


def not_stored_warnings(
    changes: Changes, record: Record, warned: Iterable[WriteWarning], display_name: str
) -> tuple[WriteWarning, ...]:
    """One warning per field that `record` does not hold as wanted. No message quotes a value.

    `warned` is what was said of this write before: what is dropped, derived or coerced reads back
    differently by nature, so those fields are left out.
    """
    paths = [warning.field for warning in warned]
    return tuple(
        not_stored(field, _message(changes, field, display_name))
        for field in missing(changes, record)
        if not any(path[: len(field.input_path)] == field.input_path for path in paths)
    )


def _message(changes: Changes, field: Field, display_name: str) -> str:
    if changes.value(field) is None:
        return f"{display_name} still holds a value that was to be cleared."
    return f"{display_name} answers another value after the write than the one that was sent."


def missing(changes: Changes, record: Record) -> tuple[Field, ...]:
    """The mentioned fields whose wanted value the record demonstrably does not hold.

    `changes` are normalised and screened for the provider of `record`. What the record is no
    authority on is unknown, never missing.
    """
    return tuple(
        field for field in changes.mentioned if is_shown(field, changes, record) and not _held(field, changes, record)
    )


def is_shown(field: Field, changes: Changes, record: Record) -> bool:
    """Whether the record can prove anything about the field."""
    match field:
        case Field.KLEN_STATUS:
            return Field.STATUS in record.known
        case Field.STATUS if changes.klen_status:
            # The exact word is written instead, and may mean another status.
            return False
        case Field.STATUS if changes.status is not None and record.status is None:
            # A word without a unified meaning says nothing against the wanted status; no word at all does.
            return field in record.known and record.provider_status is None
    return field in record.known


def _held(field: Field, changes: Changes, record: Record) -> bool:
    wanted = changes.value(field)
    match field:
        case Field.NAME:
            return _name_held(changes, record)
        case Field.FIRST_NAME | Field.LAST_NAME if _parts_joined_alike(changes, record):
            return True
        case Field.KLEN_STATUS:
            stored: Any = record.provider_status
        case _:
            stored = record.value(field)
    if wanted is None:
        return stored is False or is_empty(stored)
    return _JUDGES.get(field, _text_held)(wanted, stored)


def _text_held(wanted: str, stored: str | None) -> bool:
    return stored is not None and text_key(stored) == text_key(wanted)


def _name_held(changes: Changes, record: Record) -> bool:
    """A cleared whole name is what is left of its parts, where the write gives any.

    Cometly, the one provider that shows no parts, keeps the older names beside a new one and shows them in an
    order that is not documented: another name after an update does not deny the new one.
    """
    wanted = changes.name or join_name(changes.first_name or None, changes.last_name or None)
    shown = [name for name in (record.name, join_name(record.first_name, record.last_name)) if name]
    if not wanted:
        return is_empty(record.name)
    if changes.name and shown and isinstance(changes, Patch) and Field.FIRST_NAME not in record.known:
        return True
    return any(_text_held(wanted, name) for name in shown)


def _parts_joined_alike(changes: Changes, record: Record) -> bool:
    """Another split of the same whole name loses nothing."""
    wanted = join_name(changes.first_name or None, changes.last_name or None)
    both = bool(changes.first_name and changes.last_name)
    return both and _text_held(wanted or "", join_name(record.first_name, record.last_name))


def _site_held(wanted: str, stored: str | None) -> bool:
    """A scheme that is added and a slash at the end are the provider's own way to write an address."""
    return stored is not None and _site_key(stored) == _site_key(wanted)


def _site_key(text: str) -> str:
    return text_key(text).removeprefix("https://").removeprefix("http://").removesuffix("/")


def _list_held(held: Callable[[Any, Any], bool], wanted: Sequence[Any], stored: Sequence[Any] | None) -> bool:
    """Lists are replaced whole: every wanted item is there, and nothing else is left."""
    shown = stored or ()
    all_there = all(any(held(one, item) for item in shown) for one in wanted)
    none_left = all(any(held(one, item) for one in wanted) for item in shown)
    return none_left and (all_there or len(shown) >= MOST_SHOWN)


def _email_held(wanted: WantedEmail, stored: Email) -> bool:
    return email_key(wanted.address) == stored.normalized


def _phone_held(wanted: WantedPhone, stored: Phone) -> bool:
    """OTHER is also what is read where a provider keeps no type, so it denies none."""
    number = Phone(number=wanted.number, e164=wanted.e164, type=PhoneType.OTHER).comparable
    same_number = number.removeprefix("+") == stored.comparable.removeprefix("+")
    type_denied = wanted.type is not None and stored.type not in (wanted.type, PhoneType.OTHER)
    mark_denied = None not in (wanted.do_not_call, stored.do_not_call) and wanted.do_not_call != stored.do_not_call
    return same_number and not type_denied and not mark_denied


def _addresses_held(wanted: Sequence[WantedAddress], stored: Sequence[Address] | None) -> bool:
    # An address of a country alone reads as none where the provider fills countries in by itself.
    if not stored and all(one.parts == (one.country,) for one in wanted):
        return True
    return _list_held(_address_held, wanted, stored)


def _address_held(wanted: WantedAddress, stored: Address) -> bool:
    """The same line, or every wanted part in its place; one whose place is empty may stand elsewhere in the line."""
    lines = {_words(stored.formatted)}
    if stored.country_may_be_default and not wanted.country:
        lines.add(_words(stored.without_country))
    if _words(wanted.one_line) in lines or (wanted.parts and _words(" ".join(wanted.parts)) in lines):
        return True
    in_line = set(_words(stored.formatted))
    pairs = [(getattr(wanted, part), getattr(stored, part)) for part in ADDRESS_PARTS]
    return bool(wanted.parts) and all(
        _text_held(part, place) if place else in_line.issuperset(_words(part)) for part, place in pairs if part
    )


def _words(line: str) -> tuple[str, ...]:
    return tuple(text_key(line).replace(",", " ").split())


def _tags_held(wanted: WantedTags, stored: Sequence[str] | None) -> bool:
    there = {text_key(tag) for tag in stored or ()}
    if wanted.whole is not None:
        return there == {text_key(tag) for tag in wanted.whole}
    added = {text_key(tag) for tag in wanted.add}
    removed = {text_key(tag) for tag in wanted.remove} - added
    return added <= there and not removed & there


def _custom_fields_held(wanted: WantedCustomFields, stored: Mapping[str, Any] | None) -> bool:
    shown = stored or {}
    judged = {key: value for key, value in shown.items() if key in wanted.values} if wanted.merge else shown
    return same_json(wanted.values, judged)


_JUDGES: Mapping[Field, Callable[[Any, Any], bool]] = {
    Field.EMAILS: partial(_list_held, _email_held),
    Field.PHONES: partial(_list_held, _phone_held),
    Field.ADDRESSES: _addresses_held,
    Field.WEBSITE: _site_held,
    Field.STATUS: operator.is_,
    Field.TAGS: _tags_held,
    Field.CUSTOM_FIELDS: _custom_fields_held,
    Field.UNSUBSCRIBED: lambda wanted, stored: wanted is bool(stored),
}
