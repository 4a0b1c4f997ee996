"""Looking for records by what they hold: for a creation whose answer was lost, and for whom an upsert means."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from enum import Enum

from gateway.connectors.base import Capabilities
from gateway.domain.compare import email_key, text_key
from gateway.domain.contact import Field, Record, RecordKey
from gateway.domain.errors import FieldUnsupported

TOLERANCE = timedelta(seconds=5)
"""How far a provider's clock may be off. Clocks that are kept by NTP differ by far less."""

DOUBT = timedelta(hours=1)
"""Until when before our call a record may still be ours after all, at a provider whose clock is badly off. One that
is older than that is somebody else's."""


class Age(Enum):
    """When a record was made, as far as the provider's clock can be believed."""

    SINCE = "since our call"
    UNSURE = "shortly before, in the future, or nobody says when"
    BEFORE = "before"


def age(created_at: datetime | None, *, since: datetime, now: datetime) -> Age:
    """`since` is when our call was sent, `now` when the record was looked at, both by our clock."""
    if created_at is None or created_at > now + TOLERANCE:
        return Age.UNSURE
    if created_at >= (since - TOLERANCE).replace(microsecond=0):
        return Age.SINCE
    return Age.UNSURE if created_at >= since - DOUBT else Age.BEFORE


def each_once(records: Iterable[Record]) -> tuple[Record, ...]:
    """In their order. Pages may shift while they are walked, and one record may match twice."""
    seen: dict[RecordKey, Record] = {}
    for record in records:
        seen.setdefault(record.key, record)
    return tuple(seen.values())


async def found_by_emails(
    find_by_email: Callable[[str], Awaitable[tuple[Record, ...]]], addresses: Iterable[str]
) -> tuple[Record, ...]:
    """The records of all the addresses; two ways of writing one address are asked for once."""
    found: list[Record] = []
    for address in {email_key(address): address for address in addresses}.values():
        found += await find_by_email(address)
    return each_once(found)


def same_text(sent: str | None, held: str | None) -> bool:
    """Whether a provider holds what was sent, which it may have trimmed; nothing sent means nothing held."""
    return text_key(sent or "") == text_key(held or "")


def not_recognisable(capabilities: Capabilities, message: str) -> FieldUnsupported:
    return FieldUnsupported(
        capabilities.provider, f"{capabilities.display_name} {message}", field=Field.EXTERNAL_ID.input_path
    )
