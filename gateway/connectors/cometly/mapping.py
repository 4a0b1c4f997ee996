"""Cometly's lists and the unified contact, both ways; pure.

Rules: design section 7; docs/providers/cometly.md. Reads are newest first and capped, writes are whole
lists whose first item becomes primary: a read is never sent back as it came.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from msgspec import UNSET

from gateway.connectors.base import Planned
from gateway.connectors.cometly import wire
from gateway.connectors.cometly.capabilities import CAPABILITIES
from gateway.connectors.cometly.names import patched_names, say_about_parts
from gateway.connectors.cometly.slots import Slots
from gateway.connectors.cometly.values import items, texts
from gateway.domain.changes import Changes, Draft, Patch, WantedPhone
from gateway.domain.compare import email_key, text_key
from gateway.domain.contact import Address, Email, Field, Phone, PhoneType, Provider, Record, RecordKey
from gateway.domain.errors import InputProblem
from gateway.domain.names import join_name
from gateway.domain.normalise import e164
from gateway.domain.writes import WriteWarning, coerced, dropped

READABLE = CAPABILITIES.readable

# Naming a member of an enumeration by its class runs Python code each time.
_COMETLY, _OTHER = Provider.COMETLY, PhoneType.OTHER
_NAME, _EMAILS = Field.NAME, Field.EMAILS

_LIST_KEYS = {Field.NAME: "names", Field.EMAILS: "emails", Field.PHONES: "phones", Field.ADDRESSES: "locations"}


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns what Cometly sends into records; `slots` names its custom fields."""

    slots: Slots

    def details(self, contact: wire.Contact, *, fetched_at: datetime, raw: bytes) -> Record:
        """The answer to a get: everything Cometly knows but which item is primary."""
        return self._record(contact, known=READABLE, primaries={}, fetched_at=fetched_at, raw=raw)

    def written(self, contact: wire.Contact, body: Mapping[str, Any], *, fetched_at: datetime, raw: bytes) -> Record:
        """The answer to a write: only what was sent, whose first items are now primary."""
        known = {field for field, key in _LIST_KEYS.items() if getattr(contact, key) is not UNSET}
        if contact.custom_fields is not UNSET:
            known.add(Field.CUSTOM_FIELDS)
        firsts = {field: body[key][0] for field, key in _LIST_KEYS.items() if body.get(key)}
        primaries = {field: _KEY_OF[field](text) for field, text in firsts.items()}
        record = self._record(contact, known=frozenset(known), primaries=primaries, fetched_at=fetched_at, raw=raw)
        return record.informed_by(record)

    def summary(self, item: wire.Summary, *, fetched_at: datetime, raw: bytes | None) -> Record:
        """A list item: the primary values, and what was asked for beside them."""
        emails = item.emails if item.emails is not UNSET else item.all_emails
        contact = wire.Contact(
            id=item.id,
            emails=emails,
            names=[item.name] if item.name else [],
            custom_fields=item.custom_fields,
        )
        told = {
            Field.NAME: item.name,
            Field.EMAILS: item.email,
            Field.PHONES: item.phone,
            Field.ADDRESSES: item.location,
        }
        primaries = {field: _KEY_OF[field](text) for field, text in told.items() if text}
        known = _summed_up(emails is not UNSET, item.custom_fields is not UNSET)
        return self._record(contact, known=known, primaries=primaries, fetched_at=fetched_at, raw=raw)

    def _record(
        self,
        contact: wire.Contact,
        *,
        known: frozenset[Field],
        primaries: Mapping[Field, str],
        fetched_at: datetime,
        raw: bytes | None,
    ) -> Record:
        names = texts(contact.names)
        first_email = primaries.get(_EMAILS)
        return Record(
            RecordKey(_COMETLY, str(contact.id)),
            known,
            fetched_at,
            primaries.get(_NAME, names[0] if names else None),
            None,  # first name
            None,  # last name
            tuple([_email(text, primary, first_email) for text, primary in items(contact.emails)]),
            tuple(
                [
                    Phone(number=text, e164=e164(text), type=_OTHER, primary=primary)
                    for text, primary in items(contact.phones)
                ]
            ),
            tuple([Address(formatted=text, primary=primary) for text, primary in items(contact.locations)]),
            custom_fields=self.slots.read(contact.custom_fields),
            primaries=primaries,
            raw=raw,
        )


def _email(text: str, marked: bool, primary: str | None) -> Email:
    """`marked` as primary counts where nothing else has told which one is."""
    key = email_key(text)
    return Email(address=text, normalized=key, primary=marked if primary is None else key == primary)


