"""What Gately is sent, to the letter, and what is said about it."""

import json
from dataclasses import replace

import pytest
from msgspec import UNSET

from gateway.domain.changes import Draft, Patch, WantedTags
from gateway.domain.contact import ContactStatus, Field, PhoneType, Provider, RecordKey
from gateway.domain.errors import DuplicateRecord, InputProblem, InputRefused, ProviderBroken, RecordNotFound
from gateway.domain.writes import WarningCode, WriteAction
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import GatelySwitches
from tests.connectors.canned import documented
from tests.connectors.samples import FIRST, SAMPLES
from tests.domain.wanted import address, custom_fields, emails, merged_custom_fields, phone, tags

EMAIL = emails("ines@aalto.test", primary=0)
DROPPED, DERIVED, COERCED = WarningCode.FIELD_DROPPED, WarningCode.VALUE_DERIVED, WarningCode.VALUE_COERCED


@pytest.fixture
def remote_id(sandbox):
    return SAMPLES[Provider.GATELY].add_full_record(sandbox)


@pytest.fixture
def stored(sandbox, remote_id):
    return sandbox.gately.contacts[remote_id]


def said(warnings):
    return [(one.code, ".".join(one.field[1:])) for one in warnings]


# Creating


def test_a_creation_sends_every_field_by_its_documented_name(gately, gately_log, run):
    draft = Draft(**{field.attribute: value for field, value in FIRST.items() if field is not Field.UNSUBSCRIBED})
    run(gately.create(draft))
    assert gately_log.writes == [
        (
            "POST /contacts",
            {
                "name": "Ines Aalto",
                "first_name": "Ines",
                "last_name": "Aalto",
                "email": "Ines@Aalto.test",
                "mobile": "+358 40 000 0001",
                "phone": "+358400000002",
                "company": "Northwind Oy",
                "status": "active",
                "notes": "Asked for a demo\nand a brochure",
                "tags": ["Beta", "Fair 2031"],
                "custom_fields": {"tier": "gold", "seats": 12, "renewal": "2031-03-04"},
                "external_id": "crm-1",
                "address_line_1": "5 Quay Road",
                "city": "Cork",
                "state": "CO",
                "zip": "T12",
                "country": "IE",
            },
        )
    ]


def test_the_documented_creation_is_sent_as_documented(gately):
    draft = Draft(
        name="Ines Aalto",
        emails=EMAIL,
        company="Northwind Oy",
        status=ContactStatus.ACTIVE,
        tags=tags("Beta", "Fair 2031"),
        custom_fields=custom_fields(tier="gold"),
    )
    planned = gately.plan_create(draft)
    assert (planned.body, planned.warnings, planned.problems) == (
        json.loads(documented(Provider.GATELY, "create_request")),
        (),
        (),
    )


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [("Ines", "Aalto", "Ines Aalto"), ("Ines", UNSET, "Ines"), (UNSET, "Aalto", "Aalto")],
)
def test_a_whole_name_is_joined_from_the_parts_and_said_to_be_derived(gately, first, last, name):
    planned = gately.plan_create(Draft(first_name=first, last_name=last, emails=EMAIL))
    assert planned.body["name"] == name
    assert said(planned.warnings) == [(DERIVED, "name")]


@pytest.mark.parametrize(
    ("wanted", "sent", "warnings"),
    [
        ([phone("1")], {"mobile": "1"}, []),
        ([phone("1", PhoneType.MOBILE), phone("2", PhoneType.OTHER, position=1)], {"mobile": "1", "phone": "2"}, []),
        ([phone("1", PhoneType.OTHER), phone("2", position=1)], {"mobile": "2", "phone": "1"}, []),
        ([phone("1", PhoneType.WORK)], {"phone": "1"}, [(COERCED, "phones.0.type")]),
        ([phone("1", PhoneType.HOME)], {"phone": "1"}, [(COERCED, "phones.0.type")]),
        ([phone("1"), phone("2", position=1)], {"mobile": "1"}, [(DROPPED, "phones.1")]),
        ([phone("1", do_not_call=False)], {"mobile": "1"}, [(DROPPED, "phones.0.doNotCall")]),
    ],
)
def test_phones_go_to_the_two_slots(gately, wanted, sent, warnings):
    planned = gately.plan_create(Draft(name="Ines", emails=EMAIL, phones=tuple(wanted)))
    assert planned.body == {"name": "Ines", "email": "ines@aalto.test", **sent}
    assert said(planned.warnings) == warnings


