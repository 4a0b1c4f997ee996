"""What travels to and from Klen AI, decoded strictly. Source: docs/providers/klen.md, contact shapes."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

# gc=False: an answer is a tree, which no cycle can be a part of, so the collector need not walk through it.
Id = Annotated[int, Meta(ge=1)]


class PhoneNumber(Struct, gc=False):
    phone_number: str
    id: int | None = None
    phone_type: str | None = None
    primary: bool = False
    do_not_call: bool | None = None


class Address(Struct, gc=False):
    street: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country: str | None = None


class Note(Struct, gc=False):
    content: str


class Summary(Struct, gc=False):
    """A list item: no address, no website, one phone as a text that is for display only."""

    id: Id
    first_name: str | None = None
    last_name: str | None = None
    full_name: str | None = None
    email: str | None = None
    company: str | None = None
    stage: str | None = None
    status: str | None = None
    created_date: datetime | None = None
    last_call_date: datetime | None = None
    tags: list[str] | None = None
    phone: str | None = None


class Details(Summary, gc=False):
    website: str | None = None
    address: Address | None = None
    phone_numbers: list[PhoneNumber] | None = None
    recent_notes: list[Note] | None = None
    custom_context: dict[str, Any] | None = None
    industry_context: dict[str, Any] | None = None


class SummaryPage(Struct, gc=False):
    count: int
    pages: int
    contacts: list[Summary]


class CreatedContact(Struct):
    id: Id | None = None


class Created(Struct):
    """The answer to a creation is not confirmed: the id is looked for in three places (ambiguity 1)."""

    id: Id | None = None
    contact_id: Id | None = None
    contact: CreatedContact | None = None

    @property
    def any_id(self) -> int | None:
        inner = self.contact.id if self.contact else None
        return next((found for found in (self.id, self.contact_id, inner) if found is not None), None)


class ErrorObject(Struct):
    """`error` is the machine code; the details of a validation error are not documented (ambiguity 22)."""

    error: Any = None
    message: Any = None
    details: Any = None
