"""What the Cometly notes leave open; each default is the assumption of the numbered row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.sandbox.fields import UnknownFields


@dataclass(frozen=True, slots=True)
class CometlySwitches:
    """Rows are those of "Documented but ambiguous / not documented" in cometly.md."""

    unknown_fields: UnknownFields = "refused"
    """Body fields and query parameters on no page; refused here, to catch a connector's slips."""
    missing_headers: Literal["html", "redirect", "refused"] = "html"
    """"Base URL and authentication": a request without the Accept or Content-Type that is required."""
    subscription: Literal["active", "inactive"] = "active"
    """"Error format": 403 for every call while inactive (documented, not assumed)."""
    value_items: Literal["strings", "objects"] = "strings"
    """Row 1: items of emails, phones, names and locations in responses."""
    duplicate_email: Literal["new_profile", "merged", "refused"] = "new_profile"
    """Row 2: a create with an email that exists; merged answers the id of the old profile."""
    primary_on_read: Literal["unmarked", "marked"] = "unmarked"
    """Row 5: with items as objects, whether they carry `is_primary`."""
    order_after_write: Literal["reversed", "as_sent"] = "reversed"
    """Row 6: how the values of one write stand in "newest first"; the documented example reverses them."""
    repeated_values: Literal["dropped", "kept"] = "dropped"
    """Row 8."""
    email_storage: Literal["as_sent", "lower_case"] = "as_sent"
    """Row 8."""
    read_of_merged_id: Literal["followed", "not_found"] = "followed"
    """Row 9."""
    update_status: Literal[200, 202] = 200
    """Row 10."""
    reads_a_minute: Literal[15, 30] = 15
    """Row 11."""
    all_emails_key: Literal["emails", "all_emails"] = "emails"
    """Row 12."""
    listed_custom_fields: Literal["nested", "on_item"] = "nested"
    """Row 13."""
    custom_fields_on_read: Literal["filled_slots", "all_slots", "absent"] = "filled_slots"
    """Row 14; the documented example shows filled slots only."""
    number_slots: Literal["number", "string"] = "number"
    """Row 15: on read."""
    date_slots: Literal["date", "timestamp"] = "date"
    """Row 16: YYYY-MM-DD, or a timestamp at midnight UTC, on read."""
    window_ends: Literal["inclusive", "exclusive"] = "inclusive"
    """Row 18."""
    longest_window_days: int | None = None
    """Row 18: a longer window is refused with 422; None for no limit."""
    timezone: str = "America/New_York"
    """Row 19: the Space's zone, an IANA name; not UTC here, to catch a connector that forgets it."""
    errors_in_422: bool = False
    """Row 20: Laravel's `errors` beside `message`."""
    server_error_body: Literal["json", "html"] = "json"
    """Row 24: the body of a 5xx."""
    null_list: Literal["refused", "empties", "ignored"] = "refused"
    """Row 26: null in place of a list on PUT."""
    rate_limit: bool = False
    """"Rate limits": off so that tests and demos are not throttled; the headers then tell of a large budget."""
