"""How a record of Gately is recognised: by its email address, which is unique, or by its external id.

Source: docs/providers/gately.md, contact object and ambiguities 2, 10 and 18.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from gateway.connectors.base import Sighting
from gateway.connectors.gately.capabilities import CAPABILITIES
from gateway.connectors.looking import Age, age, same_text
from gateway.domain.contact import Field, JsonObject, Record
from gateway.domain.errors import ListTruncated, RecordNotFound

MAX_PAGES = 10
MAX_READS = 50


def sighting(found: tuple[Record, ...], body: JsonObject, since: datetime, now: datetime) -> Sighting:
    """What records with the address of a lost creation say of it. `body` is what was sent.

    An address that another contact has cannot have been taken by ours.
    """
    created, before, doubtful = [], [], []
    for record in found:
        match age(record.created_at, since=since, now=now):
            case Age.SINCE if same_text(body["name"], record.name):
                created.append(record)
            case Age.BEFORE:
                before.append(record)
            case _:
                doubtful.append(record)
    return Sighting(created=tuple(created), before=tuple(before), doubtful=tuple(doubtful))


async def with_external_id(
    listed: tuple[Record, ...], wanted: str, read: Callable[[str], Awaitable[Record]]
) -> tuple[Record, ...]:
    """The records among all those listed that have this external id.

    Whether a list shows external ids is not documented, and the documented item has none (ambiguity 10).
    A list that shows a single one shows all; otherwise every contact is read, as long as they are few.

    Raises:
        ListTruncated: when more than MAX_READS contacts would have to be read.
    """
    if not any(Field.EXTERNAL_ID in record.known for record in listed):
        if len(listed) > MAX_READS:
            raise ListTruncated(
                CAPABILITIES.provider,
                f"Gately's list shows no external ids, and more than {MAX_READS} contacts would have to be read one"
                " by one; recognise the contact by its email address.",
                field=Field.EXTERNAL_ID.input_path,
            )
        listed = await _details(listed, read)
    return tuple(record for record in listed if record.external_id == wanted)


async def _details(listed: tuple[Record, ...], read: Callable[[str], Awaitable[Record]]) -> tuple[Record, ...]:
    """One after the other: all at once would use up a minute's calls in one moment."""
    details = []
    for record in listed:
        try:
            details.append(await read(record.key.remote_id))
        except RecordNotFound:
            # Deleted since the list showed it: nobody that could be meant.
            continue
    return tuple(details)
