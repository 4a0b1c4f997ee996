"""The seed: about a hundred made-up contacts, the same every time, with the odd ones that tests need."""

from __future__ import annotations

import re

import httpx

from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import (
    DO_NOT_CALL_KLEN_ID,
    EVERYWHERE_COMETLY_ID,
    EVERYWHERE_EMAIL,
    EVERYWHERE_GATELY_ID,
    EVERYWHERE_KLEN_ID,
    MANY_EMAILS_COMETLY_ID,
    MERGED_AWAY_COMETLY_ID,
    NO_EMAIL_COMETLY_IDS,
    NO_EMAIL_KLEN_ID,
    SURVIVING_COMETLY_ID,
)


def emails_of(sandbox: Sandbox) -> dict[str, set[str]]:
    return {
        "gately": {contact.email for contact in sandbox.gately.contacts.values()},
        "cometly": {email for one in sandbox.cometly.contacts.values() for email in one.emails.oldest_first},
        "klen": {contact.email for contact in sandbox.klen.contacts.values() if contact.email},
    }


def test_two_sandboxes_hold_the_same() -> None:
    first, second = Sandbox(), Sandbox()
    for one, other in zip(first.simulators, second.simulators, strict=True):
        assert one.describe_contacts() == other.describe_contacts()


def test_a_write_to_one_sandbox_does_not_reach_another() -> None:
    first, second = Sandbox(), Sandbox()
    first.klen.contacts[DO_NOT_CALL_KLEN_ID].tags.append("changed")
    assert second.klen.contacts[DO_NOT_CALL_KLEN_ID].tags != first.klen.contacts[DO_NOT_CALL_KLEN_ID].tags


def test_an_unseeded_sandbox_is_empty() -> None:
    assert [one.describe_contacts() for one in Sandbox(seeded=False).simulators] == [[], [], []]


def test_there_are_about_a_hundred_contacts_and_twenty_shared_people() -> None:
    sandbox = Sandbox()
    total = len(sandbox.gately.contacts) + len(sandbox.cometly.contacts) + len(sandbox.klen.contacts)
    emails = emails_of(sandbox)
    shared = [email for email in set.union(*emails.values()) if sum(email in held for held in emails.values()) > 1]
    everywhere = set.intersection(*emails.values())
    assert (total, len(shared), len(everywhere)) == (112, 22, 8)


def test_every_address_is_of_a_reserved_domain_and_every_number_possible() -> None:
    sandbox = Sandbox()
    assert all(re.search(r"\.(test|example)$", email) for held in emails_of(sandbox).values() for email in held)
    numbers = [phone.phone_number for one in sandbox.klen.contacts.values() for phone in one.phone_numbers]
    assert all(re.fullmatch(r"\+[1-9]\d{9,12}", number) for number in numbers)
    ids = [phone.id for one in sandbox.klen.contacts.values() for phone in one.phone_numbers]
    assert len(set(ids)) == len(ids)


def test_the_landmarks_stand_where_they_are_said_to(cometly: httpx.Client, sandbox: Sandbox) -> None:
    assert sandbox.gately.contacts[EVERYWHERE_GATELY_ID].email == EVERYWHERE_EMAIL
    assert sandbox.cometly.contacts[EVERYWHERE_COMETLY_ID].emails.primary == EVERYWHERE_EMAIL
    assert sandbox.klen.contacts[EVERYWHERE_KLEN_ID].email == EVERYWHERE_EMAIL
    many = sandbox.cometly.contacts[MANY_EMAILS_COMETLY_ID]
    assert len(many.emails.oldest_first) == 30
    shown = cometly.get(f"/contacts/{MANY_EMAILS_COMETLY_ID}").json()["emails"]
    assert shown == many.emails.oldest_first[:-26:-1]
    assert all(not sandbox.cometly.contacts[one].emails.oldest_first for one in NO_EMAIL_COMETLY_IDS)
    assert cometly.get(f"/contacts/{MERGED_AWAY_COMETLY_ID}").json()["id"] == SURVIVING_COMETLY_ID
    assert sandbox.klen.contacts[DO_NOT_CALL_KLEN_ID].phone_numbers[0].do_not_call
    assert sandbox.klen.contacts[NO_EMAIL_KLEN_ID].email is None


def test_the_seed_shows_every_kind_of_contact() -> None:
    sandbox = Sandbox()
    gately = sandbox.gately.contacts.values()
    assert {contact.status for contact in gately} == {"new", "active", "inactive", "archived"}
    assert {contact.unsubscribed for contact in gately} == {True, False}
    assert any(contact.tags and contact.custom_fields for contact in gately)
    klen = sandbox.klen.contacts.values()
    assert {len(contact.phone_numbers) for contact in klen} == {0, 1, 2}
    assert any(contact.notes for contact in klen)
    assert any(contact.custom_context for contact in klen)
