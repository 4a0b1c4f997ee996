"""What a write takes: translated into the unified vocabulary, left out and null kept apart."""

from typing import Any

import strawberry
from msgspec import UNSET
from strawberry import Maybe

from gateway.domain.changes import Changes, WantedAddress, WantedCustomFields, WantedEmail, WantedPhone, WantedTags
from gateway.domain.contact import ContactStatus, PhoneType, Provider
from resolvers.input_reading import read_at_once
from resolvers.reference_inputs import IDEMPOTENCY_KEY
from resolvers.scalars import JSON, DateTime

_DRY_RUN = "Write nothing; tell what would be sent, what would be lost, and which records would collide."


@strawberry.input(description="An email address to write.")
class EmailInput:
    address: str = strawberry.field(description="The address; its syntax is checked, its domain is not asked.")
    primary: bool = strawberry.field(default=False, description="At most one is primary; none marked means the first.")


@strawberry.input(
    description="A phone number to write. A type or doNotCall left out keeps what is stored for that number; a"
    " new number is a MOBILE."
)
class PhoneInput:
    number: str = strawberry.field(description="The number, best with its country code; Klen AI insists on it.")
    type: Maybe[PhoneType | None] = strawberry.field(description="What kind of number it is.")
    primary: bool = strawberry.field(default=False, description="At most one is primary; none marked means the first.")
    do_not_call: Maybe[bool | None] = strawberry.field(description="Whether it may not be called.")


@strawberry.input(description="An address to write: its parts, or one line.")
class AddressInput:
    street: Maybe[str | None] = strawberry.field(description="Street and number.")
    street2: Maybe[str | None] = strawberry.field(description="A second line, such as a floor.")
    city: Maybe[str | None] = strawberry.field(description="City or town.")
    state: Maybe[str | None] = strawberry.field(description="State, province or region.")
    postal_code: Maybe[str | None] = strawberry.field(description="Postal code.")
    country: Maybe[str | None] = strawberry.field(
        description="Country; Klen AI takes ISO 3166-1 alpha-2 only, such as FI."
    )
    formatted: Maybe[str | None] = strawberry.field(description="The address on one line, where there are no parts.")
    primary: bool = strawberry.field(default=False, description="At most one is primary; none marked means the first.")


@strawberry.input(description="Fields that only Klen AI knows.")
class KlenFieldsInput:
    status: Maybe[str | None] = strawberry.field(description="Klen AI's own word for the status; overrules `status`.")
    team_id: Maybe[int | None] = strawberry.field(description="The team that the contact belongs to.")
    industry_context: Maybe[JSON | None] = strawberry.field(description="An object of fields for the industry.")


@strawberry.input(one_of=True, description="The whole new list of tags, or what to add or remove.")
class TagsPatch:
    set: Maybe[list[str] | None] = strawberry.field(description="The whole new list.")
    add: Maybe[list[str] | None] = strawberry.field(description="Tags to add to those that are there.")
    remove: Maybe[list[str] | None] = strawberry.field(description="Tags to take away.")


@strawberry.input(one_of=True, description="The whole new object of custom fields, or what to change in it.")
class CustomFieldsPatch:
    merge: Maybe[JSON | None] = strawberry.field(description="Keys to set; a null value removes its key.")
    replace: Maybe[JSON | None] = strawberry.field(description="The whole new object.")


@strawberry.input
class _ContactInput:
    """What a creation and an update take alike; not a type of the schema itself."""

    name: Maybe[str | None] = strawberry.field(description="The whole name; it and its parts are kept in line.")
    first_name: Maybe[str | None] = strawberry.field(description="The first name; derived from `name` where needed.")
    last_name: Maybe[str | None] = strawberry.field(description="The last name; derived from `name` where needed.")
    emails: Maybe[list[EmailInput] | None] = strawberry.field(description="Email addresses, the whole list.")
    phones: Maybe[list[PhoneInput] | None] = strawberry.field(description="Phone numbers, the whole list.")
    addresses: Maybe[list[AddressInput] | None] = strawberry.field(description="Postal addresses, the whole list.")
    company: Maybe[str | None] = strawberry.field(description="Where the person works, or the business's name.")
    website: Maybe[str | None] = strawberry.field(description="A web address.")
    status: Maybe[ContactStatus | None] = strawberry.field(description="Where the contact stands.")
    stage: Maybe[str | None] = strawberry.field(description="The stage of a sale, in the provider's own word.")
    notes: Maybe[str | None] = strawberry.field(description="Free text.")
    external_id: Maybe[str | None] = strawberry.field(description="Your own id for the contact.")
    klen: Maybe[KlenFieldsInput | None] = strawberry.field(description="Fields that only Klen AI knows.")


