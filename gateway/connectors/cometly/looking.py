"""How a record of Cometly is recognised: by all its email addresses, in a list that cannot be searched.

Source: docs/providers/cometly.md, ambiguities 2 to 4, 12, 18, 19 and 23.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from gateway.connectors.base import PageRequest, RecordPage, Sighting
from gateway.connectors.cometly.capabilities import CAPABILITIES
from gateway.connectors.cometly.listing import Listing, Window
from gateway.connectors.looking import TOLERANCE, each_once, same_text
from gateway.connectors.paging import Bound, walk
from gateway.domain.compare import email_key
from gateway.domain.contact import Field, JsonObject, Record
from gateway.domain.errors import ReplyUnreadable

PAGE_SIZE = 2_000
MAX_PAGES = 5
WRONG_ZONE = timedelta(hours=26)
"""How far the configured time zone may be from the Space's own: from UTC-12 to UTC+14."""

_EMAILS = frozenset({Field.EMAILS})


async def sighting(listing: Listing, body: JsonObject, since: datetime, now: datetime) -> Sighting:
    """Where a creation with this body is, sent at `since`, among what was created from then to `now`.

    Cometly tells no creation times, so the window decides; and the window is right only when the
    configured time zone is. What stands only beside the window may be older, or the zone may be wrong.
    """
    first, last = since - TOLERANCE, max(since, now) + TOLERANCE
    within = await _with_addresses(listing, body, Window.around(first, last, listing.time_zone))
    if created := tuple(record for record in within if _has_name(record, body)):
        return Sighting(created=created)
    widened = Window.around(first - WRONG_ZONE, last + WRONG_ZONE, listing.time_zone)
    return Sighting(doubtful=await _with_addresses(listing, body, widened))


async def _with_addresses(listing: Listing, body: JsonObject, window: Window) -> tuple[Record, ...]:
    """The records of a window with every address that was sent, oldest first: ids are given in order."""

    async def page(request: PageRequest) -> RecordPage:
        return await listing.page(request, window)

    records = _with_every_email(await walk(page, limit=PAGE_SIZE, wanted=_EMAILS))
    found = [record for record in records if all(record.has_email(address) for address in body["emails"])]
    return tuple(sorted(found, key=lambda record: int(record.key.remote_id)))


def _has_name(record: Record, body: JsonObject) -> bool:
    """Under another name it may be ours, renamed."""
    return all(same_text(name, record.name) for name in body.get("names") or ())


async def with_any_email(listing: Listing, addresses: Iterable[str]) -> tuple[Record, ...]:
    """Summaries of the records with any of these addresses, in the list's order.

    Raises:
        ListTruncated: when Cometly holds more contacts than the pages that are walked.
    """
    keys = {email_key(address) for address in addresses}
    bound = Bound(CAPABILITIES, MAX_PAGES)
    records = _with_every_email(await walk(listing.page, limit=PAGE_SIZE, wanted=_EMAILS, bound=bound))
    return tuple(record for record in records if any(email.normalized in keys for email in record.emails or ()))


def _with_every_email(records: tuple[Record, ...]) -> tuple[Record, ...]:
    """
    Raises:
        ReplyUnreadable: when a contact is listed without the addresses that were asked for. The key under
            which they stand is not documented (ambiguity 12); under a third one they would not be seen, and
            whoever has one of them would be taken for not there.
    """
    if any(Field.EMAILS in record.primaries and Field.EMAILS not in record.known for record in records):
        raise ReplyUnreadable(
            CAPABILITIES.provider, "Cometly's list does not show the email addresses it was asked for."
        )
    return each_once(records)
