"""What Klen AI is sent, to the letter: phones by id, a flat address, nothing said twice or lost."""

import json

import pytest
from msgspec import UNSET

from gateway.connectors.klen.capabilities import CAPABILITIES
from gateway.connectors.screening import screen
from gateway.domain.changes import Draft, Patch, WantedTags
from gateway.domain.contact import Address, ContactStatus, Field, PhoneType, Provider, RecordKey
from gateway.domain.errors import InputProblem, ReplyUnreadable
from gateway.domain.writes import WarningCode, WriteAction
from gateway.sandbox.klen.contact import Phone
from gateway.sandbox.sandbox import KlenSwitches
from gateway.sandbox.seed.landmarks import DO_NOT_CALL_KLEN_ID
from tests.connectors.canned import answered_by, changed, documented
from tests.connectors.samples import FIRST, SAMPLES
from tests.domain.wanted import address, custom_fields, emails, merged_custom_fields, phone, tags

DROPPED, DERIVED, COERCED = WarningCode.FIELD_DROPPED, WarningCode.VALUE_DERIVED, WarningCode.VALUE_COERCED
MOBILE = "+358400000001"
OTHER = "+358400000002"


@pytest.fixture
def remote_id(sandbox):
    return SAMPLES[Provider.KLEN].add_full_record(sandbox)


@pytest.fixture
def stored(sandbox, remote_id):
    return sandbox.klen.contacts[int(remote_id)]


def number(text, type_=None, **more):
    return phone(text, type_, e164=text, **more)


def said(warnings):
    return [(one.code, ".".join(one.field[1:])) for one in warnings]


# Creating


def test_a_creation_sends_every_field_by_its_documented_name(klen, klen_log, run):
    draft = Draft(**{field.attribute: value for field, value in FIRST.items()})
    run(klen.create(screen(draft, CAPABILITIES).changes))
    assert klen_log.writes == [
        (
            "POST /contacts/create",
            {
                "first_name": "Ines",
                "last_name": "Aalto",
                "email": "Ines@Aalto.test",
                "company": "Northwind Oy",
                "website": "https://northwind.example",
                "stage": "prospect",
                "status": "contacted",
                "address": "5 Quay Road",
                "city": "Cork",
                "state": "CO",
                "zip_code": "T12",
                "country": "IE",
                "tags": ["Beta", "Fair 2031"],
                "custom_context": {"tier": "gold", "seats": 12, "renewal": "2031-03-04"},
                "team_id": 7,
                "industry_context": {"sector": "shipping"},
                "phone_numbers": [
                    {"phone_number": MOBILE, "phone_type": "mobile", "primary": True},
                    {"phone_number": OTHER, "phone_type": "other", "primary": False},
                ],
            },
        )
    ]


def test_the_documented_creation_is_sent_as_documented(klen):
    draft = Draft(
        first_name="Noor",
        last_name="Haddad",
        emails=emails("noor@example.test", primary=0),
        company="Harbour Ltd",
        addresses=(address(street="5 Quay Road", city="Cork", state="CO", postal_code="T12", country="IE"),),
        klen_team_id=7,
        tags=tags("New"),
        phones=(number("+353210000001", PhoneType.MOBILE, primary=True, do_not_call=False),),
        custom_fields=custom_fields(lead_source="fair"),
    )
    planned = klen.plan_create(draft)
    assert (planned.body, planned.warnings, planned.problems) == (
        json.loads(documented(Provider.KLEN, "create_request")),
        (),
        (),
    )


@pytest.mark.parametrize(
    ("names", "sent", "warnings"),
    [
        ({"name": "Noor Haddad"}, {"first_name": "Noor", "last_name": "Haddad"}, ["firstName", "lastName"]),
        ({"name": "Noor"}, {"first_name": "Noor"}, ["firstName"]),
        ({"name": "Noor Haddad", "first_name": "Noor"}, {"first_name": "Noor", "last_name": "Haddad"}, ["lastName"]),
        ({"first_name": "Noor"}, {"first_name": "Noor"}, []),
    ],
)
def test_a_whole_name_is_split_and_the_parts_said_to_be_derived(klen, names, sent, warnings):
    planned = klen.plan_create(Draft(**names))
    assert planned.body == sent
    assert said(planned.warnings) == [(DERIVED, field) for field in warnings]


