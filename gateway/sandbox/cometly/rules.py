"""What the Cometly simulator demands of a create and of its sparse PUT."""

from __future__ import annotations

from typing import Any

from gateway.sandbox.cometly.listing import invalid
from gateway.sandbox.cometly.profile import LISTS
from gateway.sandbox.cometly.slots import slot_complaint
from gateway.sandbox.cometly.switches import CometlySwitches
from gateway.sandbox.exchange import Complaint, JsonObject
from gateway.sandbox.fields import Check, complaints_about, email, filled_text, list_of, mapping

_FIELDS: dict[str, Check] = {
    "emails": list_of(email),
    "phones": list_of(filled_text),
    "names": list_of(filled_text),
    "locations": list_of(filled_text),
    "custom_fields": mapping,
}


def check_write(body: JsonObject, switches: CometlySwitches, *, creating: bool) -> JsonObject:
    """The fields to store. An empty list empties, an absent one is left alone.

    Raises: Refusal 422 when the body breaks the documentation.
    """
    if not creating and switches.null_list != "refused":
        body = _without_nulls(body, switches)
    required = ("emails",) if creating else ()
    found = list(complaints_about(body, _FIELDS, required=required, unknown=switches.unknown_fields))
    if creating and body.get("emails") == []:
        found.append(Complaint("emails", "must have at least one item"))
    if not creating and not any(name in body for name in _FIELDS):
        found.append(Complaint("emails", "or another field must be present"))
    found += _slot_complaints(body.get("custom_fields"))
    if found:
        raise invalid(*found)
    sent = {name: value for name, value in body.items() if name in _FIELDS}
    if switches.email_storage == "lower_case" and "emails" in sent:
        sent["emails"] = [address.lower() for address in sent["emails"]]
    return sent


def _without_nulls(body: JsonObject, switches: CometlySwitches) -> JsonObject:
    empties = switches.null_list == "empties"
    blank: dict[str, Any] = {**{name: [] for name in LISTS}, "custom_fields": {}}
    return {
        name: blank[name] if value is None and name in blank else value
        for name, value in body.items()
        if value is not None or empties
    }


def _slot_complaints(values: object) -> list[Complaint]:
    if not isinstance(values, dict):
        return []
    checked = {slot: slot_complaint(slot, value) for slot, value in values.items()}
    return [Complaint(f"custom_fields.{slot}", wrong) for slot, wrong in checked.items() if wrong]
