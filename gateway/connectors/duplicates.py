"""A provider that refuses an email address because it is taken: one look tells which record has it."""

from collections.abc import Awaitable

from gateway.domain.contact import Field, Record
from gateway.domain.errors import DuplicateRecord, ProviderFailure


async def or_duplicate(
    failure: ProviderFailure, display_name: str, look: Awaitable[tuple[Record, ...]]
) -> ProviderFailure:
    """The duplicate that names the record that exists; the failure as it was when the look fails or finds nothing."""
    try:
        found = await look
    except ProviderFailure:
        return failure
    if not found:
        return failure
    fault = failure.fault
    return DuplicateRecord(
        fault.provider,
        f"{display_name} already holds a contact with this email address.",
        upstream_status=fault.upstream_status,
        upstream_code=fault.upstream_code,
        field=Field.EMAILS.input_path,
        existing=found[0].key,
    )
