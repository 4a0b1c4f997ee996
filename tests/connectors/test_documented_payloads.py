"""The examples of the three documentations read to exactly these records."""

from datetime import datetime, timezone

import pytest

from gateway.connectors.base import PageRequest, RecordPage
from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import (
    CONTACT_FIELDS,
    Address,
    ContactStatus,
    Email,
    Field,
    Phone,
    PhoneType,
    Provider,
    Record,
    RecordKey,
)
from tests.connectors.canned import NOW, answered_by, documented
from tests.domain.wanted import emails, phones

GATELY_KEY = RecordKey(Provider.GATELY, "0d6f2c1e-7b1a-4c55-9f0e-2a9b6f3d1c77")
COMETLY_KEY = RecordKey(Provider.COMETLY, "48210")
KLEN_KEY = RecordKey(Provider.KLEN, "9041")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def readable(provider: Provider) -> frozenset[Field]:
    capabilities = answered_by(provider).capabilities
    return frozenset(field for field in CONTACT_FIELDS if capabilities.of(field).readable)


def email(address: str, *, primary: bool) -> Email:
    return Email(address=address, normalized=address, primary=primary)


def without_raw(record: Record) -> dict[str, object]:
    return {name: getattr(record, name) for name in Record.__slots__ if name != "raw"}


GATELY_GOT = Record(
    key=GATELY_KEY,
    known=readable(Provider.GATELY),
    fetched_at=NOW,
    name="Ines Aalto",
    emails=(email("ines@aalto.test", primary=True),),
    phones=(Phone(number="+358 40 000 0000", e164="+358400000000", type=PhoneType.OTHER, primary=True),),
    addresses=(),
    company="Northwind Oy",
    status=ContactStatus.ACTIVE,
    tags=("Beta",),
    notes="Asked for a demo",
    custom_fields={"tier": "gold"},
    unsubscribed=False,
    created_at=at("2031-01-15T12:00:00"),
    updated_at=at("2031-02-10T09:00:00"),
    last_contacted_at=at("2031-02-10T09:00:00"),
    provider_status="active",
    raw=documented(Provider.GATELY, "get_response"),
)
COMETLY_GOT = Record(
    key=COMETLY_KEY,
    known=readable(Provider.COMETLY),
    fetched_at=NOW,
    name="Mika Virta",
    emails=(email("m.virta@example.test", primary=False), email("mika@example.test", primary=False)),
    phones=(Phone(number="+358400000001", e164="+358400000001", type=PhoneType.OTHER),),
    addresses=(Address(formatted="Turku, FI"),),
    custom_fields={"tier": "Gold", "seats": 12},
    raw=documented(Provider.COMETLY, "get_response"),
)
KLEN_GOT = Record(
    key=KLEN_KEY,
    known=readable(Provider.KLEN),
    fetched_at=NOW,
    name="Noor Haddad",
    first_name="Noor",
    last_name="Haddad",
    emails=(email("noor@example.test", primary=True),),
    phones=(
        Phone(number="+353210000001", e164="+353210000001", type=PhoneType.MOBILE, primary=True, do_not_call=False),
    ),
    addresses=(
        Address(
            street="5 Quay Road",
            city="Cork",
            state="CO",
            postal_code="T12",
            country="IE",
            formatted="5 Quay Road, Cork, CO, T12, IE",
            primary=True,
        ),
    ),
    company="Harbour Ltd",
    website="https://harbour.test",
    status=ContactStatus.NEW,
    stage="lead",
    tags=("New",),
    notes="Wants a call on Friday",
    custom_fields={"lead_source": "fair"},
    created_at=at("2031-03-04T05:06:07"),
    last_contacted_at=at("2031-03-05T10:00:00"),
    provider_status="not_contacted",
    raw=documented(Provider.KLEN, "get_response"),
)


@pytest.mark.parametrize("record", [GATELY_GOT, COMETLY_GOT, KLEN_GOT], ids=lambda record: record.key.provider)
def test_a_documented_get_response_is_this_record(run, record):
    provider = record.key.provider
    connector = answered_by(provider, documented(provider, "get_response"))
    assert run(connector.read(record.key.remote_id)) == record


GATELY_LISTED = Record(
    key=GATELY_KEY,
    known=readable(Provider.GATELY)
    - {Field.FIRST_NAME, Field.LAST_NAME, Field.PHONES, Field.ADDRESSES, Field.NOTES, Field.EXTERNAL_ID},
    fetched_at=NOW,
    name="Ines Aalto",
    emails=(email("ines@aalto.test", primary=True),),
    phones=(),
    addresses=(),
    company="Northwind Oy",
    status=ContactStatus.ACTIVE,
    tags=("Beta",),
    custom_fields={"tier": "gold"},
    unsubscribed=False,
    created_at=at("2031-01-15T12:00:00"),
    updated_at=at("2031-02-10T09:00:00"),
    last_contacted_at=at("2031-02-10T09:00:00"),
    provider_status="active",
)
KLEN_LISTED = Record(
    key=KLEN_KEY,
    known=readable(Provider.KLEN) - {Field.PHONES, Field.ADDRESSES, Field.WEBSITE, Field.NOTES, Field.CUSTOM_FIELDS},
    fetched_at=NOW,
    name="Noor Haddad",
    first_name="Noor",
    last_name="Haddad",
    emails=(email("noor@example.test", primary=True),),
    company="Harbour Ltd",
    status=ContactStatus.NEW,
    stage="lead",
    tags=("New",),
    created_at=at("2031-03-04T05:06:07"),
    last_contacted_at=at("2031-03-05T10:00:00"),
    provider_status="not_contacted",
)
COMETLY_LISTED = (
    Record(
        key=COMETLY_KEY,
        known=frozenset({Field.NAME}),
        fetched_at=NOW,
        name="Mika Virta",
        emails=(),
        phones=(),
        addresses=(),
        custom_fields={},
        primaries={
            Field.NAME: "Mika Virta",
            Field.EMAILS: "mika@example.test",
            Field.PHONES: "+358400000001",
            Field.ADDRESSES: "turku, fi",
        },
    ),
    Record(
        key=RecordKey(Provider.COMETLY, "48207"),
        known=frozenset({Field.NAME}),
        fetched_at=NOW,
        emails=(),
        phones=(),
        addresses=(),
        custom_fields={},
    ),
)