@pytest.mark.parametrize(
    ("wanted", "sent", "warnings"),
    [
        (
            {"street": "5 Quay Road", "street2": "2nd floor", "city": "Cork"},
            {"address_line_1": "5 Quay Road", "address_line_2": "2nd floor", "city": "Cork"},
            [],
        ),
        (
            {"formatted": "5 Quay Road, Cork"},
            {"address_line_1": "5 Quay Road, Cork"},
            [(COERCED, "addresses.0.formatted")],
        ),
        ({"city": "Cork", "formatted": "Cork"}, {"city": "Cork"}, []),
        ({"city": "Cork", "formatted": "In Cork"}, {"city": "Cork"}, [(DROPPED, "addresses.0.formatted")]),
    ],
)
def test_an_address_is_spread_over_flat_fields(gately, wanted, sent, warnings):
    planned = gately.plan_create(Draft(name="Ines", emails=EMAIL, addresses=(address(**wanted),)))
    assert planned.body == {"name": "Ines", "email": "ines@aalto.test", **sent}
    assert said(planned.warnings) == warnings


def test_a_tag_with_a_comma_is_a_problem_because_the_filter_would_split_it(gately):
    planned = gately.plan_create(Draft(name="Ines", emails=EMAIL, tags=tags("VIP", "Fair, 2031")))
    assert planned.problems == (
        InputProblem(
            path=("input", "tags", "1"),
            code="COMMA",
            message="must not hold a comma: Gately's tag filter would split it",
            provider=Provider.GATELY,
        ),
    )


# What an update sends


def test_the_documented_update_is_sent_as_documented(gately, gately_log, remote_id, run):
    run(gately.update(remote_id, Patch(status=ContactStatus.INACTIVE, notes="Trial ended")))
    assert gately_log.writes == [
        (f"PATCH /contacts/{remote_id}", json.loads(documented(Provider.GATELY, "update_request")))
    ]
    assert gately_log.calls == [f"PATCH /contacts/{remote_id}"]


@pytest.mark.parametrize(
    ("street", "wanted", "sent", "dropped"),
    [
        (
            None,
            {"street": "1 New Road", "street2": "3", "city": "Turku", "country": "FI"},
            {"city": "Turku", "state": None, "zip": None, "country": "FI"},
            ["addresses.0.street", "addresses.0.street2"],
        ),
        (None, {"city": "Turku"}, {"city": "Turku", "state": None, "zip": None, "country": None}, []),
        (
            "5 Quay Road",
            {"street": "5 Quay Road", "city": "Turku"},
            {"city": "Turku", "state": None, "zip": None, "country": None},
            [],
        ),
    ],
)
def test_an_update_never_sends_the_street_lines(
    gately, gately_log, remote_id, stored, run, street, wanted, sent, dropped
):
    stored.address_line_1 = street
    updated = run(gately.update(remote_id, Patch(addresses=(address(**wanted),))))
    assert gately_log.only_write == sent
    assert said(updated.warnings) == [(DROPPED, path) for path in dropped]
    assert stored.address_line_1 == street


@pytest.mark.parametrize(
    "wanted", [{"street": "1 New Road", "city": "Turku"}, {"city": "Turku"}, {"formatted": "5 Quay Road, Turku"}]
)
def test_half_of_a_new_address_is_not_put_beside_half_of_the_old_one(gately, gately_log, remote_id, run, wanted):
    updated = run(gately.update(remote_id, Patch(addresses=(address(**wanted),))))
    assert (updated.action, gately_log.writes) == (WriteAction.UNCHANGED, [])
    assert said(updated.warnings) == [(DROPPED, "addresses.0")]


def test_an_update_never_sends_the_external_id(gately, gately_log, remote_id, run):
    run(gately.update(remote_id, Patch(external_id="crm-2", company="Harbour Ltd")))
    assert gately_log.only_write == {"company": "Harbour Ltd"}


@pytest.mark.parametrize(
    ("unsubscribed", "write"),
    [(True, ("POST", {})), (False, ("DELETE", None))],
)
def test_consent_goes_to_the_unsubscribe_endpoints_only(
    gately, gately_log, remote_id, stored, run, unsubscribed, write
):
    stored.unsubscribed = not unsubscribed
    updated = run(gately.update(remote_id, Patch(unsubscribed=unsubscribed)))
    method, body = write
    assert gately_log.writes == [(f"{method} /contacts/{remote_id}/unsubscribes", body)]
    assert gately_log.calls == [f"{method} /contacts/{remote_id}/unsubscribes"]
    assert stored.unsubscribed is unsubscribed
    assert (updated.action, updated.record.known) == (WriteAction.UPDATED, frozenset())


