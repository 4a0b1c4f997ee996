"""Inputs that name what exists already: contacts, records, writes."""

from typing import Any

import strawberry
from strawberry import Maybe

from gateway.domain.contact import Provider

IDEMPOTENCY_KEY = (
    "Makes it safe to send this write again: with the same key and input, what was done is told and not done twice."
    " 1 to 255 printable ASCII characters, such as a UUID. The Idempotency-Key header does the same."
)


@strawberry.input(description="A contact or record to delete for good.")
class DeleteContactInput:
    id: strawberry.ID = strawberry.field(description="A contact (all its records) or a record (that one).")
    providers: Maybe[list[Provider] | None] = strawberry.field(description="Only these of the contact's records.")
    idempotency_key: Maybe[str | None] = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input(description="A write whose unfinished part is to be sent again.")
class RetryWriteInput:
    operation_id: strawberry.ID = strawberry.field(description="The `operationId` of the write.")


@strawberry.input(description="A write of which it is to be found out what became of it.")
class ReconcileWriteInput:
    operation_id: strawberry.ID = strawberry.field(description="The `operationId` of the write.")


@strawberry.input(
    description="Two or more contacts or records; everything they hold becomes one contact, named by the record"
    " of highest precedence."
)
class LinkContactsInput:
    ids: list[strawberry.ID] = strawberry.field(description="Ids of contacts or records.")


@strawberry.input(description="A record to put on its own.")
class UnlinkRecordInput:
    record_id: strawberry.ID = strawberry.field(description="The id of the record.")


def providers_of(field: Any) -> list[Provider] | None:
    """The providers that were named; None for left out and for null."""
    return field.value if field is not None else None