@cache
def _summed_up(emails: bool, custom_fields: bool) -> frozenset[Field]:
    """What an item of a list tells, with or without the two that have to be asked for."""
    beside = ((Field.EMAILS, emails), (Field.CUSTOM_FIELDS, custom_fields))
    return frozenset({Field.NAME, *(field for field, is_told in beside if is_told)})


def _number_key(text: str) -> str:
    return Phone(number=text, e164=e164(text), type=_OTHER).comparable


# What Record.informed_by compares by.
_KEY_OF: Mapping[Field, Callable[[str], str]] = {
    Field.NAME: str,
    Field.EMAILS: email_key,
    Field.PHONES: _number_key,
    Field.ADDRESSES: text_key,
}


def from_draft(draft: Draft, slots: Slots) -> Planned:
    """The body of `POST /contacts`."""
    warnings: list[WriteWarning] = []
    problems: list[InputProblem] = []
    body = _lists(draft, warnings)
    if not draft.emails:
        problems.append(
            InputProblem(
                path=Field.EMAILS.input_path,
                code="REQUIRED",
                message="Cometly needs an email address.",
                provider=Provider.COMETLY,
            )
        )
    name = draft.name or join_name(draft.first_name or None, draft.last_name or None)
    if name:
        body["names"] = [name]
        say_about_parts(draft, name, warnings)
    if draft.custom_fields:
        written = slots.write(draft.custom_fields, warnings, problems)
        filled_slots = {slot: value for slot, value in written.items() if value is not None}
        if filled_slots:
            body["custom_fields"] = filled_slots
    return Planned(body=body, warnings=tuple(warnings), problems=tuple(problems))


def needs_stored(patch: Patch) -> bool:
    """Names that are not mentioned and slots that have no name may not be lost."""
    sets_name = any(value not in (UNSET, None) for value in (patch.name, patch.first_name, patch.last_name))
    half_cleared = patch.name is UNSET and None in (patch.first_name, patch.last_name)
    sets_name = sets_name and patch.name is not None
    return sets_name or half_cleared or patch.custom_fields is not UNSET


def from_patch(patch: Patch, stored: wire.Contact | None, slots: Slots) -> Planned:
    """The body of `PUT /contacts/{id}`, in which every list is whole.

    `stored` is the contact as it is now, given when needs_stored asks for it.

    Raises:
        ListTruncated: when a list that has to be sent back was shown only in part.
    """
    warnings: list[WriteWarning] = []
    problems: list[InputProblem] = []
    body = _lists(patch, warnings)
    names = patched_names(patch, stored, warnings)
    if names is not None:
        body["names"] = names
    if patch.custom_fields is not UNSET:
        wanted = patch.custom_fields
        written = slots.write(wanted, warnings, problems) if wanted else {}
        whole = not (wanted and wanted.merge)
        kept = slots.kept(stored.custom_fields if stored else None, unnamed_only=whole)
        if written or whole:
            merged = {**kept, **written}
            body["custom_fields"] = {slot: value for slot, value in merged.items() if value is not None}
    return Planned(body=body, warnings=tuple(warnings), problems=tuple(problems))


def _lists(changes: Changes, warnings: list[WriteWarning]) -> dict[str, Any]:
    """The lists that the caller gave whole; an empty one where a patch clears."""
    body: dict[str, Any] = {}
    if changes.emails is not UNSET:
        body["emails"] = [email.address for email in _primary_first(changes.emails)]
    if changes.phones is not UNSET:
        body["phones"] = [_phone(phone, warnings) for phone in _primary_first(changes.phones)]
    if changes.addresses is not UNSET:
        body["locations"] = [address.one_line for address in _primary_first(changes.addresses)]
        for address in changes.addresses or ():
            if address.parts:
                message = "Cometly keeps an address as one line of text."
                warnings.append(coerced(Field.ADDRESSES, message, address.position))
    return body


def _primary_first(items: Iterable[Any] | None) -> list[Any]:
    return sorted(items or (), key=lambda item: not item.primary)


def _phone(phone: WantedPhone, warnings: list[WriteWarning]) -> str:
    if phone.type not in (None, PhoneType.OTHER):
        message = "Cometly keeps no type of a number; it reads back as OTHER."
        warnings.append(coerced(Field.PHONES, message, phone.position, "type"))
    if phone.do_not_call is not None:
        warnings.append(dropped(Field.PHONES, "Cometly keeps no do-not-call mark.", phone.position, "doNotCall"))
    return phone.number
