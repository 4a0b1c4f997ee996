"""What Cometly is sent, to the letter: whole lists, the primary first, nothing lost that was not mentioned."""

import json
from datetime import UTC, datetime

import pytest
from msgspec import UNSET

from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import Field, PhoneType, Provider, RecordKey
from gateway.domain.errors import InputProblem, ListTruncated
from gateway.domain.writes import WarningCode, WriteAction
from gateway.sandbox.cometly.profile import CometlyProfile, Values
from gateway.sandbox.sandbox import CometlySwitches
from gateway.sandbox.seed.landmarks import MERGED_AWAY_COMETLY_ID, SURVIVING_COMETLY_ID
from tests.connectors.canned import SLOTS, answered_by, documented
from tests.connectors.samples import FIRST
from tests.domain.wanted import address, custom_fields, emails, merged_custom_fields, phone, phones

EMAIL = emails("ines@aalto.test", primary=0)
DROPPED, DERIVED, COERCED = WarningCode.FIELD_DROPPED, WarningCode.VALUE_DERIVED, WarningCode.VALUE_COERCED


@pytest.fixture
def stored(sandbox):
    """Two of everything; the older value is the primary, as a read cannot tell."""
    profile = CometlyProfile(48210, datetime(2031, 3, 4, tzinfo=UTC))
    profile.emails = Values(["ines@aalto.test", "i@aalto.test"], "ines@aalto.test")
    profile.phones = Values(["+358400000001", "+358400000002"], "+358400000001")
    profile.names = Values(["Ines Aalto", "I. Aalto"], "Ines Aalto")
    profile.locations = Values(["Cork, IE", "Turku, FI"], "Cork, IE")
    profile.custom_fields = {"profile_field_1": "gold", "profile_field_2": "unnamed", "profile_field_17": "3.50"}
    sandbox.cometly.contacts[profile.id] = profile
    return profile


def said(warnings):
    return [(one.code, ".".join(one.field[1:])) for one in warnings]


# Creating


def test_a_creation_sends_lists_with_the_primary_first(cometly, cometly_log, run):
    draft = Draft(
        **{
            **{field.attribute: FIRST[field] for field in (Field.NAME, Field.FIRST_NAME, Field.CUSTOM_FIELDS)},
            "emails": emails("a@aalto.test", "b@aalto.test", "c@aalto.test", primary=1),
            "phones": phones("1", "2", primary=1),
            "addresses": (address(city="Cork"), address(formatted="Turku, FI", primary=True, position=1)),
        }
    )
    run(cometly.create(draft))
    assert cometly_log.writes == [
        (
            "POST /contacts",
            {
                "emails": ["b@aalto.test", "a@aalto.test", "c@aalto.test"],
                "phones": ["2", "1"],
                "names": ["Ines Aalto"],
                "locations": ["Turku, FI", "Cork"],
                "custom_fields": {
                    "profile_field_1": "gold",
                    "profile_field_16": "12",
                    "profile_field_26": "2031-03-04",
                },
            },
        )
    ]


def test_the_documented_creation_is_sent_as_documented(cometly):
    draft = Draft(
        name="Mika Virta",
        emails=emails("mika@example.test", "m.virta@example.test", primary=0),
        phones=phones("+358400000001", primary=0),
        addresses=(address(formatted="Turku, FI", primary=True),),
        custom_fields=custom_fields(tier="Gold", seats=12),
    )
    planned = cometly.plan_create(draft)
    assert (planned.body, planned.warnings, planned.problems) == (
        json.loads(documented(Provider.COMETLY, "create_request")),
        (),
        (),
    )


def test_a_creation_without_more_than_an_email_sends_no_more(cometly):
    assert cometly.plan_create(Draft(emails=EMAIL)).body == {"emails": ["ines@aalto.test"]}


@pytest.mark.parametrize(
    ("names", "sent", "warnings"),
    [
        ({"name": "Ines Aalto", "first_name": "Ines", "last_name": "Aalto"}, ["Ines Aalto"], []),
        ({"first_name": "Ines", "last_name": "Aalto"}, ["Ines Aalto"], [(DERIVED, "name")]),
        ({"last_name": "Aalto"}, ["Aalto"], [(DERIVED, "name")]),
        ({"name": "Ines Aalto", "first_name": "Noor"}, ["Ines Aalto"], [(DROPPED, "firstName")]),
    ],
)
def test_a_name_is_kept_whole(cometly, names, sent, warnings):
    planned = cometly.plan_create(Draft(emails=EMAIL, **names))
    assert planned.body["names"] == sent
    assert said(planned.warnings) == warnings