def test_fields_merge_and_consent_travel_in_this_order(gately, gately_log, remote_id, run):
    patch = Patch(unsubscribed=True, custom_fields=merged_custom_fields(seats=3), company="Harbour Ltd")
    run(gately.update(remote_id, patch))
    assert gately_log.writes == [
        (f"PATCH /contacts/{remote_id}", {"company": "Harbour Ltd"}),
        (f"PATCH /contacts/{remote_id}/custom-fields", {"seats": 3}),
        (f"POST /contacts/{remote_id}/unsubscribes", {}),
    ]


@pytest.mark.parametrize(
    ("operation", "field"),
    [("merge_custom_fields", Field.CUSTOM_FIELDS), ("unsubscribe", Field.UNSUBSCRIBED)],
)
def test_a_later_call_that_fails_makes_the_outcome_unknown_and_names_the_field(
    gately, sandbox, remote_id, run, operation, field
):
    sandbox.gately.faults.add(Fault(kind="status", status=500, operation=operation))
    patch = Patch(unsubscribed=True, custom_fields=merged_custom_fields(seats=3), company="Harbour Ltd")
    with pytest.raises(ProviderBroken) as failed:
        run(gately.update(remote_id, patch))
    fault = failed.value.fault
    assert (failed.value.outcome, fault.retryable, fault.upstream_status) == ("UNKNOWN", False, 500)
    assert fault.field == field.input_path
    assert fault.message == f"The other fields were written, but {field.value} was not: Gately failed. (HTTP 500)"
    assert sandbox.gately.contacts[remote_id].company == "Harbour Ltd"


def test_a_first_call_that_is_refused_stays_not_applied(gately, sandbox, gately_log, remote_id, run):
    sandbox.gately.faults.add(Fault(kind="status", status=422, operation="update"))
    with pytest.raises(InputRefused) as failed:
        run(gately.update(remote_id, Patch(unsubscribed=True, company="Harbour Ltd")))
    assert failed.value.outcome == "NOT_APPLIED"
    assert gately_log.calls == [f"PATCH /contacts/{remote_id}"]


# Updates of custom fields


def test_a_merge_goes_to_the_endpoint_that_merges(gately, gately_log, remote_id, stored, run):
    updated = run(gately.update(remote_id, Patch(custom_fields=merged_custom_fields(seats=3))))
    assert gately_log.calls == [f"PATCH /contacts/{remote_id}/custom-fields"]
    assert gately_log.only_write == {"seats": 3}
    assert stored.custom_fields == {"tier": "gold", "seats": 3}
    assert updated.action is WriteAction.UPDATED


@pytest.mark.parametrize("status", ["404", "405"])
def test_a_merge_is_read_changed_and_written_whole_where_the_endpoint_is_missing(
    gately, sandbox, gately_log, remote_id, stored, run, status
):
    sandbox.gately.switches = GatelySwitches(custom_fields_endpoint=status)
    updated = run(gately.update(remote_id, Patch(custom_fields=merged_custom_fields(seats=3))))
    assert gately_log.calls == [
        f"PATCH /contacts/{remote_id}/custom-fields",
        f"GET /contacts/{remote_id}",
        f"PATCH /contacts/{remote_id}",
    ]
    assert gately_log.writes[-1][1] == {"custom_fields": {"tier": "gold", "seats": 3}}
    assert stored.custom_fields == {"tier": "gold", "seats": 3}
    assert updated.action is WriteAction.UPDATED


def test_a_merge_at_an_unknown_id_is_not_found(gately, run):
    with pytest.raises(RecordNotFound):
        run(gately.update("0d6f2c1e-0000-4000-8000-000000000000", Patch(custom_fields=merged_custom_fields(a=1))))


def test_a_null_in_a_merge_reads_first_because_the_endpoint_cannot_remove(gately, gately_log, remote_id, stored, run):
    stored.custom_fields = {"tier": "gold", "seats": 1, "vip": True}
    run(gately.update(remote_id, Patch(custom_fields=merged_custom_fields(tier=None, seats=2))))
    assert gately_log.calls == [f"GET /contacts/{remote_id}", f"PATCH /contacts/{remote_id}"]
    assert gately_log.only_write == {"custom_fields": {"seats": 2, "vip": True}}


def test_a_replacement_is_sent_whole_without_reading(gately, gately_log, remote_id, run):
    run(gately.update(remote_id, Patch(custom_fields=custom_fields(seats=2, gone=None))))
    assert gately_log.calls == [f"PATCH /contacts/{remote_id}"]
    assert gately_log.only_write == {"custom_fields": {"seats": 2}}


