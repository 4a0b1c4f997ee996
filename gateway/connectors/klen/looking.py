"""How a lost creation of Klen AI is recognised: by what was sent, and by when the record was created; pure.

Source: docs/providers/klen.md, ambiguities 1, 3, 10, 23 and 31.
"""

from datetime import datetime
from typing import Any

from gateway.connectors.base import Sighting
from gateway.connectors.klen import wire
from gateway.connectors.klen.capabilities import CAPABILITIES
from gateway.connectors.klen.phones import comparable
from gateway.connectors.looking import Age, age, each_once, same_text
from gateway.domain.compare import email_key
from gateway.domain.contact import JsonObject, Record
from gateway.upstream.decode import decode


def sighting(found: tuple[Record, ...], body: JsonObject, since: datetime, now: datetime) -> Sighting:
    """What the found records say of a creation with this body, sent at `since`.

    Duplicates are allowed, so an older record like it says nothing at all. One with the address and another name
    may be ours, renamed.
    """
    ages = {record.key: age(record.created_at, since=since, now=now) for record in found}
    alike = [record for record in found if _holds(record, body)]
    created = [record for record in alike if ages[record.key] is Age.SINCE]
    with_address = [record for record in found if body.get("email") and record.has_email(body["email"])]
    doubtful = [
        record
        for record in each_once([*alike, *with_address])
        if record not in created and ages[record.key] is not Age.BEFORE
    ]
    return Sighting(created=tuple(sorted(created, key=_age)), doubtful=tuple(doubtful))


def _holds(record: Record, body: JsonObject) -> bool:
    email = body.get("email")
    held = record.emails[0].normalized if record.emails else None
    if held != (email_key(email) if email else None):
        return False
    if not same_text(body["first_name"], record.first_name) or not same_text(body.get("last_name"), record.last_name):
        return False
    numbers = {entry["phone_number"] for entry in body.get("phone_numbers") or ()}
    # A name alone is shared by many, so without an address a number has to tell them apart.
    return bool(email) or not numbers or _listed_number(record) in numbers


def _listed_number(record: Record) -> str | None:
    """The one number that a list item shows; which one is not documented (ambiguity 10)."""
    item = decode(record.raw or b"{}", wire.Summary, CAPABILITIES.provider)
    return comparable(item.phone) if item.phone else None


def _age(record: Record) -> Any:
    return record.created_at, int(record.key.remote_id)
