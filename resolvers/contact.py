"""Contact and ContactRecord: one table of fields for both, answered by whatever view stands behind."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import strawberry

from gateway.contacts.terms import Terms
from gateway.domain.contact import ContactStatus, Field, Provider, Record, RecordKey
from gateway.domain.errors import ReplyUnreadable
from gateway.domain.identity import contact_id, record_id
from gateway.domain.merge import UNITED_ALONE, Answer
from gateway.upstream.decode import decode
from resolvers.context import Info
from resolvers.cost_directives import at_most, cost
from resolvers.faults import Source
from resolvers.plans.together import read_together
from resolvers.record_view import RecordView
from resolvers.scalars import JSON, DateTime
from resolvers.selection import Selection, contact_selection, record_selection
from resolvers.values import Address, Email, Phone
from resolvers.views import ContactView


@strawberry.interface(description="Something with an id by which it can be fetched again (Relay).")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque and stable; made without a database.")


class _View(Protocol):
    def value(self, field: Field) -> Any: ...

    def teller(self, fields: frozenset[Field]) -> Record | None: ...


class _Viewed(Protocol):
    view: _View


def _teller(root: _Viewed, fields: frozenset[Field]) -> Record | None:
    return root.view.teller(fields)


def _told(field: Field, description: str, *directives: object) -> Any:
    def resolve(root: _Viewed) -> Any:
        return root.view.value(field)

    # A list may hold what has to be united first, even one of a single record.
    read_together(resolve, _teller, field.attribute, field, fit=UNITED_ALONE.get(field))
    return strawberry.field(resolver=resolve, description=description, directives=directives)


@strawberry.interface(
    description="What a contact says, whoever says it. Implemented by the unified contact and by each"
    " provider's record. A single value of the unified contact is the first one in the order of precedence;"
    " its lists are united without duplicates. Null without an error means: everybody who could know was"
    " asked and has none."
)
class ContactFields:
    name: str | None = _told(Field.NAME, "The whole name.")
    first_name: str | None = _told(Field.FIRST_NAME, "The first name, where a provider keeps it; never guessed.")
    last_name: str | None = _told(Field.LAST_NAME, "The last name, where a provider keeps it; never guessed.")
    emails: list[Email] | None = _told(Field.EMAILS, "Email addresses.", at_most(3))
    phones: list[Phone] | None = _told(Field.PHONES, "Phone numbers.", at_most(3))
    addresses: list[Address] | None = _told(Field.ADDRESSES, "Postal addresses.", at_most(2))
    company: str | None = _told(Field.COMPANY, "Where the person works, or the name of the business.")
    website: str | None = _told(Field.WEBSITE, "A web address.")
    status: ContactStatus | None = _told(
        Field.STATUS, "Where the contact stands; null where the provider's word has no counterpart."
    )
    stage: str | None = _told(Field.STAGE, "The stage of a sale, in the provider's own words.")
    tags: list[str] | None = _told(Field.TAGS, "Names of tags.", at_most(10))
    notes: str | None = _told(
        Field.NOTES, "Free text. Klen AI's recent notes, newest first, with a blank line between."
    )
    custom_fields: JSON | None = _told(Field.CUSTOM_FIELDS, "An object of fields that the account itself defined.")
    unsubscribed: bool | None = _told(Field.UNSUBSCRIBED, "Whether the contact may not be sent email any more.")
    external_id: str | None = _told(Field.EXTERNAL_ID, "Your own id for the contact.")
    created_at: DateTime | None = _told(Field.CREATED_AT, "When the record was made.")
    updated_at: DateTime | None = _told(Field.UPDATED_AT, "When the record was last changed.")
    last_contacted_at: DateTime | None = _told(Field.LAST_CONTACTED_AT, "When somebody was last in touch.")


def _contact_id(root: "Contact") -> strawberry.ID:
    return contact_id(root.view.anchor)  # type: ignore[return-value]  # calling ID takes as long as making the id


read_together(_contact_id, _teller, "key", made=contact_id)


def _records(root: "Contact", info: Info) -> Any:
    asked = root.view.asked_records(record_selection(info._raw_info))
    return [_record_or_gone(one) if isinstance(one, RecordView) else _record_when_asked(one) for one in asked]


async def _record_when_asked(record: Awaitable[RecordView]) -> Any:
    return _record_or_gone(await record)


def _record_or_gone(record: RecordView) -> Any:
    """An item is null when its record is gone, and the failure itself when it could not be read."""
    told = record.told
    if told is not None and told.failure is not None:
        return told.failure
    return None if told is not None and told.gone else ContactRecord(view=record)


async def _sources(root: "Contact") -> Any:
    await root.view.ask_for_sources()
    return root.view.sources()


@strawberry.type(description="One person or business, unified from every provider that holds a record of it.")
class Contact(Node, ContactFields):
    view: strawberry.Private[ContactView]
    id: strawberry.ID = strawberry.field(
        resolver=_contact_id,
        description="Named by the contact's first record; the id of any linked record leads here too.",
    )
    records: list["ContactRecord | None"] = strawberry.field(
        resolver=_records,
        description="One per linked provider record, in order of precedence. An item is null when its provider"
        " no longer has it, null with an error when the provider could not be read.",
        directives=[at_most(3), cost(3)],
    )
    sources: list[Source] = strawberry.field(
        resolver=_sources,
        description="How each provider that was asked for this contact answered.",
        directives=[at_most(3), cost(3)],
    )


def _record_id(root: "ContactRecord") -> strawberry.ID:
    return strawberry.ID(record_id(root.view.key))


read_together(_record_id, _teller, "key", made=record_id)


def _provider(root: "ContactRecord") -> Provider:
    return root.view.key.provider


def _remote_id(root: "ContactRecord") -> str:
    return root.view.key.remote_id


async def _contact(root: "ContactRecord", info: Info) -> Contact:
    view = root.view
    selection = contact_selection(info._raw_info, ())
    return await contact_of(info, view.key, selection, known=view.summary, terms=view.terms)


async def _provider_status(root: "ContactRecord") -> Any:
    if not root.view.holds(Field.STATUS):
        return None
    return await _from_answer(root.view.answer_for(Field.STATUS), lambda record: record.provider_status)


async def _raw(root: "ContactRecord") -> Any:
    summary = root.view.summary
    answer = root.view.answer() if root.view.told is None or not (summary and summary.raw) else root.view.told
    return await _from_answer(answer, _read_raw)


def _read_raw(record: Record) -> Any:
    """What no field of ours reads has not been decoded before, so it may still turn out to be no JSON."""
    try:
        return record.raw and decode(record.raw, object, record.key.provider)
    except ReplyUnreadable as failure:
        return failure


async def _from_answer(answer: Answer | Awaitable[Answer], read: Callable[[Record], Any]) -> Any:
    """What a record says beside the fields of a contact; the failure itself when it could not be read."""
    known = answer if isinstance(answer, Answer) else await answer
    return known.failure or (read(known.record) if known.record else None)


def _fetched_at(root: "ContactRecord") -> DateTime | None:
    told = root.view.told
    return DateTime(told.record.fetched_at) if told and told.record else None


@strawberry.type(description="The record that one provider holds, in the unified vocabulary.")
class ContactRecord(Node, ContactFields):
    view: strawberry.Private[RecordView]
    id: strawberry.ID = strawberry.field(
        resolver=_record_id, description="Made of the provider and the provider's own id."
    )
    provider: Provider = strawberry.field(resolver=_provider, description="Who holds the record.")
    remote_id: str = strawberry.field(resolver=_remote_id, description="The provider's own id.")
    contact: Contact = strawberry.field(
        resolver=_contact, description="The unified contact that this record belongs to.", directives=[cost(3)]
    )
    provider_status: str | None = strawberry.field(
        resolver=_provider_status, description="The provider's own word for the status, untranslated."
    )
    raw: JSON | None = strawberry.field(
        resolver=_raw, description="The record as the provider sent it.", directives=[cost(1)]
    )
    fetched_at: DateTime | None = strawberry.field(
        resolver=_fetched_at, description="When the gateway got it; null while nothing was fetched."
    )


async def contact_of(
    info: Info, key: RecordKey, selection: Selection, known: Record | None = None, terms: Terms | None = None
) -> Contact:
    """The contact that a record belongs to; nobody is asked yet."""
    family = await info.context.families.load(key)
    return Contact(view=ContactView(info.context, family, selection, {known.key: known} if known else None, terms))
