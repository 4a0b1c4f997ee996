"""What a Gately answer is an authority on: all of a read, part of everything else.

Source: docs/providers/gately.md, "In examples" and ambiguities 5 to 7.
"""

from functools import cache, lru_cache
from itertools import compress, repeat
from operator import is_not

from msgspec import UNSET, structs

from gateway.connectors.gately import wire
from gateway.connectors.gately.capabilities import CAPABILITIES
from gateway.domain.contact import Field

READABLE = CAPABILITIES.readable

# Which keys have to be present before an answer that may be partial is an authority on a field.
_KEYS: dict[Field, tuple[str, ...]] = {
    Field.NAME: ("name",),
    Field.FIRST_NAME: ("first_name",),
    Field.LAST_NAME: ("last_name",),
    Field.EMAILS: ("email",),
    Field.PHONES: ("phone", "mobile"),
    Field.ADDRESSES: ("address_line_1", "address_line_2", "city", "state", "zip", "country"),
    Field.COMPANY: ("company",),
    Field.STATUS: ("status",),
    Field.TAGS: ("tags",),
    Field.NOTES: ("notes",),
    Field.CUSTOM_FIELDS: ("custom_fields",),
    Field.UNSUBSCRIBED: ("unsubscribed",),
    Field.EXTERNAL_ID: ("external_id",),
    Field.CREATED_AT: ("created_at",),
    Field.UPDATED_AT: ("updated_at",),
    Field.LAST_CONTACTED_AT: ("last_contacted_at",),
}

# What the documented list item shows; Gately leaves empty fields out, so absent means empty there.
LISTED = frozenset(
    {
        Field.NAME,
        Field.EMAILS,
        Field.COMPANY,
        Field.STATUS,
        Field.UNSUBSCRIBED,
        Field.TAGS,
        Field.CUSTOM_FIELDS,
        Field.LAST_CONTACTED_AT,
        Field.CREATED_AT,
        Field.UPDATED_AT,
    }
)


def told(contact: wire.Contact) -> frozenset[Field]:
    """The fields that an answer mentions."""
    return _told(tuple(map(is_not, structs.astuple(contact), repeat(UNSET))))


@lru_cache(maxsize=256)
def _told(mentioned: tuple[bool, ...]) -> frozenset[Field]:
    """The items of a list mention the same keys, or nearly so."""
    present = {key for key, is_there in zip(wire.Contact.__struct_fields__, mentioned, strict=True) if is_there}
    return frozenset(field for field, keys in _KEYS.items() if present.issuperset(keys))


# What an item of a list may mention beside that, in the order in which `listed` asks for it.
_BESIDE = (Field.FIRST_NAME, Field.LAST_NAME, Field.PHONES, Field.ADDRESSES, Field.NOTES, Field.EXTERNAL_ID)


def listed(item: wire.Contact) -> frozenset[Field]:
    """The fields that an item of a list tells: what every one shows, and what this one mentions."""
    return _listed(
        (
            item.first_name is not UNSET,
            item.last_name is not UNSET,
            item.phone is not UNSET and item.mobile is not UNSET,
            _mentions_address(item),
            item.notes is not UNSET,
            item.external_id is not UNSET,
        )
    )


def _mentions_address(item: wire.Contact) -> bool:
    # Hardly any item does, so that the first of these decides.
    return (
        item.city is not UNSET
        and item.country is not UNSET
        and item.address_line_1 is not UNSET
        and item.address_line_2 is not UNSET
        and item.state is not UNSET
        and item.zip is not UNSET
    )


@cache
def _listed(beside: tuple[bool, ...]) -> frozenset[Field]:
    return LISTED.union(compress(_BESIDE, beside))
