"""The seeded Gately contacts: every status, tags, custom fields, some unsubscribed."""

from __future__ import annotations

from datetime import timedelta

from gateway.sandbox.gately.book import GatelyBook
from gateway.sandbox.gately.contact import STATUSES, GatelyContact, Tag, UnsubscribeRecord
from gateway.sandbox.seed.people import PLACEMENT, Person, people, person

_TAGS = (("Beta", "#336699"), ("Fair 2031", "#cc6600"), ("VIP", None), ("Newsletter", "#009966"))
_TIERS = ("gold", "silver", "bronze")


def gately_stock() -> GatelyBook:
    """A fresh copy of the seeded project; its ids are the same on every run."""
    born = person(1).created_at
    tags = [Tag(f"6f3d1a90-0000-4000-8000-{i:012d}", name, color, born) for i, (name, color) in enumerate(_TAGS, 1)]
    contacts = [_contact(one, tags) for one in people(PLACEMENT.gately)]
    return GatelyBook({contact.id: contact for contact in contacts}, {tag.id: tag for tag in tags})


def _contact(one: Person, tags: list[Tag]) -> GatelyContact:
    number = one.number
    contact = GatelyContact(
        f"6f3d0001-0000-4000-8000-{number:012d}",
        one.name,
        one.email,
        one.created_at,
        one.created_at + timedelta(days=number),
        company=one.company,
        status=STATUSES[number % len(STATUSES)],
        phone=_spaced(one.phone),
    )
    # Every third contact is kept with its parts and address, as real data is: some full, some bare.
    if number % 3 == 1:
        contact.first_name, contact.last_name = one.first_name, one.last_name
        contact.address_line_1, contact.city = one.place.street, one.place.city
        contact.state, contact.zip, contact.country = one.place.state, one.place.zip_code, one.place.country
        contact.external_id = f"crm-{number:04d}"
    if number % 4 == 1:
        contact.mobile = one.second_phone
        contact.notes = f"Met at the fair; works at {one.company}"
        contact.last_contacted_at = one.created_at + timedelta(days=2)
    if number % 2 == 1:
        contact.tags = [tags[number % len(tags)].id, *([tags[2].id] if number % len(tags) != 2 else [])]
        contact.custom_fields = {"tier": _TIERS[number % len(_TIERS)], "seats": number}
    if number % 6 == 5:
        _unsubscribe(contact)
    return contact


def _unsubscribe(contact: GatelyContact) -> None:
    record_id = contact.id.replace("6f3d0001", "6f3d0002")
    record = UnsubscribeRecord(record_id, "Too many emails", "footer link", contact.updated_at)
    contact.unsubscribes = [record]
    contact.unsubscribed = True


def _spaced(phone: str) -> str:
    """The number as people write it, since Gately keeps any format."""
    return f"{phone[:-7]} {phone[-7:-4]} {phone[-4:]}"
