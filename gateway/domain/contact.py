"""The unified vocabulary: what a contact, a provider's record and their fields are."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from gateway.domain.compare import email_key, text_key

JsonObject: TypeAlias = Mapping[str, Any]


class Provider(StrEnum):
    """A system behind the gateway. The value stands in ids and cursors, so it never changes."""

    GATELY = "gately"
    COMETLY = "cometly"
    KLEN = "klen"


PROVIDERS = {provider.value: provider for provider in Provider}
"""By their values: an enumeration looks its members up by code of Python's own."""


class PhoneType(StrEnum):
    MOBILE = "mobile"
    WORK = "work"
    HOME = "home"
    OTHER = "other"


class ContactStatus(StrEnum):
    NEW = "new"
    ACTIVE = "active"
    INACTIVE = "inactive"
    ARCHIVED = "archived"


class Field(StrEnum):
    """A field of the unified contact. The value is its path in the API, the name its attribute here."""

    NAME = "name"
    FIRST_NAME = "firstName"
    LAST_NAME = "lastName"
    EMAILS = "emails"
    PHONES = "phones"
    ADDRESSES = "addresses"
    COMPANY = "company"
    WEBSITE = "website"
    STATUS = "status"
    STAGE = "stage"
    TAGS = "tags"
    NOTES = "notes"
    CUSTOM_FIELDS = "customFields"
    UNSUBSCRIBED = "unsubscribed"
    EXTERNAL_ID = "externalId"
    CREATED_AT = "createdAt"
    UPDATED_AT = "updatedAt"
    LAST_CONTACTED_AT = "lastContactedAt"
    KLEN_STATUS = "klen.status"
    KLEN_TEAM_ID = "klen.teamId"
    KLEN_INDUSTRY_CONTEXT = "klen.industryContext"

    attribute: str
    """The attribute of records and changes that holds this field."""
    input_path: tuple[str, ...]
    """Where a write's input holds this field; faults and warnings begin with it."""

    def __init__(self, value: str) -> None:
        # Read for every field of every record that is shown, so not put together each time.
        self.attribute = self.name.lower()
        self.input_path = ("input", *value.split("."))


KLEN_FIELDS = frozenset({Field.KLEN_STATUS, Field.KLEN_TEAM_ID, Field.KLEN_INDUSTRY_CONTEXT})
CONTACT_FIELDS: tuple[Field, ...] = tuple(field for field in Field if field not in KLEN_FIELDS)
LIST_FIELDS = frozenset({Field.EMAILS, Field.PHONES, Field.ADDRESSES, Field.TAGS})


class Email(Struct, frozen=True, kw_only=True, gc=False):
    """`normalized` is lower case and serves comparison only; `address` is what the provider holds."""

    address: str
    normalized: str
    primary: bool = False


class Phone(Struct, frozen=True, kw_only=True, gc=False):
    """`number` is the provider's text; `e164` is null where it could not be parsed (ITU-T E.164)."""

    number: str
    e164: str | None
    type: PhoneType
    primary: bool = False
    do_not_call: bool | None = None

    @property
    def comparable(self) -> str:
        """What two ways of writing one number have in common."""
        return self.e164 or "".join(sign for sign in self.number if sign.isdigit()) or self.number


class Address(Struct, frozen=True, kw_only=True, gc=False):
    """`formatted` is one line: the provider's own, or the filled parts joined by commas.

    `country_may_be_default` says that the provider fills a country in by itself, so that it proves nothing.
    """

    street: str | None = None
    street2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    formatted: str
    primary: bool = False
    country_may_be_default: bool = False

    @property
    def without_country(self) -> str:
        """The line without its country; the whole line where the parts are not known."""
        return one_line(self.street, self.street2, self.city, self.state, self.postal_code) or self.formatted


class RecordKey(Struct, frozen=True, order=True, gc=False):
    """What names one record: the provider and the provider's own id, always as text."""

    provider: Provider
    remote_id: str


class Record(Struct, frozen=True, gc=False):
    """What one provider said about somebody, and how much of it may be believed.

    `known` holds the fields that this record is an authority on: answers to writes and list items
    are summaries, so a field outside `known` is not empty, it is unknown. `primaries` is the
    provider's word on which value is the primary one, where it comes apart from the list itself.
    `raw` is the provider's JSON, undecoded.

    What makes a hundred of them gives their fields by position: by name each one is searched for. Nothing in a record
    leads back to it (gc=False), or the collector would walk through those of every list.
    """

    key: RecordKey
    known: frozenset[Field]
    fetched_at: datetime
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    emails: tuple[Email, ...] | None = None
    phones: tuple[Phone, ...] | None = None
    addresses: tuple[Address, ...] | None = None
    company: str | None = None
    website: str | None = None
    status: ContactStatus | None = None
    stage: str | None = None
    tags: tuple[str, ...] | None = None
    notes: str | None = None
    custom_fields: JsonObject | None = None
    unsubscribed: bool | None = None
    external_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_contacted_at: datetime | None = None
    provider_status: str | None = None
    primaries: Mapping[Field, str] = field(default_factory=dict)
    raw: bytes | None = None

    def value(self, wanted: Field) -> Any:
        """The value of one of CONTACT_FIELDS; None is also the value of what is not known."""
        return getattr(self, wanted.attribute)

    def has_email(self, address: str) -> bool:
        """Upper and lower case are equal."""
        return any(email.normalized == email_key(address) for email in self.emails or ())

    def informed_by(self, summary: "Record | None") -> "Record":
        """The same record, with the primaries that only a list item or our own write could tell."""
        if summary is None or not summary.primaries:
            return self
        told = summary.primaries
        return replace(
            self,
            name=told.get(Field.NAME, self.name),
            emails=_with_primary(self.emails, told.get(Field.EMAILS), lambda email: email.normalized),
            phones=_with_primary(self.phones, told.get(Field.PHONES), lambda phone: phone.comparable),
            addresses=_with_primary(
                self.addresses, told.get(Field.ADDRESSES), lambda address: text_key(address.formatted)
            ),
        )


def _with_primary(items: Any, primary: str | None, key_of: Any) -> Any:
    if items is None or primary is None:
        return items
    return tuple([_marked(item, primary=key_of(item) == primary) for item in items])


def _marked(item: Any, *, primary: bool) -> Any:
    return item if item.primary == primary else replace(item, primary=primary)


def one_line(*parts: str | None) -> str:
    """An address on one line: the filled parts, comma separated."""
    return ", ".join(part for part in parts if part)


def filled(text: str | None) -> str | None:
    """Providers say "nothing there" by an empty text as well as by null."""
    return text if text and not text.isspace() else None
