"""What the Gately notes leave open; each default is the assumption of the numbered row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.sandbox.fields import UnknownFields


@dataclass(frozen=True, slots=True)
class GatelySwitches:
    """Rows are those of "Documented but ambiguous / not documented" in gately.md."""

    unknown_fields: UnknownFields = "refused"
    """Body fields and query parameters on no page; refused here, to catch a connector's slips."""
    project_header: Literal["optional", "required"] = "optional"
    """"Base URL and authentication": whether the key holds the project. A wrong id is always refused."""
    error_form: Literal["error", "error_object", "message", "success_false", "empty", "text"] = "error"
    """Row 1: the error body."""
    validation_status: Literal[400, 422] = 422
    """"Error format": the table has both."""
    duplicate_status: Literal[400, 409, 422] = 409
    """Row 2: a second contact with one email."""
    email_comparison: Literal["case_insensitive", "case_sensitive"] = "case_insensitive"
    """Row 3."""
    create_status: Literal[200, 201] = 201
    """Row 4."""
    delete_status: Literal[200, 202] = 200
    """Row 4."""
    create_answers_tags: bool = False
    """Row 5."""
    write_answers: Literal["partial", "whole"] = "partial"
    """Row 6: what create and update answer."""
    empty_fields: Literal["absent", "null"] = "absent"
    """Row 7: fields without a value in any answer."""
    null_on_update: Literal["clears", "refused", "ignored"] = "clears"
    """Row 8."""
    blank_text: Literal["refused", "stored"] = "refused"
    """Row 8: "" or spaces for a text field of an update."""
    unlisted_on_update: Literal["refused", "ignored", "stored"] = "refused"
    """Row 9: address_line_1, address_line_2 and external_id in a PATCH."""
    unlisted_on_read: Literal["returned", "left_out"] = "returned"
    """Row 10: mobile, first_name, last_name, the address and external_id on read."""
    list_items: Literal["summary", "whole"] = "summary"
    """Row 10: whether list items hold more than the fields of the documented example."""
    update_sets_last_contacted: bool = False
    """Row 12."""
    tag_filter: Literal["any", "all"] = "any"
    """Row 13."""
    tag_names: Literal["case_sensitive", "case_insensitive"] = "case_sensitive"
    """Row 14."""
    list_order: Literal["newest_first", "oldest_first"] = "newest_first"
    """Row 15."""
    limit_above_maximum: Literal["clamped", "refused"] = "clamped"
    """Row 16."""
    rate_limit: bool = False
    """Row 17: 60 requests a minute; off so that tests and demos are not throttled."""
    retry_after: Literal["seconds", "date", "absent"] = "seconds"
    """Row 17: on a 429 of the rate limit."""
    custom_field_values: Literal["any", "scalars"] = "any"
    """Row 19."""
    custom_fields_endpoint: Literal["present", "404", "405"] = "present"
    """Row 20."""
    malformed_id_status: Literal[400, 404, 422] = 404
    """Row 22: an id that is not a UUID."""
    timestamp_offset_hours: int = 0
    """Row 23: UTC with Z for 0, else that offset."""
    resubscribe_by_update: Literal["refused", "accepted"] = "refused"
    """"PATCH": unsubscribed false is not described there."""
    search_covers: Literal["name_email_company", "name_email"] = "name_email_company"
    """"GET /contacts": two pages differ."""
