"""Klen AI's contact and the unified one, both ways; pure.

Rules: design section 7; docs/providers/klen.md. `address` is an object when read and the street when
written; phones are objects that an update matches by id.
"""

from datetime import datetime
from typing import Any

from msgspec import UNSET

from gateway.connectors.base import Planned
from gateway.connectors.klen import wire
from gateway.connectors.klen.addresses import address_fields, read_address
from gateway.connectors.klen.capabilities import CAPABILITIES
from gateway.connectors.klen.phones import phone_entries, read_numbers
from gateway.domain.changes import Changes, Draft, Patch
from gateway.domain.compare import email_key, text_key
from gateway.domain.contact import (
    Address,
    ContactStatus,
    Email,
    Field,
    JsonObject,
    Phone,
    Provider,
    Record,
    RecordKey,
    filled,
)
from gateway.domain.errors import InputProblem
from gateway.domain.names import join_name, split_name
from gateway.domain.writes import WriteWarning, derived, dropped
from gateway.upstream.decode import in_utc

READABLE = CAPABILITIES.readable
LISTED = frozenset(
    {
        Field.NAME,
        Field.FIRST_NAME,
        Field.LAST_NAME,
        Field.EMAILS,
        Field.COMPANY,
        Field.STATUS,
        Field.STAGE,
        Field.TAGS,
        Field.CREATED_AT,
        Field.LAST_CONTACTED_AT,
    }
)

# An open list of words: what is not here has no unified status and shows in providerStatus only.
STATUS_OF_WORD = {
    "not_contacted": ContactStatus.NEW,
    "contacted": ContactStatus.ACTIVE,
    "active": ContactStatus.ACTIVE,
}
WORD_OF_STATUS = {ContactStatus.NEW: "not_contacted", ContactStatus.ACTIVE: "active"}

# Naming a member of an enumeration by its class runs Python code each time.
_KLEN = Provider.KLEN


def to_summary(item: wire.Summary, *, fetched_at: datetime, raw: bytes | None) -> Record:
    return _record(item, LISTED, fetched_at, raw)


def to_record(contact: wire.Details, *, fetched_at: datetime, raw: bytes) -> Record:
    return _record(
        contact,
        READABLE,
        fetched_at,
        raw,
        website=filled(contact.website),
        phones=read_numbers(contact.phone_numbers),
        addresses=read_address(contact.address),
        notes="\n\n".join([note.content for note in contact.recent_notes or ()]) or None,
        custom_fields=contact.custom_context or {},
    )


def _record(
    item: wire.Summary,
    known: frozenset[Field],
    fetched_at: datetime,
    raw: bytes | None,
    *,
    website: str | None = None,
    phones: tuple[Phone, ...] | None = None,
    addresses: tuple[Address, ...] | None = None,
    notes: str | None = None,
    custom_fields: JsonObject | None = None,
) -> Record:
    email = filled(item.email)
    first, last = filled(item.first_name), filled(item.last_name)
    return Record(
        RecordKey(_KLEN, str(item.id)),
        known,
        fetched_at,
        filled(item.full_name) or join_name(first, last),
        first,
        last,
        (Email(address=email, normalized=email_key(email), primary=True),) if email else (),
        phones,
        addresses,
        filled(item.company),
        website,
        STATUS_OF_WORD.get(item.status or ""),
        filled(item.stage),
        tuple(item.tags or ()),
        notes,
        custom_fields,
        created_at=in_utc(item.created_date, _KLEN),
        last_contacted_at=in_utc(item.last_call_date, _KLEN),
        provider_status=filled(item.status),
        raw=raw,
    )


def from_draft(draft: Draft) -> Planned:
    """The body of `POST /contacts/create`."""
    warnings: list[WriteWarning] = []
    problems: list[InputProblem] = []
    body: dict[str, Any] = {**_names(draft, warnings)}
    if not body.get("first_name"):
        message = "Klen AI needs a first name; send firstName, or a name to split."
        problems.append(
            InputProblem(path=Field.FIRST_NAME.input_path, code="REQUIRED", message=message, provider=Provider.KLEN)
        )
    body |= _fields(draft, warnings, problems)
    if draft.phones:
        body["phone_numbers"] = phone_entries(draft.phones, stored=(), problems=problems)
    body = {key: value for key, value in body.items() if value is not None}
    return Planned(body=body, warnings=tuple(warnings), problems=tuple(problems))


