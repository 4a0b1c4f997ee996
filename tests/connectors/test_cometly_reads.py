"""How Cometly is asked, and how its three shapes of one contact are read."""

from datetime import UTC, datetime

import pytest

from gateway.connectors.base import PageRequest
from gateway.domain.contact import Address, Field, PhoneType, Provider, RecordKey
from gateway.sandbox.cometly.profile import CometlyProfile, Values
from gateway.sandbox.sandbox import CometlySwitches
from gateway.sandbox.seed.landmarks import MANY_EMAILS_COMETLY_ID, MERGED_AWAY_COMETLY_ID, SURVIVING_COMETLY_ID


@pytest.fixture
def only(sandbox):
    """The only profile: two emails, the older one primary, and slots of every kind."""
    sandbox.cometly.contacts.clear()
    profile = CometlyProfile(48210, datetime(2024, 3, 4, tzinfo=UTC))
    profile.emails = Values(["ines@aalto.test", "i@aalto.test"], "ines@aalto.test")
    profile.phones = Values(["+358400000001"], "+358400000001")
    profile.names = Values(["Ines Aalto", "I. Aalto"], "Ines Aalto")
    profile.locations = Values(["Cork, IE"], "Cork, IE")
    profile.custom_fields = {"profile_field_1": "gold", "profile_field_16": "12.5", "profile_field_26": "2031-03-04"}
    sandbox.cometly.contacts[profile.id] = profile
    return profile


def page(cometly, run, *wanted, limit=10):
    return run(cometly.list_page(PageRequest(limit=limit, wanted=frozenset(wanted))))


SWITCHES = [
    CometlySwitches(),
    CometlySwitches(value_items="objects"),
    CometlySwitches(value_items="objects", primary_on_read="marked"),
    CometlySwitches(order_after_write="as_sent"),
]


@pytest.mark.parametrize("switches", SWITCHES)
def test_items_may_be_texts_or_objects(cometly, sandbox, only, run, switches):
    sandbox.cometly.switches = switches
    record = run(cometly.read("48210"))
    marked = switches.primary_on_read == "marked"
    assert [(email.address, email.primary) for email in record.emails] == [
        ("i@aalto.test", False),
        ("ines@aalto.test", marked),
    ]
    assert [(number.e164, number.type, number.primary) for number in record.phones] == [
        ("+358400000001", PhoneType.OTHER, marked)
    ]
    assert record.addresses == (Address(formatted="Cork, IE", primary=marked),)


def test_a_name_that_is_marked_primary_is_the_name_of_the_record(cometly, sandbox, only, run):
    """docs/providers/cometly.md, ambiguity 1: take `is_primary` if it is there, as emails and phones do."""
    sandbox.cometly.switches = CometlySwitches(value_items="objects", primary_on_read="marked")
    assert run(cometly.read("48210")).name == "Ines Aalto"


@pytest.mark.parametrize(
    "switches",
    [
        CometlySwitches(),
        CometlySwitches(custom_fields_on_read="all_slots"),
        CometlySwitches(number_slots="string"),
        CometlySwitches(date_slots="timestamp"),
    ],
)
def test_slots_read_alike_however_they_are_shown(cometly, sandbox, only, run, switches):
    sandbox.cometly.switches = switches
    assert run(cometly.read("48210")).custom_fields == {"tier": "gold", "seats": 12.5, "renewal": "2031-03-04"}


def test_custom_fields_that_a_read_leaves_out_are_none(cometly, sandbox, only, run):
    sandbox.cometly.switches = CometlySwitches(custom_fields_on_read="absent")
    assert run(cometly.read("48210")).custom_fields == {}


def test_a_slot_without_a_name_is_not_shown(cometly, only, run):
    only.custom_fields = {"profile_field_2": "x"}
    assert run(cometly.read("48210")).custom_fields == {}


def test_a_list_asks_for_extras_only_when_they_are_wanted(cometly, cometly_log, only, run):
    page(cometly, run, Field.NAME)
    page(cometly, run, Field.EMAILS)
    page(cometly, run, Field.CUSTOM_FIELDS)
    extras = [{name for name in request.query if name.startswith("include_")} for request in cometly_log.requests]
    assert extras == [set(), {"include_all_emails"}, {"include_custom_fields"}]
    assert {value for request in cometly_log.requests for value in request.query.values()} >= {"1"}