@pytest.mark.parametrize(
    ("names", "derived"),
    [
        ({"name": "Dr. Noor Haddad", "first_name": "Noor", "last_name": "Haddad"}, []),
        ({"name": "Noor Haddad", "first_name": "N"}, ["lastName"]),
    ],
)
def test_a_whole_name_that_its_parts_do_not_make_is_said_to_be_dropped(klen, names, derived):
    planned = klen.plan_create(Draft(**names))
    assert said(planned.warnings) == [(DROPPED, "name"), *((DERIVED, field) for field in derived)]


def test_a_title_that_no_part_keeps_is_said_to_be_dropped(klen):
    """Nothing is dropped silently (design section 7): Klen AI will show Noor Haddad."""
    planned = klen.plan_create(Draft(name="Dr. Noor Haddad"))
    assert planned.body == {"first_name": "Noor", "last_name": "Haddad"}
    assert (DROPPED, "name") in said(planned.warnings)


@pytest.mark.parametrize("names", [{}, {"last_name": "Haddad"}])
def test_a_first_name_is_needed(klen, names):
    planned = klen.plan_create(Draft(**names))
    message = "Klen AI needs a first name; send firstName, or a name to split."
    assert planned.problems == (
        InputProblem(path=("input", "firstName"), code="REQUIRED", message=message, provider=Provider.KLEN),
    )


@pytest.mark.parametrize("answer", ["id", "contact_id", "contact"])
def test_the_new_id_is_found_in_three_places(klen, sandbox, run, answer):
    sandbox.klen.switches = KlenSwitches(create_answer=answer)
    record = run(klen.create(Draft(first_name="Noor")))
    assert record.key == RecordKey(Provider.KLEN, str(max(sandbox.klen.contacts)))
    assert record.known == frozenset()


def test_a_creation_without_an_id_is_unreadable_and_its_outcome_unknown(klen, sandbox, klen_log, run):
    sandbox.klen.switches = KlenSwitches(create_answer="none")
    with pytest.raises(ReplyUnreadable) as failed:
        run(klen.create(Draft(first_name="Noor")))
    fault = failed.value.fault
    assert (fault.message, fault.upstream_status, failed.value.outcome, fault.retryable) == (
        "Klen AI answered a creation without an id.",
        201,
        "UNKNOWN",
        False,
    )
    assert klen_log.calls == ["POST /contacts/create"]


# Addresses


@pytest.mark.parametrize(
    ("wanted", "sent", "warnings"),
    [
        ({"street": "5 Quay Road", "country": "ie"}, {"address": "5 Quay Road", "country": "IE"}, []),
        (
            {"street": "5 Quay Road", "street2": "2nd floor"},
            {"address": "5 Quay Road, 2nd floor"},
            [(COERCED, "addresses.0.street2")],
        ),
        ({"street2": "2nd floor"}, {"address": "2nd floor"}, [(COERCED, "addresses.0.street2")]),
        ({"formatted": "Quay, Cork"}, {"address": "Quay, Cork"}, [(COERCED, "addresses.0.formatted")]),
        ({"city": "Cork", "formatted": "In Cork"}, {"city": "Cork"}, [(DROPPED, "addresses.0.formatted")]),
    ],
)
def test_an_address_is_flat_when_written(klen, wanted, sent, warnings):
    planned = klen.plan_create(Draft(first_name="Noor", addresses=(address(**wanted),)))
    assert planned.body == {"first_name": "Noor", **sent}
    assert (planned.problems, said(planned.warnings)) == ((), warnings)


@pytest.mark.parametrize("country", ["Ireland", "IRL", "I", "12", "ÅÄ", "I "])
def test_a_country_is_a_code_of_two_letters(klen, country):
    planned = klen.plan_update(Patch(addresses=(address(city="Cork", country=country, position=3),)))
    message = "Klen AI takes a country by its ISO 3166-1 alpha-2 code, such as FI"
    assert planned.problems == (
        InputProblem(
            path=("input", "addresses", "3", "country"),
            code="COUNTRY_CODE",
            message=message,
            provider=Provider.KLEN,
        ),
    )


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (
            (address(city="Turku", country="FI"),),
            {"address": None, "city": "Turku", "state": None, "zip_code": None, "country": "FI"},
        ),
        (None, {"address": None, "city": None, "state": None, "zip_code": None, "country": None}),
    ],
)
def test_all_parts_of_an_address_travel_together(klen, klen_log, remote_id, run, wanted, sent):
    run(klen.update(remote_id, Patch(addresses=wanted)))
    assert klen_log.only_write == sent


def test_the_country_that_klen_makes_up_is_no_address(klen, sandbox, run):
    record = run(klen.create(Draft(first_name="Noor")))
    assert sandbox.klen.contacts[int(record.key.remote_id)].country == "US"
    assert run(klen.read(record.key.remote_id)).addresses == ()


