"""What a create or an update wants, in the unified vocabulary; absent, null and empty stay three cases."""

from itertools import compress, repeat
from operator import is_not
from typing import Any, TypeAlias, TypeVar

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import astuple

from gateway.domain.compare import text_key
from gateway.domain.contact import ContactStatus, Field, JsonObject, PhoneType

T = TypeVar("T")
Clearable: TypeAlias = T | None | UnsetType
"""UNSET: not mentioned, so unchanged; None: to be cleared."""


class WantedEmail(Struct, frozen=True, kw_only=True):
    """`position` is the place in the caller's list; warnings name it."""

    address: str
    primary: bool
    position: int


class WantedPhone(Struct, frozen=True, kw_only=True):
    """`type` and `do_not_call` are None where the caller left them out: the stored ones stay.

    `primary_named` tells a number that the caller marked from one that is primary for being the first.
    """

    number: str
    e164: str | None
    type: PhoneType | None
    primary: bool
    do_not_call: bool | None
    position: int
    primary_named: bool = False


class WantedAddress(Struct, frozen=True, kw_only=True):
    """At least one part, or `formatted`, is filled."""

    street: str | None
    street2: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None
    formatted: str | None
    primary: bool
    position: int

    @property
    def parts(self) -> tuple[str, ...]:
        every = (self.street, self.street2, self.city, self.state, self.postal_code, self.country)
        return tuple(part for part in every if part)

    @property
    def one_line(self) -> str:
        """The caller's own line, or the filled parts joined by commas."""
        return self.formatted or ", ".join(self.parts)


class WantedTags(Struct, frozen=True, kw_only=True):
    """Either the whole new list, or what to add to and remove from the stored one; case does not count.

    `below` is where the names stand below the field in the caller's input.
    """

    whole: tuple[str, ...] | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    def applied_to(self, stored: tuple[str, ...]) -> tuple[str, ...]:
        if self.whole is not None:
            return self.whole
        removed = {text_key(tag) for tag in self.remove}
        kept = tuple(tag for tag in stored if text_key(tag) not in removed)
        there = {text_key(tag) for tag in kept}
        return kept + tuple(tag for tag in self.add if text_key(tag) not in there)


class WantedCustomFields(Struct, frozen=True, kw_only=True):
    """Either the whole new object, or the keys to set; in a merge, null removes a key (RFC 7396).

    `below` is where the object stands below the field in the caller's input.
    """

    values: JsonObject
    merge: bool
    below: tuple[str, ...] = ()

    def applied_to(self, stored: JsonObject) -> dict[str, Any]:
        if not self.merge:
            return {key: value for key, value in self.values.items() if value is not None}
        merged = {**stored, **self.values}
        return {key: value for key, value in merged.items() if self.values.get(key, value) is not None}


class Changes(Struct, frozen=True, kw_only=True):
    """The fields that a write mentions. Normalised: texts are filled, lists not empty, one item primary."""

    name: Clearable[str] = UNSET
    first_name: Clearable[str] = UNSET
    last_name: Clearable[str] = UNSET
    emails: Clearable[tuple[WantedEmail, ...]] = UNSET
    phones: Clearable[tuple[WantedPhone, ...]] = UNSET
    addresses: Clearable[tuple[WantedAddress, ...]] = UNSET
    company: Clearable[str] = UNSET
    website: Clearable[str] = UNSET
    status: Clearable[ContactStatus] = UNSET
    stage: Clearable[str] = UNSET
    tags: Clearable[WantedTags] = UNSET
    notes: Clearable[str] = UNSET
    custom_fields: Clearable[WantedCustomFields] = UNSET
    unsubscribed: Clearable[bool] = UNSET
    external_id: Clearable[str] = UNSET
    klen_status: Clearable[str] = UNSET
    klen_team_id: Clearable[int] = UNSET
    klen_industry_context: Clearable[JsonObject] = UNSET

    def value(self, field: Field) -> Any:
        return getattr(self, field.attribute)

    @property
    def mentioned(self) -> tuple[Field, ...]:
        return tuple(compress(_FIELDS, map(is_not, astuple(self), repeat(UNSET))))


_FIELDS = tuple(Field[name.upper()] for name in Changes.__struct_fields__)


class Draft(Changes, frozen=True, kw_only=True):
    """A contact to create. Never holds None: at a creation there is nothing to clear."""


class Patch(Changes, frozen=True, kw_only=True):
    """A change to a contact that exists."""
