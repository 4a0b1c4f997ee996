"""What every write to providers has in common between its input and its payload."""

import asyncio
from typing import Any

from msgspec.structs import replace
from sqlalchemy.exc import SQLAlchemyError

from gateway.contacts.echo import echoed
from gateway.contacts.written import Previewed, Written
from gateway.domain.contact import Record, RecordKey
from gateway.domain.intent import Intent
from gateway.domain.writes import WriteAction, WriteFailed, WriteStatus
from resolvers.contact import Contact
from resolvers.context import Info
from resolvers.idempotency import idempotency_key
from resolvers.record_view import RecordView
from resolvers.selection import asks_for_warnings, contact_selection, result_selection
from resolvers.views import ContactView


async def carried_out(info: Info, intent: Intent, key: Any, *, dry_run: bool = False) -> Written | Previewed:
    """The write, or with `dry_run` a preview of it; `key` is the idempotency key as the input holds it.

    Raises:
        WriteFailed: when nobody applied it.
    """
    checked_key = idempotency_key(info, key)
    if dry_run:
        return await info.context.use_cases.previewing.preview(intent)
    return await settled(info, await info.context.use_cases.writing.write(intent, checked_key))


async def settled(info: Info, written: Written) -> Written:
    """The write with what its records turned out not to hold, where that is asked for; one that nobody applied is one
    error.

    Raises:
        WriteFailed: when the status is FAILED.
    """
    if written.status is WriteStatus.FAILED:
        failures = tuple(result.failure for result in written.results if result.failure)
        raise WriteFailed(failures, written.operation_id)
    forget(info, written)
    read_back = await _read_back(info, written)
    if not asks_for_warnings(info._raw_info):
        return written
    directory = info.context.directory
    results = tuple(echoed(directory, one, read_back.get(one.key)) if one.key else one for one in written.results)
    return replace(written, results=results)


def forget(info: Info, written: Written) -> None:
    """What was read before the write is not true any more; of an earlier one, before it was known what became of it."""
    context = info.context
    context.families.forget()
    for result in written.results:
        if result.key:
            context.use_cases.reading.forget(result.key)
            context.records.forget(result.key, gone=result.action is WriteAction.DELETED)


async def _read_back(info: Info, written: Written) -> dict[RecordKey | None, Record | None]:
    """The records of which more is asked for than the answer to the write told, as they are now."""
    wanted = result_selection(info._raw_info)
    if not wanted:
        return {}
    keys = [
        one.key
        for one in written.results
        if one.wanted is not None
        and one.key is not None
        and RecordView(info.context, one.key, one.record).needs_asking(wanted, raw=False)
    ]
    if not keys:
        return {}
    answers = await asyncio.gather(*(info.context.records.load(key) for key in keys))
    return {key: answer.record for key, answer in zip(keys, answers, strict=True)}


async def contact_after(info: Info, written: Written | Previewed) -> Contact | Any | None:
    """The contact that a write left behind; the reason in its place when it could not be put together."""
    if isinstance(written, Previewed):
        return None
    if written.link_error is not None:
        return written.link_error
    if written.anchor is None:
        return None
    try:
        family = written.family or await info.context.families.load(written.anchor)
    except SQLAlchemyError as error:
        # What became of the write has to reach the caller, whatever became of the database since.
        return error
    selection = contact_selection(info._raw_info, ("contact",))
    records = {result.record.key: result.record for result in written.results if result.record}
    return Contact(view=ContactView(info.context, family, selection, records))
