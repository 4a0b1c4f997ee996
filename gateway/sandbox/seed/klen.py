"""The seeded Klen contacts: several phones, do-not-call, notes, context, one of another team."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from gateway.sandbox.klen.contact import CLOSED_TEAM, OPEN_TEAMS, STAGES, STATUSES, KlenContact, Note, Phone
from gateway.sandbox.klen.simulator import KlenAccount
from gateway.sandbox.seed.landmarks import DO_NOT_CALL_KLEN_ID, NO_EMAIL_KLEN_ID, OTHER_TEAM_KLEN_ID
from gateway.sandbox.seed.people import PLACEMENT, Person, people, person

_ID_BEFORE_FIRST = 9000


def klen_stock() -> KlenAccount:
    """A fresh copy of the seeded account; its ids are the same on every run."""
    contacts = [_contact(one) for one in people(PLACEMENT.klen)]
    contacts.append(replace(_contact(person(NO_EMAIL_KLEN_ID - _ID_BEFORE_FIRST)), email=None))
    contacts.append(replace(_contact(person(OTHER_TEAM_KLEN_ID - _ID_BEFORE_FIRST)), team_id=CLOSED_TEAM))
    # Above every seeded phone's id, which is 300 and twice the person's number at most.
    return KlenAccount({contact.id: contact for contact in contacts}, phones_made=600)


def _contact(one: Person) -> KlenContact:
    number = one.number
    contact = KlenContact(
        _ID_BEFORE_FIRST + number,
        one.first_name,
        one.created_at,
        last_name=one.last_name,
        email=one.email,
        company=one.company,
        stage=STAGES[number % len(STAGES)],
        status=STATUSES[number % len(STATUSES)],
    )
    contact.phone_numbers = _phones(one, contact.id)
    # Two of three have an address; the others keep the country that Klen makes up.
    if number % 3 != 2:
        contact.website = f"https://{one.email.partition('@')[2]}"
        contact.address, contact.city = one.place.street, one.place.city
        contact.state, contact.zip_code, contact.country = one.place.state, one.place.zip_code, one.place.country
    if number % 4 == 1:
        contact.team_id = OPEN_TEAMS[number % len(OPEN_TEAMS)]
        contact.tags = ["New", "Priority"]
        contact.custom_context = {"tier": "gold", "lead_source": "fair"}
        contact.industry_context = {"sector": "shipping"}
    if number % 5 == 1:
        _call(contact)
    return contact


def _phones(one: Person, contact_id: int) -> list[Phone]:
    first = Phone(300 + 2 * one.number, one.phone, "work", primary=True)
    if contact_id == DO_NOT_CALL_KLEN_ID:
        first.do_not_call = True
        first.dnc_date = one.created_at + timedelta(days=9)
        first.dnc_reason = "Asked not to be called"
    # Every seventh has no phone at all, every third has two.
    if one.number % 7 == 0:
        return []
    return [first, Phone(first.id + 1, one.second_phone, "mobile")] if one.number % 3 == 1 else [first]


def _call(contact: KlenContact) -> None:
    called = contact.created_date + timedelta(days=1)
    contact.last_call_date = called
    contact.notes = [
        Note(2 * contact.id, "Wants a call on Friday", called + timedelta(minutes=2), "call_note", "interested"),
        Note(2 * contact.id + 1, "Brochure sent", called + timedelta(days=1), "activity"),
    ]