# Updates of tags


@pytest.mark.parametrize(
    ("wanted", "calls", "sent"),
    [
        (tags("New", "VIP"), ["PATCH"], [{"tags": ["New", "VIP"]}]),
        (WantedTags(add=("New",)), ["GET", "PATCH"], [{"tags": ["Beta", "New"]}]),
        (WantedTags(add=("Beta",)), ["GET"], []),
        (WantedTags(remove=("Beta",)), ["GET", "PATCH"], [{"tags": []}]),
        (WantedTags(remove=("Gone",)), ["GET"], []),
        (None, ["PATCH"], [{"tags": []}]),
    ],
)
def test_tags_are_written_whole_and_read_first_where_needed(gately, gately_log, remote_id, run, wanted, calls, sent):
    updated = run(gately.update(remote_id, Patch(tags=wanted)))
    assert [call.split()[0] for call in gately_log.calls] == calls
    assert [body for _, body in gately_log.writes] == sent
    assert updated.action is (WriteAction.UPDATED if sent else WriteAction.UNCHANGED)


@pytest.mark.parametrize("wanted", [WantedTags(add=("beta",)), WantedTags(remove=("BETA",))])
def test_tags_to_add_and_to_remove_are_compared_without_regard_to_case(gately, remote_id, run, wanted):
    """docs/providers/gately.md, ambiguity 14: do not create tags that differ only by case."""
    run(gately.update(remote_id, Patch(tags=wanted)))
    assert run(gately.read(remote_id)).tags == (("Beta",) if wanted.add else ())


# Updates of names


@pytest.mark.parametrize(
    ("patch", "calls", "sent", "derived"),
    [
        (
            Patch(name="Noor Haddad"),
            ["PATCH"],
            {"name": "Noor Haddad", "first_name": "Noor", "last_name": "Haddad"},
            ["firstName", "lastName"],
        ),
        (
            Patch(name="Noor"),
            ["PATCH"],
            {"name": "Noor", "first_name": "Noor", "last_name": None},
            ["firstName", "lastName"],
        ),
        (Patch(first_name="Noor"), ["GET", "PATCH"], {"first_name": "Noor", "name": "Noor Aalto"}, ["name"]),
        (Patch(last_name="Haddad"), ["GET", "PATCH"], {"last_name": "Haddad", "name": "Ines Haddad"}, ["name"]),
        (Patch(last_name=None), ["GET", "PATCH"], {"last_name": None, "name": "Ines"}, ["name"]),
        (
            Patch(first_name="Noor", last_name="Haddad"),
            ["PATCH"],
            {"first_name": "Noor", "last_name": "Haddad", "name": "Noor Haddad"},
            ["name"],
        ),
        (Patch(first_name=None, last_name=None), ["PATCH"], {"first_name": None, "last_name": None}, []),
        (
            Patch(name="Dr. Noor", first_name="N", last_name="H"),
            ["PATCH"],
            {"name": "Dr. Noor", "first_name": "N", "last_name": "H"},
            [],
        ),
    ],
)
def test_a_name_and_its_parts_move_together(gately, gately_log, remote_id, run, patch, calls, sent, derived):
    updated = run(gately.update(remote_id, patch))
    assert [call.split()[0] for call in gately_log.calls] == calls
    assert gately_log.only_write == sent
    assert said(updated.warnings) == [(DERIVED, path) for path in derived]


def test_a_missing_half_is_split_from_the_whole_name(gately, gately_log, remote_id, stored, run):
    stored.first_name = stored.last_name = None
    run(gately.update(remote_id, Patch(first_name="Noor")))
    assert gately_log.only_write == {"first_name": "Noor", "name": "Noor Aalto"}


# Updates of phones


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        ((phone("1"),), {"mobile": "1", "phone": None}),
        ((phone("1", PhoneType.WORK),), {"mobile": None, "phone": "1"}),
        (None, {"mobile": None, "phone": None}),
    ],
)
def test_a_slot_that_gets_no_number_is_emptied(gately, gately_log, remote_id, run, wanted, sent):
    run(gately.update(remote_id, Patch(phones=wanted)))
    assert gately_log.only_write == sent


def test_a_number_without_a_type_keeps_the_slot_where_it_is_stored(gately, sandbox, remote_id, stored, run):
    """Design section 7 and the schema: a type left out keeps what is stored for that number."""
    stored.phone, stored.mobile = "+358 40 000 0000", None
    run(gately.update(remote_id, Patch(phones=(phone("+358400000000", e164="+358400000000", primary=True),))))
    (number,) = run(gately.read(remote_id)).phones
    assert (number.e164, number.type) == ("+358400000000", PhoneType.OTHER)


