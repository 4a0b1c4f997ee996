"""What a write answers: the end over all providers, and what happened at each."""

from typing import Any

import strawberry

from gateway.contacts.writing import Written
from gateway.domain.contact import Provider, RecordKey
from gateway.domain.errors import WriteOutcome
from gateway.domain.writes import WarningCode, WriteAction, WriteResult, WriteStatus
from resolvers.contact import Contact, ContactRecord
from resolvers.context import Context, Info
from resolvers.faults import ProviderFault
from resolvers.queries import Query
from resolvers.views import RecordView

_QUERY = "Lets a client ask anything else after the write."


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


def _status(root: "_WritePayload") -> WriteStatus:
    return root.written.status


def _operation_id(root: "_WritePayload") -> strawberry.ID:
    return strawberry.ID(root.written.operation_id)


def _results(root: "_WritePayload", info: Info) -> list[ProviderWriteResult]:
    return [_result(info.context, result) for result in root.written.results]


@strawberry.type
class _WritePayload:
    """What every write to providers answers; not a type of the schema itself."""

    written: strawberry.Private[Written]
    status: WriteStatus = strawberry.field(resolver=_status, description="The end over all providers.")
    operation_id: strawberry.ID = strawberry.field(resolver=_operation_id, description="Names this write.")
    results: list[ProviderWriteResult] = strawberry.field(
        resolver=_results, description="Exactly one per targeted provider, in the order they were named."
    )
    query: Query = strawberry.field(resolver=_query, description=_QUERY)


@strawberry.type(description="What became of a creation.")
class CreateContactPayload(_WritePayload):
    contact: Contact | None = strawberry.field(description="The contact, unless nothing is known to exist.")


@strawberry.type(description="What became of an update.")
class UpdateContactPayload(_WritePayload):
    contact: Contact | None = strawberry.field(description="The contact with all its records.")


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
