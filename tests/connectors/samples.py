"""What the contract suite has to be told about a provider; everything else it finds out by itself.

A new provider gets an entry in SAMPLES and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gateway.domain.changes import WantedCustomFields, WantedTags
from gateway.domain.contact import ContactStatus, Field, PhoneType, Provider
from gateway.sandbox.cometly.profile import CometlyProfile, Values
from gateway.sandbox.gately.contact import GatelyContact
from gateway.sandbox.klen.contact import KlenContact, Note, Phone
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import OTHER_TEAM_KLEN_ID
from tests.domain.wanted import address, emails, phone

WHEN = datetime(2031, 3, 4, 5, 6, 7, tzinfo=UTC)

FIRST: dict[Field, Any] = {
    Field.NAME: "Ines Aalto",
    Field.FIRST_NAME: "Ines",
    Field.LAST_NAME: "Aalto",
    Field.EMAILS: emails("Ines@Aalto.test", primary=0),
    Field.PHONES: (
        phone("+358 40 000 0001", PhoneType.MOBILE, primary=True, e164="+358400000001"),
        phone("+358400000002", PhoneType.OTHER, position=1, e164="+358400000002"),
    ),
    Field.ADDRESSES: (
        address(street="5 Quay Road", city="Cork", state="CO", postal_code="T12", country="IE", primary=True),
    ),
    Field.COMPANY: "Northwind Oy",
    Field.WEBSITE: "https://northwind.example",
    Field.STATUS: ContactStatus.ACTIVE,
    Field.STAGE: "prospect",
    Field.TAGS: WantedTags(whole=("Beta", "Fair 2031")),
    Field.NOTES: "Asked for a demo\nand a brochure",
    Field.CUSTOM_FIELDS: WantedCustomFields(values={"tier": "gold", "seats": 12, "renewal": "2031-03-04"}, merge=False),
    Field.UNSUBSCRIBED: True,
    Field.EXTERNAL_ID: "crm-1",
    Field.KLEN_STATUS: "contacted",
    Field.KLEN_TEAM_ID: 7,
    Field.KLEN_INDUSTRY_CONTEXT: {"sector": "shipping"},
}
"""A value for every field that a write can mention, normalised."""

SECOND: dict[Field, Any] = {
    Field.NAME: "Noor Haddad",
    Field.FIRST_NAME: "Noor",
    Field.LAST_NAME: "Haddad",
    Field.EMAILS: emails("noor@example.test", primary=0),
    Field.PHONES: (phone("+353210000001", PhoneType.MOBILE, primary=True, e164="+353210000001"),),
    # With the same street, because Gately takes the street only when a contact is created.
    Field.ADDRESSES: (address(street="5 Quay Road", city="Turku", country="FI", primary=True),),
    Field.COMPANY: "Harbour Ltd",
    Field.WEBSITE: "https://harbour.test",
    Field.STATUS: ContactStatus.NEW,
    Field.STAGE: "customer",
    Field.TAGS: WantedTags(whole=("New",)),
    Field.NOTES: "Trial ended",
    Field.CUSTOM_FIELDS: WantedCustomFields(values={"tier": "silver"}, merge=False),
    Field.UNSUBSCRIBED: True,
    Field.EXTERNAL_ID: "crm-2",
    Field.KLEN_STATUS: "not_contacted",
    Field.KLEN_TEAM_ID: 8,
    Field.KLEN_INDUSTRY_CONTEXT: {"sector": "rail"},
}
"""Another value for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """`add_full_record` puts a record with every readable field into the simulator and returns its id;
    `hidden_ids` are seeded records that the key may not see; `headers` stand in every request,
    `body_headers` in those with a body."""

    unknown_id: str
    add_full_record: Callable[[Sandbox], str]
    reserved_ids: tuple[str, ...] = ()
    hidden_ids: frozenset[str] = frozenset()
    headers: dict[str, str] = field(default_factory=dict)
    body_headers: dict[str, str] = field(default_factory=dict)


def _full_gately_record(sandbox: Sandbox) -> str:
    book = sandbox.gately.book
    contact = GatelyContact(
        "0d6f2c1e-7b1a-4c55-9f0e-2a9b6f3d1c77",
        "Ines Aalto",
        "ines@aalto.test",
        WHEN,
        WHEN,
        first_name="Ines",
        last_name="Aalto",
        phone="+358 40 000 0000",
        mobile="+358400000001",
        company="Northwind Oy",
        status="active",
        notes="Asked for a demo",
        address_line_1="5 Quay Road",
        city="Cork",
        country="IE",
        custom_fields={"tier": "gold"},
        tags=book.tag_ids(["Beta"], sandbox.gately.switches, WHEN),
        external_id="crm-1",
        last_contacted_at=WHEN,
    )
    book.contacts[contact.id] = contact
    return contact.id


def _full_cometly_record(sandbox: Sandbox) -> str:
    profile = CometlyProfile(48210, WHEN)
    profile.emails = Values(["ines@aalto.test"], "ines@aalto.test")
    profile.phones = Values(["+358400000001"], "+358400000001")
    profile.names = Values(["Ines Aalto"], "Ines Aalto")
    profile.locations = Values(["Cork, IE"], "Cork, IE")
    profile.custom_fields = {"profile_field_1": "gold"}
    sandbox.cometly.contacts[profile.id] = profile
    return str(profile.id)


def _full_klen_record(sandbox: Sandbox) -> str:
    contact = KlenContact(
        9141,
        "Ines",
        WHEN,
        last_name="Aalto",
        email="ines@aalto.test",
        company="Northwind Oy",
        website="https://northwind.example",
        address="5 Quay Road",
        city="Cork",
        country="IE",
        stage="prospect",
        status="active",
        tags=["Beta"],
        phone_numbers=[Phone(911, "+358400000001", "mobile", primary=True)],
        custom_context={"tier": "gold"},
        last_call_date=WHEN,
        notes=[Note(1, "Asked for a demo", WHEN, "call_note")],
    )
    sandbox.klen.contacts[contact.id] = contact
    return str(contact.id)


_JSON = "application/json"

SAMPLES: dict[Provider, Sample] = {
    Provider.GATELY: Sample(
        unknown_id="0d6f2c1e-0000-4000-8000-000000000000",
        add_full_record=_full_gately_record,
        reserved_ids=("tags", "lists", "segments", "contact-tags", "bulk-import"),
        headers={"authorization": "***", "x-project-id": "5b1e0c1a-0000-4000-8000-000000000001"},
        body_headers={"content-type": _JSON},
    ),
    Provider.COMETLY: Sample(
        unknown_id="99999",
        add_full_record=_full_cometly_record,
        headers={"authorization": "***", "accept": _JSON, "content-type": _JSON},
    ),
    Provider.KLEN: Sample(
        unknown_id="99999",
        add_full_record=_full_klen_record,
        reserved_ids=("create",),
        hidden_ids=frozenset({str(OTHER_TEAM_KLEN_ID)}),
        headers={"authorization": "***"},
        body_headers={"content-type": _JSON},
    ),
}