def test_another_country_alone_is_an_address(klen, stored, remote_id, run):
    stored.address = stored.city = None
    assert run(klen.read(remote_id)).addresses == (Address(country="IE", formatted="IE", primary=True),)


# Phones


def entry(text, type_, *, primary, **more):
    return {"phone_number": text, "phone_type": type_, "primary": primary, **more}


def test_a_known_number_is_sent_with_its_id_and_keeps_what_was_left_out(klen, klen_log, stored, remote_id, run):
    stored.phone_numbers = [Phone(911, MOBILE, "home", primary=True, do_not_call=True), Phone(912, OTHER, "work")]
    run(klen.update(remote_id, Patch(phones=(number(MOBILE), number(OTHER, primary=True, position=1)))))
    assert klen_log.calls == [f"GET /contacts/{remote_id}", f"PATCH /contacts/{remote_id}/update"]
    assert klen_log.only_write == {
        "phone_numbers": [
            {"id": 911, **entry(MOBILE, "home", primary=False, do_not_call=True)},
            {"id": 912, **entry(OTHER, "work", primary=True)},
        ]
    }


def test_what_is_given_for_a_known_number_replaces_what_is_stored(klen, klen_log, stored, remote_id, run):
    stored.phone_numbers = [Phone(911, MOBILE, "home", primary=True, do_not_call=True)]
    wanted = number(MOBILE, PhoneType.WORK, primary=True, do_not_call=False)
    run(klen.update(remote_id, Patch(phones=(wanted,))))
    assert klen_log.only_write == {
        "phone_numbers": [{"id": 911, **entry(MOBILE, "work", primary=True, do_not_call=False)}]
    }


def test_a_new_number_has_no_id_and_is_a_mobile(klen, klen_log, stored, remote_id, run):
    stored.phone_numbers = []
    run(klen.update(remote_id, Patch(phones=(number(MOBILE, primary=True),))))
    assert klen_log.only_write == {"phone_numbers": [entry(MOBILE, "mobile", primary=True)]}


def test_a_stored_number_is_matched_however_it_is_written(klen, sandbox, klen_log, stored, remote_id, run):
    stored.phone_numbers = [Phone(911, "+358 40 000 0001", "mobile", primary=True)]
    run(klen.update(remote_id, Patch(phones=(number(MOBILE, primary=True),))))
    assert klen_log.only_write == {"phone_numbers": [{"id": 911, **entry(MOBILE, "mobile", primary=True)}]}


def test_a_word_for_a_type_that_is_unknown_to_us_is_kept(klen, klen_log, stored, remote_id, run):
    stored.phone_numbers = [Phone(911, MOBILE, "fax", primary=True)]
    (read,) = run(klen.read(remote_id)).phones
    assert read.type is PhoneType.OTHER
    run(klen.update(remote_id, Patch(phones=(number(MOBILE, primary=True),))))
    assert klen_log.only_write["phone_numbers"][0]["phone_type"] == "fax"


def test_the_do_not_call_mark_of_a_seeded_contact_survives_an_update(klen, sandbox, run):
    contact = sandbox.klen.contacts[DO_NOT_CALL_KLEN_ID]
    text = contact.phone_numbers[0].phone_number
    run(klen.update(str(DO_NOT_CALL_KLEN_ID), Patch(phones=(number(text, primary=True),))))
    assert (contact.phone_numbers[0].do_not_call, contact.phone_numbers[0].dnc_reason) == (
        True,
        "Asked not to be called",
    )


def test_a_number_that_is_not_e164_is_a_problem_at_its_place(klen):
    wanted = (number(MOBILE, primary=True), phone("040 1", position=1))
    message = "Klen AI takes numbers in E.164 only; write it with its country code, such as +358400000001"
    problem = InputProblem(
        path=("input", "phones", "1", "number"), code="NOT_E164", message=message, provider=Provider.KLEN
    )
    assert klen.plan_create(Draft(first_name="Noor", phones=wanted)).problems == (problem,)
    assert klen.plan_update(Patch(phones=wanted)).problems == (problem,)


@pytest.mark.parametrize("fate", ["keeps_unlisted", "removes_unlisted"])
def test_numbers_that_stay_although_the_new_list_leaves_them_out_are_reported(
    klen, sandbox, klen_log, remote_id, run, fate
):
    sandbox.klen.switches = KlenSwitches(patch_phones=fate)
    updated = run(klen.update(remote_id, Patch(phones=(number(OTHER, primary=True),))))
    methods = [call.split()[0] for call in klen_log.calls]
    assert methods == ["GET", "PATCH", "GET"]
    assert said(updated.warnings) == ([(DROPPED, "phones")] if fate == "keeps_unlisted" else [])
    assert Field.PHONES in updated.record.known


