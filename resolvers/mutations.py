"""The mutations: translate the input, delegate, translate what happened."""

from typing import Annotated, Any

import strawberry

from gateway.contacts.written import Written
from gateway.domain.contact import Provider
from gateway.domain.errors import InputProblem, InvalidInput
from gateway.domain.identity import NodeType
from gateway.domain.intent import Intent, MatchKey, WriteKind
from resolvers.contact import contact_of
from resolvers.context import Info
from resolvers.cost_directives import cost
from resolvers.inputs import CreateContactInput, UpdateContactInput
from resolvers.nulls import nulls_in
from resolvers.payloads import (
    CreateContactPayload,
    DeleteContactPayload,
    LinkContactsPayload,
    ReconcileWritePayload,
    RetryWritePayload,
    UnlinkRecordPayload,
    UpdateContactPayload,
    UpsertContactPayload,
)
from resolvers.reference_inputs import (
    DeleteContactInput,
    LinkContactsInput,
    ReconcileWriteInput,
    RetryWriteInput,
    UnlinkRecordInput,
    providers_of,
)
from resolvers.selection import contact_selection
from resolvers.writes import carried_out, contact_after, forget, settled

# It may call three providers, each of them several times.
_WRITE = cost(100)


async def create_contact(
    info: Info, input: Annotated[CreateContactInput, strawberry.argument(description="The contact.")]
) -> CreateContactPayload | None:
    intent = Intent(
        kind=WriteKind.CREATE,
        changes=input.to_changes(),
        providers=_providers(input.providers),
        nulls=nulls_in(input),
    )
    written = await carried_out(info, intent, input.idempotency_key, dry_run=input.dry_run)
    return CreateContactPayload(written=written, contact=await contact_after(info, written))


async def upsert_contact(
    info: Info,
    input: Annotated[CreateContactInput, strawberry.argument(description="The contact.")],
    match_on: Annotated[
        list[MatchKey], strawberry.argument(description="What a contact that is there already is recognised by.")
    ] = [MatchKey.EMAIL],  # noqa: B006 (a default of the schema; nobody changes it)
) -> UpsertContactPayload | None:
    intent = Intent(
        kind=WriteKind.UPSERT,
        changes=input.to_changes(),
        providers=_providers(input.providers),
        match_on=tuple(dict.fromkeys(match_on)),
        nulls=nulls_in(input),
    )
    written = await carried_out(info, intent, input.idempotency_key, dry_run=input.dry_run)
    return UpsertContactPayload(written=written, contact=await contact_after(info, written))


async def update_contact(
    info: Info, input: Annotated[UpdateContactInput, strawberry.argument(description="The change.")]
) -> UpdateContactPayload | None:
    intent = Intent(
        kind=WriteKind.UPDATE,
        changes=input.to_changes(),
        target=info.context.directory.read_id(input.id, ("input", "id")),
        providers=_providers(input.providers),
        unmodified_since=input.if_unmodified_since.value if input.if_unmodified_since else None,
        nulls=nulls_in(input),
    )
    written = await carried_out(info, intent, input.idempotency_key, dry_run=input.dry_run)
    return UpdateContactPayload(written=written, contact=await contact_after(info, written))


async def delete_contact(
    info: Info, input: Annotated[DeleteContactInput, strawberry.argument(description="What to delete.")]
) -> DeleteContactPayload | None:
    target = info.context.directory.read_id(input.id, ("input", "id"))
    intent = Intent(kind=WriteKind.DELETE, target=target, providers=_providers(input.providers), nulls=nulls_in(input))
    written = await carried_out(info, intent, input.idempotency_key)
    gone = isinstance(written, Written) and written.anchor is None
    return DeleteContactPayload(written=written, deleted_id=input.id if gone else None)


async def retry_write(
    info: Info, input: Annotated[RetryWriteInput, strawberry.argument(description="The write.")]
) -> RetryWritePayload | None:
    written = await settled(info, await info.context.use_cases.writing.retry(input.operation_id))
    return RetryWritePayload(written=written, contact=await contact_after(info, written))


async def reconcile_write(
    info: Info, input: Annotated[ReconcileWriteInput, strawberry.argument(description="The write.")]
) -> ReconcileWritePayload | None:
    # That nobody applied it is an answer here: it was asked for.
    written = await info.context.use_cases.writing.reconcile(input.operation_id)
    forget(info, written)
    return ReconcileWritePayload(written=written, contact=await contact_after(info, written))


async def link_contacts(
    info: Info, input: Annotated[LinkContactsInput, strawberry.argument(description="What to link.")]
) -> LinkContactsPayload | None:
    paths = [("input", "ids", str(place)) for place in range(len(input.ids))]
    keys = [info.context.directory.read_id(one, path).key for one, path in zip(input.ids, paths, strict=True)]
    anchor = await info.context.use_cases.linking.link(keys)
    info.context.families.forget()
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
    info.context.families.forget()
    separated = await contact_of(info, alone.anchor, contact_selection(info._raw_info, ("separated",)))
    if rest is None:
        return UnlinkRecordPayload(contact=None, separated=separated)
    contact = await contact_of(info, rest.anchor, contact_selection(info._raw_info, ("contact",)))
    return UnlinkRecordPayload(contact=contact, separated=separated)


def _providers(named: Any) -> tuple[Provider, ...] | None:
    providers = providers_of(named)
    return None if providers is None else tuple(providers)


@strawberry.type(description="Everything that can be written. Several fields of one operation run in order.")
class Mutation:
    create_contact: CreateContactPayload | None = strawberry.field(
        resolver=create_contact,
        description="Creates one contact at one or more providers. Applied or possibly applied anywhere: data,"
        " without an error. Applied nowhere: one error with `extensions.providers`.",
        directives=[_WRITE],
    )
    update_contact: UpdateContactPayload | None = strawberry.field(
        resolver=update_contact,
        description="Changes a contact at every provider that holds it. Left out: unchanged; null: cleared.",
        directives=[_WRITE],
    )
    delete_contact: DeleteContactPayload | None = strawberry.field(
        resolver=delete_contact,
        description="Deletes a contact for good, where the provider can; elsewhere UNSUPPORTED_OPERATION.",
        directives=[_WRITE],
    )
    upsert_contact: UpsertContactPayload | None = strawberry.field(
        resolver=upsert_contact,
        description="At each provider: creates the contact where nobody matches, changes the one that matches;"
        " where several match, nothing is written and `candidates` lists them.",
        directives=[_WRITE],
    )
    retry_write: RetryWritePayload | None = strawberry.field(
        resolver=retry_write,
        description="Sends again what a write surely did not do, and only that.",
        directives=[_WRITE],
    )
    reconcile_write: ReconcileWritePayload | None = strawberry.field(
        resolver=reconcile_write,
        description="Finds out what became of a write whose outcome is unknown, by looking; sends nothing.",
        directives=[cost(30)],
    )
    link_contacts: LinkContactsPayload | None = strawberry.field(
        resolver=link_contacts,
        description="Says that several contacts are the same one. No provider is changed.",
        directives=[cost(10)],
    )
    unlink_record: UnlinkRecordPayload | None = strawberry.field(
        resolver=unlink_record,
        description="Puts one record on its own. No provider is changed.",
        directives=[cost(10)],
    )
