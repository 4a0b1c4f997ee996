"""What the Klen simulator demands of a create and of an update."""

from __future__ import annotations

import re
from collections.abc import Collection

from gateway.sandbox.exchange import Complaint, JsonObject, Refusal
from gateway.sandbox.fields import (
    Check,
    complaints_about,
    email,
    filled_text,
    flag,
    list_of,
    mapping,
    summary,
    text,
    whole_number,
)
from gateway.sandbox.klen.contact import STAGES, STATUSES
from gateway.sandbox.klen.switches import KlenSwitches

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_ALPHA_2 = re.compile(r"[A-Z]{2}")

_FIELDS: dict[str, Check] = {
    "first_name": filled_text,
    "last_name": text,
    "email": email,
    "company": text,
    "website": text,
    "address": text,
    "city": text,
    "state": text,
    "zip_code": text,
    "country": text,
    "status": filled_text,
    "stage": filled_text,
    "team_id": whole_number,
    "tags": list_of(filled_text),
    "phone_numbers": list_of(mapping),
    "custom_context": mapping,
    "industry_context": mapping,
}
_NEVER_NULL = ("first_name", "status", "stage")
_CLEARABLE = tuple(name for name in _FIELDS if name not in _NEVER_NULL)
_NEW_PHONE: dict[str, Check] = {
    "phone_number": filled_text,
    "phone_type": filled_text,
    "primary": flag,
    "do_not_call": flag,
}
_CHANGED_PHONE: dict[str, Check] = {"id": whole_number, **_NEW_PHONE}


def check_create(body: JsonObject, switches: KlenSwitches) -> JsonObject:
    """Raises: Refusal 400 when the body breaks the documentation."""
    refuse_missing_first_name(body)
    return _checked(body, switches, phone=_NEW_PHONE, nullable=())


def check_update(body: JsonObject, switches: KlenSwitches) -> JsonObject:
    """The changes; a None clears. Raises: Refusal 400 when the body breaks the documentation."""
    if switches.null_on_update == "ignored":
        body = {name: value for name, value in body.items() if value is not None}
    nullable = () if switches.null_on_update == "refused" else _CLEARABLE
    return _checked(body, switches, phone=_CHANGED_PHONE, nullable=nullable)


def refuse_missing_first_name(body: JsonObject) -> None:
    first_name = body.get("first_name")
    if first_name is None or (isinstance(first_name, str) and not first_name.strip()):
        raise Refusal(400, "first_name is required", code="missing_first_name")


def _checked(
    body: JsonObject, switches: KlenSwitches, *, phone: dict[str, Check], nullable: Collection[str]
) -> JsonObject:
    found = list(complaints_about(body, _FIELDS, nullable=nullable, unknown=switches.unknown_fields))
    found += _odd_words(body, switches)
    entries = body.get("phone_numbers")
    if isinstance(entries, list):
        found += _phone_complaints(entries, phone, switches)
    if found:
        raise invalid(*found)
    sent = {name: value for name, value in body.items() if name in _FIELDS}
    if sent.get("phone_numbers"):
        sent["phone_numbers"] = [_reformatted(entry) for entry in sent["phone_numbers"]]
    return sent


def invalid(*complaints: Complaint) -> Refusal:
    return Refusal(400, summary(complaints), code="validation_error", complaints=complaints)


def _odd_words(body: JsonObject, switches: KlenSwitches) -> list[Complaint]:
    found = []
    if switches.unknown_stage_or_status == "refused":
        for name, words in (("stage", STAGES), ("status", STATUSES)):
            if isinstance(body.get(name), str) and body[name] not in words:
                found.append(Complaint(name, f"must be one of {', '.join(words)}"))
    country = body.get("country")
    if switches.country_format == "alpha_2" and isinstance(country, str) and not _ALPHA_2.fullmatch(country):
        found.append(Complaint("country", "must be an ISO 3166-1 alpha-2 code"))
    return found


def _phone_complaints(entries: list[object], checks: dict[str, Check], switches: KlenSwitches) -> list[Complaint]:
    found = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            continue  # reported already: the list itself is checked
        wrong = list(complaints_about(entry, checks, required=("phone_number",), unknown=switches.unknown_fields))
        number = entry.get("phone_number")
        if isinstance(number, str) and switches.phone_format == "refused" and not _E164.fullmatch(number):
            wrong.append(Complaint("phone_number", "must be in E.164 format"))
        found += [Complaint(f"phone_numbers[{index}].{one.field}", one.message) for one in wrong]
    flagged = [entry for entry in entries if isinstance(entry, dict) and entry.get("primary") is True]
    if len(flagged) > 1 and switches.two_primaries == "refused":
        found.append(Complaint("phone_numbers", "must have one primary at most"))
    return found


def _reformatted(entry: JsonObject) -> JsonObject:
    # Changes nothing when only E.164 is let in.
    return {**entry, "phone_number": re.sub(r"[^\d+]", "", entry["phone_number"])}