@pytest.mark.parametrize("beyond_the_calendar", [False, True])
def test_whether_numbers_stayed_is_said_to_be_unseen_when_the_second_look_fails(
    sandbox, remote_id, run, beyond_the_calendar
):
    good = json.dumps(sandbox.klen.view.details(sandbox.klen.contacts[int(remote_id)])).encode()
    # The update has happened, whatever may be wrong with what is seen of it.
    seen = changed(good, "created_date", to="0001-01-01T00:00:00+14:00") if beyond_the_calendar else b"<html>"
    canned = answered_by(Provider.KLEN, good, b"{}", seen)
    updated = run(canned.update(remote_id, Patch(phones=(number(OTHER, primary=True),))))
    assert [one.message for one in updated.warnings] == [
        "Whether Klen AI removed the numbers that the new list leaves out could not be seen."
    ]
    assert updated.record.known == frozenset()


def test_no_second_look_where_every_stored_number_is_listed(klen, klen_log, remote_id, run):
    run(klen.update(remote_id, Patch(phones=(number(MOBILE, primary=True), number(OTHER, position=1)))))
    assert [call.split()[0] for call in klen_log.calls] == ["GET", "PATCH"]


# Status


@pytest.mark.parametrize(
    ("stored_word", "status", "sent"),
    [
        ("not_contacted", ContactStatus.ACTIVE, [{"status": "active"}]),
        ("active", ContactStatus.ACTIVE, [{"status": "active"}]),
        ("contacted", ContactStatus.ACTIVE, []),
        ("contacted", ContactStatus.NEW, [{"status": "not_contacted"}]),
    ],
)
def test_active_is_never_written_over_contacted(klen, klen_log, stored, remote_id, run, stored_word, status, sent):
    stored.status = stored_word
    updated = run(klen.update(remote_id, Patch(status=status)))
    assert [body for _, body in klen_log.writes] == sent
    assert updated.action is (WriteAction.UPDATED if sent else WriteAction.UNCHANGED)


def test_klens_own_word_overrules_the_status_without_reading(klen, klen_log, remote_id, run):
    run(klen.update(remote_id, Patch(status=ContactStatus.NEW, klen_status="contacted")))
    assert klen_log.calls == [f"PATCH /contacts/{remote_id}/update"]
    assert klen_log.only_write == {"status": "contacted"}


@pytest.mark.parametrize(
    "patch", [{}, {"tags": WantedTags(add=("New",))}, {"custom_fields": merged_custom_fields(a=1)}]
)
def test_klens_own_word_is_written_even_over_contacted(klen, stored, remote_id, run, patch):
    """`klen.status` overrules `status`, whatever else is written with it."""
    stored.status = "contacted"
    run(klen.update(remote_id, Patch(status=ContactStatus.ACTIVE, klen_status="active", **patch)))
    assert stored.status == "active"


@pytest.mark.parametrize("status", [ContactStatus.INACTIVE, ContactStatus.ARCHIVED])
def test_a_status_without_a_word_is_dropped_and_said(klen, klen_log, remote_id, run, status):
    updated = run(klen.update(remote_id, Patch(status=status)))
    assert (updated.action, klen_log.writes) == (WriteAction.UNCHANGED, [])
    assert [(one.code, one.field, one.message) for one in updated.warnings] == [
        (DROPPED, ("input", "status"), f"Klen AI has no word for {status.name}.")
    ]


# Other updates


@pytest.mark.parametrize(
    ("patch", "sent", "derived"),
    [
        (Patch(name="Noor Haddad"), {"first_name": "Noor", "last_name": "Haddad"}, ["firstName", "lastName"]),
        (Patch(name="Noor"), {"first_name": "Noor", "last_name": None}, ["firstName", "lastName"]),
        (Patch(first_name="Noor"), {"first_name": "Noor"}, []),
        (Patch(last_name=None), {"last_name": None}, []),
    ],
)
def test_the_parts_of_a_name_follow_the_whole(klen, klen_log, remote_id, run, patch, sent, derived):
    updated = run(klen.update(remote_id, patch))
    assert klen_log.calls == [f"PATCH /contacts/{remote_id}/update"]
    assert klen_log.only_write == sent
    assert said(updated.warnings) == [(DERIVED, field) for field in derived]


