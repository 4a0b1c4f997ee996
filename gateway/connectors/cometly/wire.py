"""What travels to and from Cometly, decoded strictly. Source: docs/providers/cometly.md, contact shapes."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

# gc=False: an answer is a tree, which no cycle can be a part of, so the collector need not walk through it.
Id = Annotated[int, Meta(ge=1)]
Scalar = str | int | float | None
# PHP writes an empty object as an empty list.
EmptyList = Annotated[list[Any], Meta(max_length=0)]
CustomFields = dict[str, Scalar] | EmptyList | None | UnsetType


class Item(Struct, gc=False):
    """A value that comes as an object instead of a string (ambiguity 1)."""

    value: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    location: str | None = None
    primary: bool | None = None
    is_primary: bool | None = None

    @property
    def text(self) -> str | None:
        return self.value or self.email or self.phone or self.name or self.location


Values = list[str | Item] | None | UnsetType


class Contact(Struct, gc=False):
    """The answer to get, create and update; the latter two hold only what was sent."""

    id: Id
    emails: Values = UNSET
    phones: Values = UNSET
    names: Values = UNSET
    locations: Values = UNSET
    custom_fields: CustomFields = UNSET


class Summary(Struct, gc=False):
    """A list item: the primary values, and more when it was asked for (ambiguities 12 and 13)."""

    id: Id
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    location: str | None = None
    emails: Values = UNSET
    all_emails: Values = UNSET
    custom_fields: CustomFields = UNSET


class SummaryPage(Struct, gc=False):
    data: list[Summary]
    next_cursor: str | None = None


class ErrorObject(Struct):
    """`errors` is what Laravel adds to a 422 (ambiguity 20); nothing is required."""

    message: Any = None
    errors: Any = None