def listed(run, provider: Provider) -> RecordPage:
    connector = answered_by(provider, documented(provider, "list_response"))
    page: RecordPage = run(connector.list_page(PageRequest(limit=50)))
    return page


@pytest.mark.parametrize(
    ("provider", "records", "next_token", "total"),
    [
        (Provider.GATELY, (GATELY_LISTED,), None, 1),
        (Provider.COMETLY, COMETLY_LISTED, "2031-07-02 12:00:00|50|opaque-next", None),
        (Provider.KLEN, (KLEN_LISTED,), None, 1),
    ],
)
def test_a_documented_list_response_is_this_page(run, provider, records, next_token, total):
    page = listed(run, provider)
    assert [without_raw(record) for record in page.records] == [without_raw(record) for record in records]
    assert (page.next_token, page.total) == (next_token, total)


GATELY_CREATED = Record(
    key=GATELY_KEY,
    known=frozenset(
        {
            Field.NAME,
            Field.EMAILS,
            Field.COMPANY,
            Field.STATUS,
            Field.CUSTOM_FIELDS,
            Field.UNSUBSCRIBED,
            Field.CREATED_AT,
            Field.UPDATED_AT,
        }
    ),
    fetched_at=NOW,
    name="Ines Aalto",
    emails=(email("ines@aalto.test", primary=True),),
    phones=(),
    addresses=(),
    company="Northwind Oy",
    status=ContactStatus.ACTIVE,
    tags=(),
    custom_fields={"tier": "gold"},
    unsubscribed=False,
    created_at=at("2031-03-04T05:06:07"),
    updated_at=at("2031-03-04T05:06:07"),
    provider_status="active",
)
COMETLY_CREATED = Record(
    key=COMETLY_KEY,
    known=readable(Provider.COMETLY),
    fetched_at=NOW,
    name="Mika Virta",
    emails=(email("mika@example.test", primary=True), email("m.virta@example.test", primary=False)),
    phones=(Phone(number="+358400000001", e164="+358400000001", type=PhoneType.OTHER, primary=True),),
    addresses=(Address(formatted="Turku, FI", primary=True),),
    custom_fields={"tier": "Gold", "seats": 12},
    primaries={
        Field.NAME: "Mika Virta",
        Field.EMAILS: "mika@example.test",
        Field.PHONES: "+358400000001",
        Field.ADDRESSES: "turku, fi",
    },
)
KLEN_CREATED = Record(key=KLEN_KEY, known=frozenset(), fetched_at=NOW)


@pytest.mark.parametrize(
    ("draft", "record"),
    [
        (Draft(name="Ines Aalto", emails=emails("ines@aalto.test", primary=0)), GATELY_CREATED),
        (
            Draft(
                name="Mika Virta",
                emails=emails("mika@example.test", "m.virta@example.test", primary=0),
                phones=phones("+358400000001", primary=0),
            ),
            COMETLY_CREATED,
        ),
        (Draft(first_name="Noor"), KLEN_CREATED),
    ],
    ids=["gately", "cometly", "klen"],
)
def test_a_documented_create_response_is_this_record(run, draft, record):
    provider = record.key.provider
    told = run(answered_by(provider, documented(provider, "create_response")).create(draft))
    if provider is Provider.COMETLY:
        # The location was not in the request, so its place in the list says nothing.
        assert told.addresses == (Address(formatted="Turku, FI"),)
        expected = {**without_raw(record), "addresses": told.addresses}
        expected["primaries"] = {key: value for key, value in record.primaries.items() if key != Field.ADDRESSES}
        assert without_raw(told) == expected
    else:
        assert without_raw(told) == without_raw(record)


@pytest.mark.parametrize(
    ("provider", "patch", "known", "values"),
    [
        (
            Provider.GATELY,
            Patch(notes="Trial ended"),
            {Field.NAME, Field.EMAILS, Field.STATUS, Field.NOTES, Field.LAST_CONTACTED_AT, Field.UPDATED_AT},
            {"notes": "Trial ended", "status": ContactStatus.INACTIVE, "company": None},
        ),
        (
            Provider.COMETLY,
            Patch(phones=phones("+358400000002", "+358400000001", primary=0)),
            {Field.PHONES},
            {
                "phones": (
                    Phone(number="+358400000002", e164="+358400000002", type=PhoneType.OTHER, primary=True),
                    Phone(number="+358400000001", e164="+358400000001", type=PhoneType.OTHER),
                )
            },
        ),
        (Provider.KLEN, Patch(company="Harbour Ltd"), set(), {"company": None, "emails": None}),
    ],
)
def test_a_documented_update_response_knows_only_what_it_tells(run, provider, patch, known, values):
    connector = answered_by(provider, documented(provider, "update_response"))
    record = run(connector.update("1", patch)).record
    assert record.known == known
    assert {name: getattr(record, name) for name in values} == values


def test_the_documented_delete_response_is_a_deletion(run):
    connector = answered_by(Provider.GATELY, documented(Provider.GATELY, "delete_response"))
    assert run(connector.delete("a")) is None