@pytest.mark.parametrize(
    ("wanted", "warnings"),
    [
        (phone("1"), []),
        (phone("1", PhoneType.OTHER), []),
        (phone("1", PhoneType.MOBILE), [(COERCED, "phones.0.type")]),
        (phone("1", do_not_call=True), [(DROPPED, "phones.0.doNotCall")]),
    ],
)
def test_a_phone_is_its_number_and_the_rest_is_said(cometly, wanted, warnings):
    planned = cometly.plan_create(Draft(emails=EMAIL, phones=(wanted,)))
    assert planned.body["phones"] == ["1"]
    assert said(planned.warnings) == warnings


def test_an_address_in_parts_becomes_one_line(cometly):
    planned = cometly.plan_create(Draft(emails=EMAIL, addresses=(address(street="5 Quay Road", country="IE"),)))
    assert planned.body["locations"] == ["5 Quay Road, IE"]
    assert said(planned.warnings) == [(COERCED, "addresses.0")]


# Updates of lists


@pytest.mark.parametrize(
    ("patch", "body"),
    [
        (Patch(emails=emails("n@x.test", "p@x.test", primary=1)), {"emails": ["p@x.test", "n@x.test"]}),
        (Patch(phones=phones("2", "1", primary=0)), {"phones": ["2", "1"]}),
        (Patch(addresses=(address(formatted="Oslo", primary=True),)), {"locations": ["Oslo"]}),
        (Patch(emails=None), {"emails": []}),
        (Patch(phones=None), {"phones": []}),
        (Patch(addresses=None), {"locations": []}),
        (Patch(name=None), {"names": []}),
    ],
)
def test_a_list_that_is_given_whole_is_sent_without_reading(cometly, cometly_log, stored, run, patch, body):
    assert run(cometly.update("48210", patch)).action is WriteAction.UPDATED
    assert cometly_log.calls == ["PUT /contacts/48210"]
    assert cometly_log.only_write == body


def test_the_documented_update_is_sent_as_documented(cometly, cometly_log, stored, run):
    run(cometly.update("48210", Patch(phones=phones("+358400000002", "+358400000001", primary=0))))
    assert cometly_log.only_write == json.loads(documented(Provider.COMETLY, "update_request"))


# Updates of names


@pytest.mark.parametrize(
    ("patch", "names", "warnings"),
    [
        (Patch(name="Noor Haddad"), ["Noor Haddad", "I. Aalto", "Ines Aalto"], []),
        (Patch(name="ines  aalto"), ["ines  aalto", "I. Aalto"], []),
        (
            Patch(first_name="Noor", last_name="Haddad"),
            ["Noor Haddad", "I. Aalto", "Ines Aalto"],
            [(DERIVED, "name")],
        ),
        (Patch(last_name="Haddad"), ["I. Haddad", "I. Aalto", "Ines Aalto"], [(DERIVED, "name")]),
        (Patch(first_name=None), ["Aalto", "I. Aalto", "Ines Aalto"], [(DERIVED, "name")]),
    ],
)
def test_a_new_name_goes_first_and_the_others_stay(cometly, cometly_log, stored, run, patch, names, warnings):
    updated = run(cometly.update("48210", patch))
    assert cometly_log.calls == ["GET /contacts/48210", "PUT /contacts/48210"]
    assert cometly_log.only_write == {"names": names}
    assert stored.names.primary == names[0]
    assert said(updated.warnings) == warnings


def test_clearing_the_only_part_of_a_name_keeps_the_other_names(cometly, stored, run):
    """Never lose what was not mentioned (design section 7): the older names were not."""
    stored.names = Values(["Ines Aalto", "Ines"], "Ines")
    run(cometly.update("48210", Patch(first_name=None)))
    assert "Ines Aalto" in stored.names.oldest_first


def test_a_part_beside_a_cleared_name_is_written_or_said_to_be_dropped(cometly, stored, run):
    """Nothing is dropped silently (design section 7)."""
    updated = run(cometly.update("48210", Patch(name=None, first_name="Noor")))
    assert stored.names.primary == "Noor" or (DROPPED, "firstName") in said(updated.warnings)


@pytest.mark.parametrize("patch", [Patch(name="Noor"), Patch(first_name="Noor"), Patch(last_name=None)])
def test_25_names_are_not_rewritten_because_there_may_be_more(cometly, cometly_log, stored, run, patch):
    stored.names = Values([f"Name {n}" for n in range(25)], "Name 0")
    with pytest.raises(ListTruncated) as refused:
        run(cometly.update("48210", patch))
    assert (refused.value.fault.field, refused.value.outcome) == (("input", "name"), "NOT_APPLIED")
    assert cometly_log.calls == ["GET /contacts/48210"]