def needs_stored(patch: Patch) -> bool:
    """Whether a change can only be worked out from what Klen AI holds now."""
    changes_tags = bool(patch.tags) and patch.tags.whole is None  # type: ignore[union-attr]
    merges = bool(patch.custom_fields) and patch.custom_fields.merge  # type: ignore[union-attr]
    activates = patch.status is ContactStatus.ACTIVE and not patch.klen_status
    return bool(patch.phones) or changes_tags or merges or activates


def from_patch(patch: Patch, stored: wire.Details | None) -> Planned:
    """The body of `PATCH /contacts/{id}/update`.

    `stored` is the contact as it is now, given when needs_stored asks for it.
    """
    warnings: list[WriteWarning] = []
    problems: list[InputProblem] = []
    body = _names(patch, warnings) | _fields(patch, warnings, problems)
    if stored and patch.status is ContactStatus.ACTIVE and not patch.klen_status and stored.status == "contacted":
        # Both words read as ACTIVE; the more telling one stays.
        body.pop("status", None)
    if patch.phones:
        numbers = stored.phone_numbers or () if stored else ()
        body["phone_numbers"] = phone_entries(patch.phones, stored=numbers, problems=problems)
    if patch.tags and patch.tags.whole is None:
        before = tuple(stored.tags or ()) if stored else ()
        after = patch.tags.applied_to(before)
        body.pop("tags", None)
        if after != before:
            body["tags"] = list(after)
    if patch.custom_fields:
        context = stored.custom_context or {} if stored else {}
        body["custom_context"] = patch.custom_fields.applied_to(context)
    return Planned(body=body, warnings=tuple(warnings), problems=tuple(problems))


def _names(changes: Changes, warnings: list[WriteWarning]) -> dict[str, str | None]:
    """Klen AI keeps the parts and builds the whole name itself."""
    given = {
        key: value
        for key, value in (("first_name", changes.first_name), ("last_name", changes.last_name))
        if value is not UNSET
    }
    if not changes.name:
        return given
    guessed = dict(zip(("first_name", "last_name"), split_name(changes.name), strict=True))
    missing = guessed.keys() - given.keys()
    names = {**guessed, **given}
    whole = join_name(names["first_name"], names["last_name"]) or ""
    if text_key(whole) != text_key(changes.name):
        warnings.append(dropped(Field.NAME, f"Klen AI builds the whole name from its parts: {whole}."))
    warnings += [
        derived(Field[key.upper()], "Klen AI keeps a name in parts; it was split.")
        for key in ("first_name", "last_name")
        if key in missing and (names[key] or isinstance(changes, Patch))
    ]
    return names


def _fields(changes: Changes, warnings: list[WriteWarning], problems: list[InputProblem]) -> dict[str, Any]:
    """What creation and update write alike; None where a patch clears."""
    body: dict[str, Any] = {}
    if changes.emails is not UNSET:
        body["email"] = changes.emails[0].address if changes.emails else None
    for field in (Field.COMPANY, Field.WEBSITE, Field.STAGE):
        if (value := changes.value(field)) is not UNSET:
            body[field.value] = value
    if changes.addresses is not UNSET:
        body |= address_fields(changes.addresses[0] if changes.addresses else None, warnings, problems)
    if changes.tags is not UNSET:
        body["tags"] = list((changes.tags.whole if changes.tags else None) or ())
    if changes.custom_fields is None:
        body["custom_context"] = {}
    elif changes.custom_fields and isinstance(changes, Draft):
        body["custom_context"] = changes.custom_fields.applied_to({})
    if changes.klen_team_id is not UNSET:
        body["team_id"] = changes.klen_team_id
    if changes.klen_industry_context is not UNSET:
        body["industry_context"] = changes.klen_industry_context or {}
    return body | _status(changes, warnings)


def _status(changes: Changes, warnings: list[WriteWarning]) -> dict[str, str]:
    if changes.klen_status:
        return {"status": changes.klen_status}
    if not changes.status:
        return {}
    word = WORD_OF_STATUS.get(changes.status)
    if word is None:
        warnings.append(dropped(Field.STATUS, f"Klen AI has no word for {changes.status.name}."))
        return {}
    return {"status": word}
