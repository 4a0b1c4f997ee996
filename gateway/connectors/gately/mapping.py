"""Gately's flat contact and the unified one, both ways; pure.

Rules: design section 7; docs/providers/gately.md for what the fields are called.
"""

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from msgspec import UNSET

from gateway.connectors.addresses import street_of
from gateway.connectors.base import Planned
from gateway.connectors.gately import wire
from gateway.connectors.gately.capabilities import CAPABILITIES
from gateway.connectors.gately.names import patched_names
from gateway.connectors.gately.phones import phone_slots, read_slots
from gateway.domain.changes import Changes, Draft, Patch, WantedAddress
from gateway.domain.compare import email_key
from gateway.domain.contact import (
    Address,
    ContactStatus,
    Email,
    Field,
    Provider,
    Record,
    RecordKey,
    one_line,
)
from gateway.domain.errors import InputProblem
from gateway.domain.names import join_name
from gateway.domain.writes import WriteWarning, derived, dropped
from gateway.upstream.decode import in_utc

# Gately's words are ours; it may have others.
_STATUSES: Mapping[str | None, ContactStatus] = {status.value: status for status in ContactStatus}
# Naming a member of an enumeration by its class runs Python code each time.
_GATELY, _UTC = Provider.GATELY, timezone.utc


def to_record(contact: wire.Contact, *, known: frozenset[Field], fetched_at: datetime, raw: bytes | None) -> Record:
    # What every item of a list tells is looked at here, as `_text` and `in_utc` do: to call them a hundred times would
    # take longer. What hardly any tells is false where it was left out, as UNSET is.
    email = email if (email := contact.email) and not email.isspace() else None
    word = word if (word := contact.status) and not word.isspace() else None
    phone = phone if (phone := contact.phone) and not phone.isspace() else None
    mobile = mobile if (mobile := contact.mobile) and not mobile.isspace() else None
    return Record(
        RecordKey(_GATELY, contact.id),
        known,
        fetched_at,
        name if (name := contact.name) and not name.isspace() else None,
        _text(contact.first_name) if contact.first_name else None,
        _text(contact.last_name) if contact.last_name else None,
        (Email(address=email, normalized=email_key(email), primary=True),) if email else (),
        read_slots(phone, mobile),
        _addresses(contact),
        company if (company := contact.company) and not company.isspace() else None,
        None,  # website
        _STATUSES.get(word),
        None,  # stage
        tuple([tag.name for tag in contact.tags]) if contact.tags else (),
        _text(contact.notes) if contact.notes else None,
        contact.custom_fields or {},
        None if contact.unsubscribed is UNSET else contact.unsubscribed,
        _text(contact.external_id) if contact.external_id else None,
        created if (created := contact.created_at) and created.tzinfo is _UTC else in_utc(created, _GATELY),
        updated if (updated := contact.updated_at) and updated.tzinfo is _UTC else in_utc(updated, _GATELY),
        called if (called := contact.last_contacted_at) and called.tzinfo is _UTC else in_utc(called, _GATELY),
        provider_status=word,
        raw=raw,
    )


def _text(value: wire.Text) -> str | None:
    return None if value is UNSET or value is None or value.isspace() else value or None


def _addresses(contact: wire.Contact) -> tuple[Address, ...]:
    # What was left out is false, as an empty text is; items of a list have no address at all.
    parts = contact.address_line_1 or contact.address_line_2 or contact.city or contact.state or contact.zip
    if not (parts or contact.country):
        return ()
    street, street2 = _text(contact.address_line_1), _text(contact.address_line_2)
    city, state, postal_code, country = (
        _text(part) for part in (contact.city, contact.state, contact.zip, contact.country)
    )
    formatted = one_line(street, street2, city, state, postal_code, country)
    if not formatted:
        return ()
    return (
        Address(
            street=street,
            street2=street2,
            city=city,
            state=state,
            postal_code=postal_code,
            country=country,
            formatted=formatted,
            primary=True,
        ),
    )


def from_draft(draft: Draft) -> Planned:
    """The body of `POST /contacts`."""
    warnings: list[WriteWarning] = []
    problems: list[InputProblem] = []
    body: dict[str, Any] = {}
    name = draft.name or join_name(draft.first_name or None, draft.last_name or None)
    if name:
        body["name"] = name
        if not draft.name:
            warnings.append(derived(Field.NAME, "Gately needs a whole name; it was joined from its parts."))
    else:
        problems.append(_required(Field.NAME, "a name, or firstName and lastName"))
    if not draft.emails:
        problems.append(_required(Field.EMAILS, "an email address"))
    for field, key in ((Field.FIRST_NAME, "first_name"), (Field.LAST_NAME, "last_name")):
        if value := draft.value(field):
            body[key] = value
    if draft.external_id:
        body["external_id"] = draft.external_id
    body |= _fields(draft, None, warnings, problems)
    if draft.addresses:
        body |= _address(draft.addresses[0], warnings)
    body = {key: value for key, value in body.items() if value is not None}
    return Planned(body=body, warnings=tuple(warnings), problems=tuple(problems))