def test_24_names_are_rewritten(cometly, cometly_log, stored, run):
    stored.names = Values([f"Name {n}" for n in range(24)], "Name 0")
    run(cometly.update("48210", Patch(name="Noor")))
    assert len(cometly_log.only_write["names"]) == 25


@pytest.mark.parametrize("field", ["emails", "phones"])
def test_a_full_list_is_replaced_when_the_caller_sends_the_whole(cometly, cometly_log, stored, run, field):
    setattr(stored, field, Values([f"n{n}@x.test" for n in range(30)], "n0@x.test"))
    run(cometly.update("48210", Patch(emails=EMAIL, phones=phones("1", primary=0))))
    assert cometly_log.only_write == {"emails": ["ines@aalto.test"], "phones": ["1"]}


# Custom fields


@pytest.mark.parametrize(
    ("wanted", "slots"),
    [
        (
            merged_custom_fields(seats=2),
            {
                "profile_field_1": "gold",
                "profile_field_2": "unnamed",
                "profile_field_16": "2",
                "profile_field_17": "3.5",
            },
        ),
        (merged_custom_fields(tier=None), {"profile_field_2": "unnamed", "profile_field_17": "3.5"}),
        (custom_fields(seats=2), {"profile_field_2": "unnamed", "profile_field_16": "2", "profile_field_17": "3.5"}),
        (None, {"profile_field_2": "unnamed", "profile_field_17": "3.5"}),
    ],
)
def test_slots_that_have_no_name_are_kept(cometly, cometly_log, stored, run, wanted, slots):
    run(cometly.update("48210", Patch(custom_fields=wanted)))
    assert cometly_log.calls == ["GET /contacts/48210", "PUT /contacts/48210"]
    assert cometly_log.only_write == {"custom_fields": slots}


def test_clearing_where_nothing_is_unnamed_empties_all_slots(cometly, cometly_log, stored, run):
    stored.custom_fields = {"profile_field_1": "gold"}
    run(cometly.update("48210", Patch(custom_fields=None)))
    assert cometly_log.only_write == {"custom_fields": {}}


@pytest.mark.parametrize("wanted", [merged_custom_fields(colour="red"), merged_custom_fields(colour=None)])
def test_a_merge_of_names_without_a_slot_sends_nothing(cometly, cometly_log, stored, run, wanted):
    updated = run(cometly.update("48210", Patch(custom_fields=wanted)))
    assert (updated.action, cometly_log.writes) == (WriteAction.UNCHANGED, [])
    assert said(updated.warnings) == ([(DROPPED, "customFields.colour")] if wanted.values["colour"] else [])


@pytest.mark.parametrize("number_slots", ["number", "string"])
def test_slots_of_numbers_are_kept_however_they_are_read(cometly, sandbox, cometly_log, stored, run, number_slots):
    sandbox.cometly.switches = CometlySwitches(number_slots=number_slots)
    stored.custom_fields = {"profile_field_16": "12", "profile_field_17": "3.5"}
    run(cometly.update("48210", Patch(custom_fields=merged_custom_fields(tier="gold"))))
    assert cometly_log.only_write == {
        "custom_fields": {"profile_field_1": "gold", "profile_field_16": "12", "profile_field_17": "3.5"}
    }


@pytest.mark.parametrize("date_slots", ["date", "timestamp"])
def test_slots_of_dates_are_kept_as_dates_however_they_are_read(cometly, sandbox, cometly_log, stored, run, date_slots):
    """docs/providers/cometly.md, ambiguity 16: write YYYY-MM-DD; parse a date or a timestamp, keep the date."""
    sandbox.cometly.switches = CometlySwitches(date_slots=date_slots)
    stored.custom_fields = {"profile_field_27": "2031-03-04"}
    run(cometly.update("48210", Patch(custom_fields=merged_custom_fields(tier="gold"))))
    assert cometly_log.only_write == {"custom_fields": {"profile_field_1": "gold", "profile_field_27": "2031-03-04"}}


@pytest.mark.parametrize("shape", ["filled_slots", "all_slots"])
def test_empty_slots_are_not_written_back(cometly, sandbox, cometly_log, stored, run, shape):
    sandbox.cometly.switches = CometlySwitches(custom_fields_on_read=shape)
    stored.custom_fields = {"profile_field_2": "unnamed"}
    run(cometly.update("48210", Patch(custom_fields=merged_custom_fields(tier="gold"))))
    assert cometly_log.only_write == {"custom_fields": {"profile_field_1": "gold", "profile_field_2": "unnamed"}}


