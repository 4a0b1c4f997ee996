"""What the Gately simulator demands of a write."""

from __future__ import annotations

from gateway.sandbox.exchange import Complaint, JsonObject, Refusal
from gateway.sandbox.fields import (
    Check,
    complaints_about,
    email,
    filled_text,
    flag,
    list_of,
    mapping,
    one_of,
    summary,
    text,
)
from gateway.sandbox.gately.contact import STATUSES, UNLISTED_ON_UPDATE
from gateway.sandbox.gately.switches import GatelySwitches

_TEXTS = [
    "first_name",
    "last_name",
    "phone",
    "mobile",
    "company",
    "notes",
    "address_line_1",
    "address_line_2",
    "city",
    "state",
    "zip",
    "country",
    "external_id",
]
_SHARED: dict[str, Check] = {
    "name": filled_text,
    "email": email,
    **dict.fromkeys(_TEXTS, text),
    "status": one_of(*STATUSES),
    "custom_fields": mapping,
    "tags": list_of(filled_text),
}
CREATE: dict[str, Check] = _SHARED
UPDATE: dict[str, Check] = {**_SHARED, "unsubscribed": flag}
_REQUIRED = ("name", "email")
_NEVER_NULL = (*_REQUIRED, "status", "unsubscribed")
_CLEARABLE = tuple(name for name in UPDATE if name not in _NEVER_NULL)


def check_create(body: JsonObject, switches: GatelySwitches) -> JsonObject:
    """The documented fields of a create.

    Raises: Refusal when the body breaks the documentation.
    """
    found = complaints_about(body, CREATE, required=_REQUIRED, unknown=switches.unknown_fields)
    _refuse((*found, *_odd_values(body, switches)), switches)
    return {name: value for name, value in body.items() if name in CREATE}


def check_update(body: JsonObject, switches: GatelySwitches) -> JsonObject:
    """The changes of an update; a None clears.

    Raises: Refusal when the body breaks the documentation.
    """
    unlisted = [name for name in body if name in UNLISTED_ON_UPDATE]
    if switches.unlisted_on_update == "refused" and switches.unknown_fields == "refused":
        _refuse(tuple(Complaint(name, "cannot be updated") for name in unlisted), switches)
    if switches.unlisted_on_update != "stored":
        body = {name: value for name, value in body.items() if name not in unlisted}
    nullable = () if switches.null_on_update == "refused" else _CLEARABLE
    found = complaints_about(body, UPDATE, nullable=nullable, unknown=switches.unknown_fields)
    _refuse((*found, *_odd_values(body, switches), *_resubscribing(body, switches)), switches)
    changes = {name: value for name, value in body.items() if name in UPDATE}
    if switches.null_on_update == "ignored":
        return {name: value for name, value in changes.items() if value is not None}
    return changes


def check_custom_fields(values: JsonObject, switches: GatelySwitches) -> JsonObject:
    _refuse(tuple(_odd_values({"custom_fields": values}, switches)), switches)
    return values


def _odd_values(body: JsonObject, switches: GatelySwitches) -> list[Complaint]:
    found = []
    if switches.blank_text == "refused":
        found += [Complaint(name, "must not be blank") for name in _TEXTS if _is_blank(body.get(name))]
    values = body.get("custom_fields")
    if switches.custom_field_values == "scalars" and isinstance(values, dict):
        nested = [name for name, value in values.items() if isinstance(value, dict | list)]
        found += [Complaint(f"custom_fields.{name}", "must be a scalar") for name in nested]
    return found


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _resubscribing(body: JsonObject, switches: GatelySwitches) -> list[Complaint]:
    if body.get("unsubscribed") is False and switches.resubscribe_by_update == "refused":
        return [Complaint("unsubscribed", "cannot be set to false here; delete the unsubscribes")]
    return []


def _refuse(complaints: tuple[Complaint, ...], switches: GatelySwitches) -> None:
    if complaints:
        raise Refusal(switches.validation_status, summary(complaints), complaints=complaints)