def needs_stored(patch: Patch) -> bool:
    """Whether a change can only be worked out from what Gately holds now."""
    one_half_of_name = (patch.first_name is UNSET) != (patch.last_name is UNSET)
    removes_key = merges_custom_fields(patch) and None in patch.custom_fields.values.values()  # type: ignore[union-attr]
    changes_tags = bool(patch.tags) and patch.tags.whole is None  # type: ignore[union-attr]
    untyped_number = any(phone.type is None for phone in patch.phones or ())
    return (
        (patch.name is UNSET and one_half_of_name)
        or removes_key
        or changes_tags
        or untyped_number
        or bool(patch.addresses)
    )


def merges_custom_fields(patch: Patch) -> bool:
    return bool(patch.custom_fields) and patch.custom_fields.merge  # type: ignore[union-attr]


def from_patch(patch: Patch, stored: Record | None) -> Planned:
    """The body of `PATCH /contacts/{id}`; consent and a plain merge of custom fields travel apart.

    `stored` is the record as it is now, given when needs_stored asks for it.
    """
    warnings: list[WriteWarning] = []
    problems: list[InputProblem] = []
    body: dict[str, Any] = patched_names(patch, stored, warnings)
    body |= _fields(patch, stored, warnings, problems)
    if patch.addresses:
        body |= _updated_address(patch.addresses[0], stored, warnings)
    if patch.tags and patch.tags.whole is None:
        before = (stored.tags or ()) if stored else ()
        after = patch.tags.applied_to(before)
        body.pop("tags", None)
        if after != before:
            body["tags"] = list(after)
    if patch.custom_fields and (stored or not patch.custom_fields.merge):
        before_fields = (stored.custom_fields or {}) if stored else {}
        body["custom_fields"] = patch.custom_fields.applied_to(before_fields)
    return Planned(body=body, warnings=tuple(warnings), problems=tuple(problems))


def _fields(
    changes: Changes, stored: Record | None, warnings: list[WriteWarning], problems: list[InputProblem]
) -> dict[str, Any]:
    """What creation and update write alike; None where a patch clears."""
    body: dict[str, Any] = {}
    if changes.emails:
        body["email"] = changes.emails[0].address
    if changes.phones is not UNSET:
        body |= phone_slots(changes.phones or (), (stored.phones or ()) if stored else (), warnings)
    for field in (Field.COMPANY, Field.STATUS, Field.NOTES):
        if (value := changes.value(field)) is not UNSET:
            body[field.value] = value
    if changes.tags is not UNSET:
        whole = changes.tags.whole if changes.tags else ()
        named = (whole or ()) + (changes.tags.add if changes.tags else ())
        below = changes.tags.below if changes.tags else ()
        problems += [_comma(below, position) for position, tag in enumerate(named) if "," in tag]
        body["tags"] = list(whole or ())
    if changes.custom_fields is None:
        body["custom_fields"] = {}
    elif changes.custom_fields and isinstance(changes, Draft):
        body["custom_fields"] = changes.custom_fields.applied_to({})
    return body


def _address(address: WantedAddress, warnings: list[WriteWarning]) -> dict[str, str | None]:
    return {
        "address_line_1": street_of(address, CAPABILITIES.display_name, warnings),
        "address_line_2": address.street2,
        "city": address.city,
        "state": address.state,
        "zip": address.postal_code,
        "country": address.country,
    }


def _updated_address(
    address: WantedAddress, stored: Record | None, warnings: list[WriteWarning]
) -> dict[str, str | None]:
    """The street lines are not among the documented fields of an update. Where a different street is
    stored, nothing is sent: half of a new address would stand beside half of the old one (docs/adr/0002)."""
    before = stored.addresses[0] if stored and stored.addresses else None
    kept = (before.street, before.street2) if before else (None, None)
    message = "Gately takes the street only when a contact is created"
    if any(kept) and kept != (address.street, address.street2):
        warnings.append(dropped(Field.ADDRESSES, f"{message}, so the stored address stays.", address.position))
        return {}
    if not address.parts:
        warnings.append(dropped(Field.ADDRESSES, f"{message}.", address.position, "formatted"))
        return {}
    for key, part in (("street", address.street), ("street2", address.street2)):
        if part and not any(kept):
            warnings.append(dropped(Field.ADDRESSES, f"{message}.", address.position, key))
    parts = _address(address, warnings)
    return {key: parts[key] for key in ("city", "state", "zip", "country")}


def _required(field: Field, what: str) -> InputProblem:
    return InputProblem(
        path=field.input_path, code="REQUIRED", message=f"Gately needs {what}.", provider=Provider.GATELY
    )


def _comma(below: tuple[str, ...], position: int) -> InputProblem:
    return InputProblem(
        path=(*Field.TAGS.input_path, *below, str(position)),
        code="COMMA",
        message="must not hold a comma: Gately's tag filter would split it",
        provider=Provider.GATELY,
    )
