"""What travels to and from Gately, decoded strictly. Source: docs/providers/gately.md, contact object.

Absent and null mean the same to Gately's readers, but not to us: an answer to a write or a list item
leaves fields out that it merely does not tell.
"""

from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

# gc=False: an answer is a tree, which no cycle can be a part of, so the collector need not walk through it.
Text = str | None | UnsetType


class Tag(Struct, gc=False):
    name: str


class Contact(Struct, gc=False):
    id: str
    name: Text = UNSET
    first_name: Text = UNSET
    last_name: Text = UNSET
    email: Text = UNSET
    phone: Text = UNSET
    mobile: Text = UNSET
    company: Text = UNSET
    status: Text = UNSET
    notes: Text = UNSET
    address_line_1: Text = UNSET
    address_line_2: Text = UNSET
    city: Text = UNSET
    state: Text = UNSET
    zip: Text = UNSET
    country: Text = UNSET
    custom_fields: dict[str, Any] | None | UnsetType = UNSET
    tags: list[Tag] | None | UnsetType = UNSET
    external_id: Text = UNSET
    unsubscribed: bool | None | UnsetType = UNSET
    last_contacted_at: datetime | None | UnsetType = UNSET
    created_at: datetime | None | UnsetType = UNSET
    updated_at: datetime | None | UnsetType = UNSET


class Pagination(Struct):
    page: int
    pages: int
    total: int


class ContactPage(Struct, gc=False):
    contacts: list[Contact]
    pagination: Pagination


class ErrorObject(Struct):
    """The body of an error is not confirmed: this reads the common forms, and nothing is required."""

    error: Any = None
    message: Any = None
    code: Any = None
    errors: Any = None
