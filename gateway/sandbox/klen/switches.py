"""What the Klen notes leave open; each default is the assumption of the numbered row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.sandbox.fields import UnknownFields

Permission = Literal["can_read_contacts", "can_write_contacts"]


@dataclass(frozen=True, slots=True)
class KlenSwitches:
    """Rows are those of "Documented but ambiguous / not documented" in klen.md."""

    unknown_fields: UnknownFields = "refused"
    """Body fields and query parameters on no page; refused here, to catch a connector's slips."""
    create_status: Literal[200, 201] = 201
    """Row 1."""
    create_answer: Literal["id", "contact_id", "contact", "none"] = "id"
    """Row 1: where a create answers the new id."""
    update_answer: Literal["message", "empty"] = "message"
    """Row 2."""
    update_status: Literal[200, 204] = 200
    """Row 2; 204 is always empty."""
    duplicate_email: Literal["allowed", "400", "409"] = "allowed"
    """Row 3."""
    patch_phones: Literal["keeps_unlisted", "removes_unlisted"] = "keeps_unlisted"
    """Row 5."""
    put_absent: Literal["cleared", "kept"] = "cleared"
    """Row 6: fields and phones that a PUT leaves out."""
    same_number_without_id: Literal["second_entry", "matched", "refused"] = "second_entry"
    """Row 7."""
    two_primaries: Literal["last_wins", "refused"] = "last_wins"
    """Row 8: also what happens to the old primary when another number is flagged."""
    update_flags_first_primary: bool = False
    """Row 9."""
    listed_phone: Literal["primary", "first"] = "primary"
    """Row 10."""
    phone_format: Literal["refused", "reformatted"] = "refused"
    """Row 11: a number that is not E.164; reformatted drops all but digits and the plus."""
    dnc_date: Literal["filled", "empty"] = "filled"
    """Row 12."""
    dnc_removal: Literal["allowed", "refused"] = "allowed"
    """Row 12."""
    default_phone_type: str | None = "mobile"
    """Row 13."""
    custom_context: Literal["replaced", "merged"] = "replaced"
    """Row 14: by a PATCH; industry_context likewise."""
    null_on_update: Literal["clears", "refused", "ignored"] = "clears"
    """Row 17."""
    country_format: Literal["alpha_2", "free"] = "alpha_2"
    """Row 19."""
    address_parts: Literal["independent", "replaced_together"] = "independent"
    """Row 20: whether parts that an update leaves out stay."""
    unknown_stage_or_status: Literal["refused", "accepted"] = "refused"
    """Row 21."""
    validation_details: Literal["in_message", "details_key"] = "in_message"
    """Row 22."""
    list_order: Literal["newest_first", "oldest_first"] = "newest_first"
    """Row 23."""
    limit_above_maximum: Literal["clamped", "refused"] = "clamped"
    """Row 24."""
    retry_after: Literal["seconds", "date", "absent"] = "seconds"
    """Row 27: on a 429 of the rate limit."""
    permissions: frozenset[Permission] = frozenset(("can_read_contacts", "can_write_contacts"))
    """"Base URL and authentication": what the key may do (documented, not assumed)."""
    write_permission: Permission = "can_read_contacts"
    """Row 28: what create and update ask for."""
    foreign_contact_status: Literal[403, 404] = 404
    """Row 29: a contact of a team that the key cannot see."""
    trailing_slash: Literal["not_found", "redirected_to"] = "not_found"
    """Row 30: a path that ends in a slash, or (redirected_to) one that does not."""
    empty_fields: Literal["null", "absent", "blank"] = "null"
    """Not in the table: how a read shows a text without a value."""
    rate_limit: bool = False
    """60 requests a minute; off so that tests and demos are not throttled."""
