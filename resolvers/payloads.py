"""What a write answers: the end over all providers, and what happened at each."""

from typing import Any

import strawberry

from gateway.contacts.written import Preview, Previewed, Written
from gateway.domain.contact import Provider, Record, RecordKey
from gateway.domain.errors import ProviderFailure, WriteOutcome
from gateway.domain.writes import WarningCode, WriteAction, WriteResult, WriteStatus
from resolvers.contact import Contact, ContactRecord
from resolvers.context import Context, Info
from resolvers.cost_directives import at_most
from resolvers.faults import ProviderFault
from resolvers.queries import Query
from resolvers.record_view import RecordView
from resolvers.scalars import JSON

_QUERY = "Lets a client ask anything else after the write."


@strawberry.type(description="Something that a provider could not take as it was given.")
class WriteWarning:
    code: WarningCode = strawberry.field(description="What happened to it, for programs.")
    field: list[str] = strawberry.field(
        description="The path into the input, beginning with `input`.", directives=[at_most(5)]
    )
    message: str = strawberry.field(description="What happened to it, for people.")


@strawberry.interface(description="What happened at one provider.")
class ProviderWriteResult:
    provider: Provider = strawberry.field(description="The provider.")
    outcome: WriteOutcome = strawberry.field(description="What is known about the write there.")
    warnings: list[WriteWarning] = strawberry.field(
        description="What the provider could not take as it was given.", directives=[at_most(5)]
    )


@strawberry.type(description="The provider applied the write.")
class ProviderWriteSuccess(ProviderWriteResult):
    action: WriteAction = strawberry.field(description="What the provider did.")
    record: ContactRecord = strawberry.field(description="The record that it left behind.")


@strawberry.type(description="The provider did not apply the write, or nobody knows.")
class ProviderWriteFailure(ProviderWriteResult):
    error: ProviderFault = strawberry.field(description="Why.")
    existing: ContactRecord | None = strawberry.field(
        description="With DUPLICATE, the record that is there already; with an unknown outcome, one that may be it."
    )
    candidates: list[ContactRecord] = strawberry.field(
        description="With AMBIGUOUS_MATCH, the records that an upsert could mean.", directives=[at_most(5)]
    )


@strawberry.type(description="A request as it would be sent to a provider.")
class PlannedRequest:
    method: str = strawberry.field(description="The HTTP method.")
    path: str = strawberry.field(description="The path below the provider's base URL.")
    body: JSON | None = strawberry.field(description="The JSON body, in the provider's own words.")


@strawberry.type(description="What a dry run would do at the provider. Nothing was written there.")
class ProviderWritePreview(ProviderWriteResult):
    requests: list[PlannedRequest] = strawberry.field(
        description="What would be sent, in order. Empty where nothing would be left to send.", directives=[at_most(3)]
    )
    target: ContactRecord | None = strawberry.field(
        description="The record that would be changed; null where one would be created."
    )
    collisions: list[ContactRecord] | None = strawberry.field(
        description="Other records that hold one of the email addresses; null where the provider cannot say.",
        directives=[at_most(5)],
    )


def _query() -> Query:
    return Query()


def _status(root: "_WritePayload") -> WriteStatus:
    return root.written.status


def _operation_id(root: "_WritePayload") -> strawberry.ID:
    return strawberry.ID(root.written.operation_id)


def _results(root: "_WritePayload", info: Info) -> list[ProviderWriteResult]:
    return [
        _preview(info.context, result) if isinstance(result, Preview) else _result(info.context, result)
        for result in root.written.results
    ]


@strawberry.type
class _WritePayload:
    """What every write to providers answers; not a type of the schema itself."""

    written: strawberry.Private[Written | Previewed]
    status: WriteStatus = strawberry.field(resolver=_status, description="The end over all providers.")
    operation_id: strawberry.ID = strawberry.field(
        resolver=_operation_id,
        description="Names this write, for retryWrite and reconcileWrite, as long as the gateway remembers it."
        " Of a dry run nothing is remembered.",
    )
    results: list[ProviderWriteResult] = strawberry.field(
        resolver=_results,
        description="Exactly one per targeted provider, in the order they were named.",
        directives=[at_most(3)],
    )
    query: Query = strawberry.field(resolver=_query, description=_QUERY)


@strawberry.type(description="What became of a creation.")
class CreateContactPayload(_WritePayload):
    contact: Contact | None = strawberry.field(description="The contact, unless nothing is known to exist.")


@strawberry.type(description="What became of an update.")
class UpdateContactPayload(_WritePayload):
    contact: Contact | None = strawberry.field(description="The contact with all its records.")


@strawberry.type(description="What became of an upsert.")
class UpsertContactPayload(_WritePayload):
    contact: Contact | None = strawberry.field(description="The contact, unless nothing is known to exist.")


@strawberry.type(description="What became of a write whose unfinished part was sent again.")
class RetryWritePayload(_WritePayload):
    contact: Contact | None = strawberry.field(description="The contact, unless nothing of it is known to exist.")


@strawberry.type(description="What has become of a write, as far as looking can tell.")
class ReconcileWritePayload(_WritePayload):
    contact: Contact | None = strawberry.field(description="The contact, unless nothing of it is known to exist.")


@strawberry.type(description="What became of a deletion.")
class DeleteContactPayload(_WritePayload):
    deleted_id: strawberry.ID | None = strawberry.field(
        description="The id that was given, when nothing of what it names is left."
    )


@strawberry.type(description="The contact that the given ones became.")
class LinkContactsPayload:
    contact: Contact | None = strawberry.field(description="The linked contact.")
    query: Query = strawberry.field(resolver=_query, description=_QUERY)


@strawberry.type(description="The two contacts that one became.")
class UnlinkRecordPayload:
    contact: Contact | None = strawberry.field(description="What remains.")
    separated: Contact | None = strawberry.field(description="The record on its own.")
    query: Query = strawberry.field(resolver=_query, description=_QUERY)


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
            record=_record(context, result.key, result.record),
        )
    return _failure(context, result.provider, result.failure, warnings)


def _preview(context: Context, preview: Preview) -> ProviderWriteResult:
    warnings: Any = list(preview.warnings)
    if preview.failure is not None:
        return _failure(context, preview.provider, preview.failure, warnings)
    collisions: Any = preview.collisions
    if isinstance(collisions, tuple):
        collisions = [_record(context, key) for key in collisions]
    return ProviderWritePreview(
        provider=preview.provider,
        outcome=preview.outcome,
        warnings=warnings,
        requests=[
            PlannedRequest(method=call.method, path=call.path, body=None if call.body is None else JSON(call.body))
            for call in preview.calls
        ],
        target=_record(context, preview.key) if preview.key else None,
        collisions=collisions,
    )


def _failure(
    context: Context, provider: Provider, failure: ProviderFailure, warnings: list[WriteWarning]
) -> ProviderWriteFailure:
    fault: Any = failure.fault
    return ProviderWriteFailure(
        provider=provider,
        outcome=failure.outcome,
        warnings=warnings,
        error=fault,
        existing=_record(context, fault.existing) if fault.existing else None,
        candidates=[_record(context, key) for key in fault.candidates],
    )


def _record(context: Context, key: RecordKey, known: Record | None = None) -> ContactRecord:
    return ContactRecord(view=RecordView(context, key, known))
