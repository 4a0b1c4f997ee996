"""The mutations: translate the input, delegate, translate what happened."""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol

import strawberry

from gateway.contacts.writing import Written
from gateway.domain.contact import Provider, Record, RecordKey
from gateway.domain.errors import InputProblem, InvalidInput, WriteOutcome
from gateway.domain.identity import NodeType
from gateway.domain.merge import Answer
from gateway.domain.writes import WarningCode, WriteAction, WriteFailed, WriteResult, WriteStatus
from resolvers.contact import Contact, ContactRecord, contact_of
from resolvers.context import Context, Info
from resolvers.faults import ProviderFault
from resolvers.inputs import (
    CreateContactInput,
    DeleteContactInput,
    LinkContactsInput,
    UnlinkRecordInput,
    UpdateContactInput,
    providers_of,
)
from resolvers.queries import Query
from resolvers.selection import contact_selection
from resolvers.views import ContactView, RecordView

_QUERY = "Lets a client ask anything else after the write."
_RESULTS = "Exactly one per targeted provider, in the order they were named."


@strawberry.type(description="Something that a provider could not take as it was given.")
class WriteWarning:
    code: WarningCode = strawberry.field(description="What happened to it, for programs.")
    field: list[str] = strawberry.field(description="The path into the input, beginning with `input`.")
    message: str = strawberry.field(description="What happened to it, for people.")


@strawberry.interface(description="What happened at one provider.")
class ProviderWriteResult:
    provider: Provider = strawberry.field(description="The provider.")
    outcome: WriteOutcome = strawberry.field(description="What is known about the write there.")
    warnings: list[WriteWarning] = strawberry.field(description="What the provider could not take as it was given.")


@strawberry.type(description="The provider applied the write.")
class ProviderWriteSuccess(ProviderWriteResult):
    action: WriteAction = strawberry.field(description="What the provider did.")
    record: ContactRecord = strawberry.field(description="The record that it left behind.")


@strawberry.type(description="The provider did not apply the write, or nobody knows.")
class ProviderWriteFailure(ProviderWriteResult):
    error: ProviderFault = strawberry.field(description="Why.")
    existing: ContactRecord | None = strawberry.field(description="With DUPLICATE, the record that is there already.")


def _query() -> Query:
    return Query()


class _Payload(Protocol):
    written: Written


def _status(root: _Payload) -> WriteStatus:
    return root.written.status


def _operation_id(root: _Payload) -> strawberry.ID:
    return strawberry.ID(root.written.operation_id)


def _results(root: _Payload, info: Info) -> list[ProviderWriteResult]:
    return [_result(info.context, result) for result in root.written.results]


@strawberry.type(description="What became of a creation.")
class CreateContactPayload:
    written: strawberry.Private[Written]
    status: WriteStatus = strawberry.field(resolver=_status, description="The end over all providers.")
    operation_id: strawberry.ID = strawberry.field(resolver=_operation_id, description="Names this write.")
    contact: Contact | None = strawberry.field(description="The contact, unless nothing is known to exist.")
    results: list[ProviderWriteResult] = strawberry.field(resolver=_results, description=_RESULTS)
    query: Query = strawberry.field(resolver=_query, description=_QUERY)


@strawberry.type(description="What became of an update.")
class UpdateContactPayload:
    written: strawberry.Private[Written]
    status: WriteStatus = strawberry.field(resolver=_status, description="The end over all providers.")
    operation_id: strawberry.ID = strawberry.field(resolver=_operation_id, description="Names this write.")
    contact: Contact | None = strawberry.field(description="The contact with all its records.")
    results: list[ProviderWriteResult] = strawberry.field(resolver=_results, description=_RESULTS)
    query: Query = strawberry.field(resolver=_query, description=_QUERY)


@strawberry.type(description="What became of a deletion.")
class DeleteContactPayload:
    written: strawberry.Private[Written]
    status: WriteStatus = strawberry.field(resolver=_status, description="The end over all providers.")
    operation_id: strawberry.ID = strawberry.field(resolver=_operation_id, description="Names this write.")
    deleted_id: strawberry.ID | None = strawberry.field(
        description="The id that was given, when nothing of what it names is left."
    )
    results: list[ProviderWriteResult] = strawberry.field(resolver=_results, description=_RESULTS)
    query: Query = strawberry.field(resolver=_query, description=_QUERY)


@strawberry.type(description="The contact that the given ones became.")
class LinkContactsPayload:
    contact: Contact | None = strawberry.field(description="The linked contact.")
    query: Query = strawberry.field(resolver=_query, description=_QUERY)


@strawberry.type(description="The two contacts that one became.")
class UnlinkRecordPayload:
    contact: Contact | None = strawberry.field(description="What remains.")
    separated: Contact | None = strawberry.field(description="The record on its own.")
    query: Query = strawberry.field(resolver=_query, description=_QUERY)


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
    family = await info.context.families.load(written.anchor)
    selection = contact_selection(info._raw_info, ("contact",))
    return Contact(view=ContactView(info.context, family, selection, _records(written.results)))


def _records(results: Sequence[WriteResult]) -> list[Record]:
    return [result.record for result in results if result.record]


def _result(context: Context, result: WriteResult) -> ProviderWriteResult:
    warnings: Any = list(result.warnings)
    if result.failure is None:
        assert result.action is not None
        assert result.key is not None
        return ProviderWriteSuccess(
            provider=result.provider,
            outcome=result.outcome,
            warnings=warnings,
            action=result.action,
            record=ContactRecord(view=RecordView(context, result.key, result.record)),
        )
    fault: Any = result.failure.fault
    return ProviderWriteFailure(
        provider=result.provider,
        outcome=result.outcome,
        warnings=warnings,
        error=fault,
        existing=_existing(context, fault.existing),
    )


def _existing(context: Context, key: RecordKey | None) -> ContactRecord | None:
    return ContactRecord(view=RecordView(context, key)) if key else None


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