@strawberry.input(description="A contact to create.")
class CreateContactInput(_ContactInput):
    providers: Maybe[list[Provider] | None] = strawberry.field(
        description="Where to create it; every configured provider when left out."
    )
    idempotency_key: Maybe[str | None] = strawberry.field(description=IDEMPOTENCY_KEY)
    dry_run: bool = strawberry.field(default=False, description=_DRY_RUN)
    tags: Maybe[list[str] | None] = strawberry.field(description="Names of tags.")
    custom_fields: Maybe[JSON | None] = strawberry.field(description="An object of fields of your own.")

    def to_changes(self) -> Changes:
        return Changes(
            **_shared(self),
            tags=WantedTags(whole=_names(self.tags)) if _given(self.tags) else _value(self.tags),
            custom_fields=_whole_object(self.custom_fields),
        )


@strawberry.input(description="A change to a contact. Left out: unchanged. null: cleared. A list: the whole new list.")
class UpdateContactInput(_ContactInput):
    id: strawberry.ID = strawberry.field(description="A contact (all its records) or a record (that one).")
    providers: Maybe[list[Provider] | None] = strawberry.field(description="Only these of the contact's records.")
    idempotency_key: Maybe[str | None] = strawberry.field(description=IDEMPOTENCY_KEY)
    dry_run: bool = strawberry.field(default=False, description=_DRY_RUN)
    if_unmodified_since: Maybe[DateTime | None] = strawberry.field(
        description="Write only records that nobody has changed after this, such as the `updatedAt` that was read;"
        " a record changed since is STALE_RECORD, and a provider that tells no such time refuses."
    )
    tags: Maybe[TagsPatch | None] = strawberry.field(description="Tags to set, add or remove.")
    custom_fields: Maybe[CustomFieldsPatch | None] = strawberry.field(description="Custom fields to change.")
    unsubscribed: Maybe[bool | None] = strawberry.field(
        description="Whether the contact may not be sent email any more; never copied to other marks."
    )

    def to_changes(self) -> Changes:
        return Changes(
            **_shared(self),
            tags=_tags(self.tags),
            custom_fields=_custom_fields(self.custom_fields),
            unsubscribed=_value(self.unsubscribed),
        )


read_at_once(
    EmailInput,
    PhoneInput,
    AddressInput,
    KlenFieldsInput,
    TagsPatch,
    CustomFieldsPatch,
    CreateContactInput,
    UpdateContactInput,
)


def _given(field: Any) -> bool:
    return field is not None and field.value is not None


def _value(field: Any) -> Any:
    """UNSET for what was left out; None for null."""
    return UNSET if field is None else field.value


def _shared(asked: _ContactInput) -> dict[str, Any]:
    klen = asked.klen.value if asked.klen is not None else None
    lines = ("name", "first_name", "last_name", "company", "website", "status", "stage", "notes", "external_id")
    return {
        **{name: _value(getattr(asked, name)) for name in lines},
        "emails": _items(asked.emails, _email),
        "phones": _items(asked.phones, _phone),
        "addresses": _items(asked.addresses, _address),
        "klen_status": _value(klen.status) if klen else UNSET,
        "klen_team_id": _value(klen.team_id) if klen else UNSET,
        "klen_industry_context": _value(klen.industry_context) if klen else UNSET,
    }


def _items(field: Any, read: Any) -> Any:
    if not _given(field):
        return _value(field)
    return tuple(read(item, position) for position, item in enumerate(field.value))


def _email(item: EmailInput, position: int) -> WantedEmail:
    return WantedEmail(address=item.address, primary=item.primary, position=position)


def _phone(item: PhoneInput, position: int) -> WantedPhone:
    return WantedPhone(
        number=item.number,
        e164=None,
        type=_or_none(item.type),
        primary=item.primary,
        do_not_call=_or_none(item.do_not_call),
        position=position,
        primary_named=item.primary,
    )


def _address(item: AddressInput, position: int) -> WantedAddress:
    return WantedAddress(
        street=_or_none(item.street),
        street2=_or_none(item.street2),
        city=_or_none(item.city),
        state=_or_none(item.state),
        postal_code=_or_none(item.postal_code),
        country=_or_none(item.country),
        formatted=_or_none(item.formatted),
        primary=item.primary,
        position=position,
    )


def _or_none(field: Any) -> Any:
    """Inside a new item of a list there is nothing to clear: null and left out mean the same."""
    return field.value if field is not None else None


def _tags(field: Any) -> Any:
    if not _given(field):
        return _value(field)
    patch: TagsPatch = field.value
    if patch.set is not None:
        return WantedTags(whole=_names(patch.set), below=("set",))
    return WantedTags(
        add=_names(patch.add), remove=_names(patch.remove), below=("add",) if patch.add is not None else ("remove",)
    )


def _names(field: Any) -> tuple[str, ...]:
    return tuple(field.value) if field is not None else ()


def _custom_fields(field: Any) -> Any:
    if not _given(field):
        return _value(field)
    patch: CustomFieldsPatch = field.value
    merge = patch.merge is not None
    wanted = patch.merge if patch.merge is not None else patch.replace
    return WantedCustomFields(values=wanted.value, merge=merge, below=("merge" if merge else "replace",))  # type: ignore[union-attr, arg-type]


def _whole_object(field: Any) -> Any:
    return WantedCustomFields(values=field.value, merge=False) if _given(field) else _value(field)