LONGEST = "x" * 10_240


@pytest.mark.parametrize(
    ("values", "slots", "warnings"),
    [
        ({"tier": LONGEST}, {"profile_field_1": LONGEST}, []),
        ({"tier": ""}, {"profile_field_1": ""}, []),
        ({"seats": 12}, {"profile_field_16": "12"}, []),
        ({"seats": -0.5}, {"profile_field_16": "-0.5"}, []),
        ({"seats": 1e-7}, {"profile_field_16": "0.0000001"}, []),
        ({"seats": " 12 "}, {"profile_field_16": "12"}, []),
        ({"seats": 2**70}, {"profile_field_16": "1180591620717411303424"}, []),
        ({"renewal": "2031-03-04"}, {"profile_field_26": "2031-03-04"}, []),
        ({"renewal": "2031-03-04T23:00:00Z"}, {"profile_field_26": "2031-03-04"}, [(COERCED, "customFields.renewal")]),
        ({"colour": "red"}, UNSET, [(DROPPED, "customFields.colour")]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_slot_gets_a_text_of_its_kind(cometly, values, slots, warnings):
    planned = cometly.plan_create(Draft(emails=EMAIL, custom_fields=custom_fields(**values)))
    assert planned.problems == ()
    assert planned.body.get("custom_fields", UNSET) == slots
    assert said(planned.warnings) == warnings


TEXT = "must be a text of at most 10,240 characters for Cometly"
NUMBER = "must be a number such as 12 or 12.5 for Cometly"
DATE = 'must be a date such as "2031-03-04" for Cometly'


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("tier", LONGEST + "x", TEXT),
        ("tier", 12, TEXT),
        ("tier", True, TEXT),
        ("tier", ["gold"], TEXT),
        ("seats", "twelve", NUMBER),
        ("seats", "", NUMBER),
        ("seats", True, NUMBER),
        ("seats", [1], NUMBER),
        ("seats", {"a": 1}, NUMBER),
        ("seats", "NaN", NUMBER),
        ("seats", "Infinity", NUMBER),
        ("renewal", "soon", DATE),
        ("renewal", "2031-02-30", DATE),
        ("renewal", 20310304, DATE),
        ("renewal", ["2031-03-04"], DATE),
    ],
    ids=lambda value: str(value)[:30],
)
@pytest.mark.parametrize("merge", [True, False])
def test_what_a_slot_cannot_hold_is_a_problem_at_its_name(cometly, name, value, message, merge):
    problem = InputProblem(
        path=("input", "customFields", name), code="WRONG_TYPE", message=message, provider=Provider.COMETLY
    )
    wanted = merged_custom_fields(**{name: value}) if merge else custom_fields(**{name: value})
    assert cometly.plan_update(Patch(custom_fields=wanted)).problems == (problem,)
    assert cometly.plan_create(Draft(emails=EMAIL, custom_fields=wanted)).problems == (problem,)


def test_every_slot_can_have_a_name():
    assert len(SLOTS.names) == 3
    assert answered_by(Provider.COMETLY).capabilities.of(Field.CUSTOM_FIELDS).max_items == 30


# What a write answers


def test_the_answer_to_a_write_knows_what_was_sent_and_its_primaries(cometly, stored, run):
    updated = run(cometly.update("48210", Patch(emails=emails("n@x.test", "p@x.test", primary=1))))
    record = updated.record
    assert record.known == {Field.EMAILS}
    assert [(email.address, email.primary) for email in record.emails] == [("p@x.test", True), ("n@x.test", False)]
    assert record.primaries == {Field.EMAILS: "p@x.test"}


def test_a_merged_id_is_followed_by_an_update(cometly, sandbox, cometly_log, run):
    updated = run(cometly.update(str(MERGED_AWAY_COMETLY_ID), Patch(phones=phones("1", primary=0))))
    assert updated.record.key == RecordKey(Provider.COMETLY, str(SURVIVING_COMETLY_ID))
    assert cometly_log.calls == [f"PUT /contacts/{MERGED_AWAY_COMETLY_ID}"]
    assert sandbox.cometly.contacts[SURVIVING_COMETLY_ID].phones.primary == "1"


def test_an_accepted_update_is_an_update(cometly, sandbox, stored, run):
    sandbox.cometly.switches = CometlySwitches(update_status=202)
    assert run(cometly.update("48210", Patch(phones=None))).action is WriteAction.UPDATED