@pytest.mark.parametrize(
    ("wanted", "reads", "sent"),
    [
        (tags("New"), False, [{"tags": ["New"]}]),
        (WantedTags(add=("New",)), True, [{"tags": ["Beta", "New"]}]),
        (WantedTags(add=("Beta",)), True, []),
        (WantedTags(remove=("Beta",)), True, [{"tags": []}]),
        (None, False, [{"tags": []}]),
    ],
)
def test_tags_are_written_whole_and_read_first_where_needed(klen, klen_log, remote_id, run, wanted, reads, sent):
    run(klen.update(remote_id, Patch(tags=wanted)))
    assert (klen_log.calls[0].startswith("GET"), [body for _, body in klen_log.writes]) == (reads, sent)


@pytest.mark.parametrize("fate", ["replaced", "merged"])
@pytest.mark.parametrize(
    ("wanted", "reads", "sent"),
    [
        (merged_custom_fields(seats=2), True, {"tier": "gold", "seats": 2}),
        (custom_fields(seats=2), False, {"seats": 2}),
        (None, False, {}),
    ],
)
def test_custom_context_is_always_sent_whole(klen, sandbox, klen_log, remote_id, run, fate, wanted, reads, sent):
    sandbox.klen.switches = KlenSwitches(custom_context=fate)
    run(klen.update(remote_id, Patch(custom_fields=wanted)))
    assert klen_log.calls[0].startswith("GET") is reads
    assert klen_log.only_write == {"custom_context": sent}


def test_a_null_in_a_merge_removes_its_key(klen, klen_log, remote_id, run):
    run(klen.update(remote_id, Patch(custom_fields=merged_custom_fields(tier=None, seats=2))))
    assert klen_log.only_write == {"custom_context": {"seats": 2}}


@pytest.mark.parametrize(
    "switches", [KlenSwitches(), KlenSwitches(update_answer="empty"), KlenSwitches(update_status=204)]
)
def test_an_acknowledgement_or_nothing_at_all_is_an_applied_update(klen, sandbox, remote_id, run, switches):
    sandbox.klen.switches = switches
    updated = run(klen.update(remote_id, Patch(company="Harbour Ltd")))
    assert (updated.action, updated.record.key, updated.record.known) == (
        WriteAction.UPDATED,
        RecordKey(Provider.KLEN, remote_id),
        frozenset(),
    )


@pytest.mark.parametrize("body", [b"<html></html>", b'{"message": ', b"[]", b'"done"', b"null"])
def test_an_update_answered_by_anything_but_an_object_is_unreadable(run, body):
    with pytest.raises(ReplyUnreadable) as failed:
        run(answered_by(Provider.KLEN, body).update("1", Patch(company="Harbour Ltd")))
    assert failed.value.outcome == "UNKNOWN"


def test_the_documented_update_is_sent_by_patch_with_what_it_leaves_open(run):
    """The documented example leaves type and primary out; they are always sent (ambiguities 8, 13)."""
    canned = answered_by(
        Provider.KLEN, documented(Provider.KLEN, "get_response"), documented(Provider.KLEN, "update_response")
    )
    patch = Patch(
        stage="qualified_lead",
        tags=tags("New", "Priority"),
        phones=(
            number("+353210000001", primary=True, do_not_call=True),
            number("+353210000002", PhoneType.WORK, position=1),
        ),
    )
    run(canned.update("9041", patch))
    call = canned._upstream.calls[-1]
    expected = json.loads(documented(Provider.KLEN, "update_request"))
    expected["phone_numbers"][0] |= {"phone_type": "mobile", "primary": True}
    expected["phone_numbers"][1] |= {"primary": False}
    assert (call.method, call.path, call.body) == ("PATCH", "/contacts/9041/update", expected)


@pytest.mark.parametrize("shape", ["null", "absent", "blank"])
def test_an_empty_field_may_be_null_left_out_or_blank(klen, sandbox, stored, remote_id, run, shape):
    sandbox.klen.switches = KlenSwitches(empty_fields=shape)
    stored.last_name = stored.email = stored.company = stored.website = None
    stored.address = stored.city = stored.country = None
    record = run(klen.read(remote_id))
    assert (record.name, record.last_name, record.emails, record.company, record.website, record.addresses) == (
        "Ines",
        None,
        (),
        None,
        None,
        (),
    )


def test_a_word_for_the_status_that_is_unknown_to_us_is_shown_untranslated(klen, stored, remote_id, run):
    stored.status = "on_hold"
    record = run(klen.read(remote_id))
    assert (record.status, record.provider_status) == (None, "on_hold")


def test_unset_is_nothing(klen):
    assert klen.plan_update(Patch(company=UNSET)).body == {}
