"""The mutations: translate the input, delegate, translate what happened."""

from typing import Annotated, Any

import strawberry
from sqlalchemy.exc import SQLAlchemyError

from gateway.contacts.writing import Written
from gateway.domain.errors import InputProblem, InvalidInput
from gateway.domain.identity import NodeType
from gateway.domain.merge import Answer
from gateway.domain.writes import WriteAction, WriteFailed, WriteStatus
from resolvers.contact import Contact, contact_of
from resolvers.context import Context, Info
from resolvers.inputs import (
    CreateContactInput,
    DeleteContactInput,
    LinkContactsInput,
    UnlinkRecordInput,
    UpdateContactInput,
    providers_of,
)
from resolvers.payloads import (
    CreateContactPayload,
    DeleteContactPayload,
    LinkContactsPayload,
    UnlinkRecordPayload,
    UpdateContactPayload,
)
from resolvers.selection import contact_selection
from resolvers.views import ContactView


async def create_contact(
    info: Info, input: Annotated[CreateContactInput, strawberry.argument(description="The contact.")]
) -> CreateContactPayload | None:
    written = await info.context.use_cases.writing.create(input.to_changes(), providers_of(input.providers))
    _settle(info.context, written)
    return CreateContactPayload(written=written, contact=await _contact_after(info, written))


async def update_contact(
    info: Info, input: Annotated[UpdateContactInput, strawberry.argument(description="The change.")]
) -> UpdateContactPayload | None:
    target = info.context.directory.read_id(input.id, ("input", "id"))
    providers = providers_of(input.providers)
    written = await info.context.use_cases.writing.update(target, input.to_changes(), providers)
    _settle(info.context, written)
    return UpdateContactPayload(written=written, contact=await _contact_after(info, written))


async def delete_contact(
    info: Info, input: Annotated[DeleteContactInput, strawberry.argument(description="What to delete.")]
) -> DeleteContactPayload | None:
    target = info.context.directory.read_id(input.id, ("input", "id"))
    written = await info.context.use_cases.writing.delete(target, providers_of(input.providers))
    _settle(info.context, written)
    return DeleteContactPayload(written=written, deleted_id=input.id if written.anchor is None else None)


async def link_contacts(
    info: Info, input: Annotated[LinkContactsInput, strawberry.argument(description="What to link.")]
) -> LinkContactsPayload | None:
    paths = [("input", "ids", str(place)) for place in range(len(input.ids))]
    keys = [info.context.directory.read_id(one, path).key for one, path in zip(input.ids, paths, strict=True)]
    anchor = await info.context.use_cases.linking.link(keys)
    info.context.families.clear_all()
    contact = await contact_of(info, anchor, contact_selection(info._raw_info, ("contact",)))
    return LinkContactsPayload(contact=contact)


async def unlink_record(
    info: Info, input: Annotated[UnlinkRecordInput, strawberry.argument(description="What to separate.")]
) -> UnlinkRecordPayload | None:
    path = ("input", "recordId")
    target = info.context.directory.read_id(input.record_id, path)
    if target.type is not NodeType.RECORD:
        message = "must be the id of a record, as records { id } gives it"
        raise InvalidInput(InputProblem(path=path, code="NOT_A_RECORD", message=message))
    alone, rest = await info.context.use_cases.linking.unlink(target.key)
    info.context.families.clear_all()
    separated = await contact_of(info, alone.anchor, contact_selection(info._raw_info, ("separated",)))
    if rest is None:
        return UnlinkRecordPayload(contact=None, separated=separated)
    contact = await contact_of(info, rest.anchor, contact_selection(info._raw_info, ("contact",)))
    return UnlinkRecordPayload(contact=contact, separated=separated)


def _settle(context: Context, written: Written) -> None:
    """Ends a write that nobody applied as one error, and forgets what this request read before it.

    Raises:
        WriteFailed: when the status is FAILED.
    """
    if written.status is WriteStatus.FAILED:
        raise WriteFailed(tuple(result.failure for result in written.results if result.failure))
    context.families.clear_all()
    for key in (result.key for result in written.results if result.key):
        context.records.clear(key)
    for result in written.results:
        if result.action is WriteAction.DELETED and result.key:
            context.records.prime(result.key, Answer(key=result.key))


async def _contact_after(info: Info, written: Written) -> Contact | Any | None:
    """The contact that a write left behind; the reason in its place when it could not be put together."""
    if written.link_error is not None:
        return written.link_error
    if written.anchor is None:
        return None
    try:
        family = await info.context.families.load(written.anchor)
    except SQLAlchemyError as error:
        # What became of the write has to reach the caller, whatever became of the database since.
        return error
    selection = contact_selection(info._raw_info, ("contact",))
    records = {result.record.key: result.record for result in written.results if result.record}
    return Contact(view=ContactView(info.context, family, selection, records))


@strawberry.type(description="Everything that can be written. Several fields of one operation run in order.")
class Mutation:
    create_contact: CreateContactPayload | None = strawberry.field(
        resolver=create_contact,
        description="Creates one contact at one or more providers. Applied or possibly applied anywhere: data,"
        " without an error. Applied nowhere: one error with `extensions.providers`.",
    )
    update_contact: UpdateContactPayload | None = strawberry.field(
        resolver=update_contact,
        description="Changes a contact at every provider that holds it. Left out: unchanged; null: cleared.",
    )
    delete_contact: DeleteContactPayload | None = strawberry.field(
        resolver=delete_contact,
        description="Deletes a contact for good, where the provider can; elsewhere UNSUPPORTED_OPERATION.",
    )
    link_contacts: LinkContactsPayload | None = strawberry.field(
        resolver=link_contacts, description="Says that several contacts are the same one. No provider is changed."
    )
    unlink_record: UnlinkRecordPayload | None = strawberry.field(
        resolver=unlink_record, description="Puts one record on its own. No provider is changed."
    )