def test_a_plain_list_item_knows_the_name_and_tells_the_primaries(cometly, only, run):
    (record,) = page(cometly, run).records
    assert record.known == {Field.NAME}
    assert record.name == "Ines Aalto"
    assert record.primaries == {
        Field.NAME: "Ines Aalto",
        Field.EMAILS: "ines@aalto.test",
        Field.PHONES: "+358400000001",
        Field.ADDRESSES: "cork, ie",
    }


@pytest.mark.parametrize("key", ["emails", "all_emails"])
@pytest.mark.parametrize("items", ["strings", "objects"])
def test_all_emails_are_read_under_either_key(cometly, sandbox, only, run, key, items):
    sandbox.cometly.switches = CometlySwitches(all_emails_key=key, value_items=items)
    (record,) = page(cometly, run, Field.EMAILS).records
    assert record.known == {Field.NAME, Field.EMAILS}
    assert [(email.address, email.primary) for email in record.emails] == [
        ("i@aalto.test", False),
        ("ines@aalto.test", True),
    ]


@pytest.mark.parametrize("place", ["nested", "on_item"])
def test_listed_custom_fields_are_read_in_either_place(cometly, sandbox, only, run, place):
    sandbox.cometly.switches = CometlySwitches(listed_custom_fields=place)
    (record,) = page(cometly, run, Field.CUSTOM_FIELDS).records
    assert record.known == {Field.NAME, Field.CUSTOM_FIELDS}
    assert record.custom_fields == {"tier": "gold", "seats": 12.5, "renewal": "2031-03-04"}


def test_the_list_names_more_emails_than_a_read_shows(cometly, run):
    read = run(cometly.read(str(MANY_EMAILS_COMETLY_ID)))
    listed = [
        record
        for record in page(cometly, run, Field.EMAILS, limit=500).records
        if record.key.remote_id == str(MANY_EMAILS_COMETLY_ID)
    ]
    assert (len(read.emails), [len(record.emails) for record in listed]) == (25, [30])


def test_details_learn_their_primaries_from_the_list_item(cometly, only, run):
    (item,) = page(cometly, run).records
    record = run(cometly.read("48210")).informed_by(item)
    assert record.name == "Ines Aalto"
    assert [email.address for email in record.emails if email.primary] == ["ines@aalto.test"]
    assert [number.primary for number in record.phones] == [True]
    assert [address.primary for address in record.addresses] == [True]


def test_a_merged_id_is_followed_by_a_read(cometly, cometly_log, run):
    record = run(cometly.read(str(MERGED_AWAY_COMETLY_ID)))
    assert record.key == RecordKey(Provider.COMETLY, str(SURVIVING_COMETLY_ID))
    assert cometly_log.calls == [f"GET /contacts/{MERGED_AWAY_COMETLY_ID}"]


def test_the_window_is_wide_and_its_end_stays_the_same_through_a_walk(cometly, cometly_log, run):
    first = page(cometly, run, limit=5)
    run(cometly.list_page(PageRequest(limit=99, token=first.next_token)))
    one, two = (request.query for request in cometly_log.requests)
    assert (one["start_date"], one["end_date"]) == (two["start_date"], two["end_date"])
    assert (one["start_date"], one["per_page"], two["per_page"]) == ("2000-01-01 00:00:00", "5", "5")


@pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
def test_what_was_just_created_is_listed_even_where_the_zone_is_set_wrong(cometly, sandbox, run, timezone):
    """docs/providers/cometly.md, ambiguity 19: widen the window by a day."""
    sandbox.cometly.contacts.clear()
    sandbox.cometly.contacts[1] = CometlyProfile(1, datetime.now(UTC))
    sandbox.cometly.switches = CometlySwitches(timezone=timezone)
    assert [record.key.remote_id for record in page(cometly, run).records] == ["1"]


def test_a_profile_without_anything_is_an_empty_record(cometly, sandbox, run):
    sandbox.cometly.contacts[1] = CometlyProfile(1, datetime(2024, 3, 4, tzinfo=UTC))
    record = run(cometly.read("1"))
    assert (record.name, record.emails, record.phones, record.addresses, record.custom_fields) == (
        None,
        (),
        (),
        (),
        {},
    )