def test_the_number_marked_primary_reads_back_as_primary_or_a_warning_says_so(gately, remote_id, run):
    """Nothing is dropped silently, the primary mark included (design section 7)."""
    mobile = phone("+358400000001", PhoneType.MOBILE, primary=True, e164="+358400000001", primary_named=True)
    other = phone("+358400000002", PhoneType.OTHER, position=1, e164="+358400000002")
    updated = run(gately.update(remote_id, Patch(phones=(mobile, other))))
    primary = [number.e164 for number in run(gately.read(remote_id)).phones if number.primary]
    assert primary == ["+358400000001"] or said(updated.warnings) == [(COERCED, "phones.0.primary")]


# Duplicates


@pytest.mark.parametrize("status", [400, 409, 422])
def test_an_email_that_another_contact_has_is_a_duplicate_whatever_the_status(gately, sandbox, remote_id, run, status):
    sandbox.gately.switches = GatelySwitches(duplicate_status=status)
    with pytest.raises(DuplicateRecord) as failed:
        run(gately.create(Draft(name="Ines", emails=emails("INES@aalto.test", primary=0))))
    fault = failed.value.fault
    assert (failed.value.outcome, fault.upstream_status, fault.field, fault.existing) == (
        "NOT_APPLIED",
        status,
        ("input", "emails"),
        RecordKey(Provider.GATELY, remote_id),
    )


@pytest.mark.parametrize("status", [400, 409, 422])
def test_an_update_to_the_email_of_another_contact_is_a_duplicate(gately, sandbox, remote_id, run, status):
    sandbox.gately.switches = GatelySwitches(duplicate_status=status)
    other = next(one for one in sandbox.gately.contacts.values() if one.id != remote_id)
    with pytest.raises(DuplicateRecord) as failed:
        run(gately.update(remote_id, Patch(emails=emails(other.email, primary=0))))
    assert failed.value.fault.existing == RecordKey(Provider.GATELY, other.id)


def test_a_refusal_that_no_other_contact_explains_stays_what_it_is(gately, sandbox, remote_id, run):
    sandbox.gately.faults.add(Fault(kind="status", status=422, operation="update", message="Too odd"))
    with pytest.raises(InputRefused) as failed:
        run(gately.update(remote_id, Patch(emails=EMAIL, company="Harbour Ltd")))
    assert failed.value.fault.message == "Gately refused the input. It says: Too odd"


def test_a_409_without_a_find_is_still_a_duplicate(gately, sandbox, run):
    sandbox.gately.faults.add(Fault(kind="status", status=409, operation="create"))
    with pytest.raises(DuplicateRecord) as failed:
        run(gately.create(Draft(name="Ines", emails=EMAIL)))
    assert failed.value.fault.existing is None


def test_a_look_up_that_fails_leaves_the_first_refusal(gately, sandbox, run):
    sandbox.gately.faults.add(Fault(kind="status", status=422, operation="create"))
    sandbox.gately.faults.add(Fault(kind="status", status=500, operation="find"))
    with pytest.raises(InputRefused):
        run(gately.create(Draft(name="Ines", emails=EMAIL)))


def test_two_equal_numbers_in_the_slots_have_one_primary(gately, stored, remote_id, run):
    """Primary: at most one per list (design section 7)."""
    stored.phone = stored.mobile = "+358400000001"
    assert [number.primary for number in run(gately.read(remote_id)).phones].count(True) == 1


@pytest.mark.parametrize("shape", ["absent", "null"])
def test_an_empty_field_may_be_left_out_or_null(gately, sandbox, stored, remote_id, run, shape):
    stored.company, stored.tags, stored.custom_fields, stored.phone, stored.mobile = None, [], {}, None, None
    sandbox.gately.switches = GatelySwitches(empty_fields=shape)
    record = run(gately.read(remote_id))
    assert (record.company, record.tags, record.custom_fields, record.phones) == (None, (), {}, ())


def test_fields_that_a_write_does_not_answer_are_not_known(gately, sandbox, remote_id, run):
    sandbox.gately.switches = replace(sandbox.gately.switches, write_answers="partial")
    record = run(gately.update(remote_id, Patch(notes="Trial ended"))).record
    assert record.known == {
        Field.NAME,
        Field.EMAILS,
        Field.STATUS,
        Field.NOTES,
        Field.LAST_CONTACTED_AT,
        Field.UPDATED_AT,
    }
    assert record.notes == "Trial ended"
