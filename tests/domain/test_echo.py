"""A record that was read back is held against the write: generous about form, strict about loss."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from gateway.domain.changes import Changes, Draft, Patch, WantedCustomFields, WantedTags
from gateway.domain.compare import email_key
from gateway.domain.contact import (
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
from gateway.domain.echo import MOST_SHOWN, missing, not_stored_warnings
from gateway.domain.normalise import e164
from gateway.domain.writes import WarningCode, WriteWarning, coerced, derived, dropped
from tests.domain.wanted import address, custom_fields, emails, merged_custom_fields, phone, phones, tags

NOW = datetime(2031, 3, 4, 5, 6, 7, tzinfo=UTC)
NEVER_SHOWN = frozenset({Field.KLEN_TEAM_ID, Field.KLEN_INDUSTRY_CONTEXT})
SHOWN = frozenset(Field) - NEVER_SHOWN - {Field.KLEN_STATUS}


def read_back(*, known: frozenset[Field] = SHOWN, **values: Any) -> Record:
    return Record(key=RecordKey(Provider.KLEN, "1"), known=known, fetched_at=NOW, **values)


def email(text: str) -> Email:
    return Email(address=text, normalized=email_key(text))


def number(text: str, type_: PhoneType = PhoneType.OTHER, *, do_not_call: bool | None = None) -> Phone:
    return Phone(number=text, e164=e164(text), type=type_, do_not_call=do_not_call)


def place(formatted: str, **parts: Any) -> Address:
    return Address(formatted=formatted, **parts)


# Single values


TEXT_FIELDS = (Field.COMPANY, Field.STAGE, Field.NOTES, Field.EXTERNAL_ID, Field.WEBSITE, Field.FIRST_NAME)


@pytest.mark.parametrize("field", TEXT_FIELDS)
@pytest.mark.parametrize(
    ("stored", "lost"),
    [
        ("Northwind Oy", False),
        (" Northwind  Oy ", False),
        ("NORTHWIND oy", False),
        ("Northwind", True),
        ("Northwind Oy Ltd", True),
        ("", True),
        (None, True),
    ],
)
def test_a_text_is_held_whatever_its_case_and_white_space(field, stored, lost):
    record = read_back(**{field.attribute: stored})
    assert missing(Draft(**{field.attribute: "Northwind Oy"}), record) == ((field,) if lost else ())


@pytest.mark.parametrize(
    ("stored", "lost"),
    [
        ("https://northwind.example/", False),
        ("northwind.example", False),
        ("http://Northwind.example", False),
        ("https://northwind.example/shop", True),
        ("https://harbour.example", True),
        (None, True),
    ],
)
def test_a_website_is_held_whatever_its_scheme_and_last_slash(stored, lost):
    changes = Draft(website="https://northwind.example")
    assert missing(changes, read_back(website=stored)) == ((Field.WEBSITE,) if lost else ())


STATUS_CASES = [
    (ContactStatus.ACTIVE, "active", False),
    (ContactStatus.ACTIVE, "contacted", False),
    (ContactStatus.NEW, "not_contacted", True),
    (None, "on_hold", False),
    (None, None, True),
]


@pytest.mark.parametrize(("stored", "word", "lost"), STATUS_CASES)
def test_a_status_is_compared_by_its_meaning_and_a_word_without_one_denies_nothing(stored, word, lost):
    record = read_back(status=stored, provider_status=word)
    assert missing(Draft(status=ContactStatus.ACTIVE), record) == ((Field.STATUS,) if lost else ())


@pytest.mark.parametrize(("word", "lost"), [("contacted", False), ("Contacted", False), ("active", True), (None, True)])
def test_the_exact_word_of_klen_is_compared_with_the_word_that_is_read(word, lost):
    record = read_back(status=ContactStatus.ACTIVE, provider_status=word)
    assert missing(Patch(klen_status="contacted"), record) == ((Field.KLEN_STATUS,) if lost else ())


def test_the_exact_word_of_klen_outranks_the_unified_status():
    record = read_back(status=ContactStatus.ACTIVE, provider_status="contacted")
    assert missing(Draft(status=ContactStatus.NEW, klen_status="contacted"), record) == ()


def test_the_exact_word_of_klen_is_judged_where_the_status_is_known():
    changes = Patch(klen_status="contacted", status=ContactStatus.NEW)
    assert missing(changes, read_back(provider_status="active")) == (Field.KLEN_STATUS,)
    assert missing(changes, read_back(known=SHOWN - {Field.STATUS}, provider_status="active")) == ()


def test_what_no_record_shows_of_klen_is_never_missing():
    assert missing(Patch(klen_team_id=7, klen_industry_context={"sector": "rail"}), read_back()) == ()


@pytest.mark.parametrize(
    ("wanted", "stored", "lost"),
    [
        (True, True, False),
        (True, False, True),
        (True, None, True),
        (False, None, False),
        (False, False, False),
        (False, True, True),
        (None, None, False),
        (None, False, False),
        (None, True, True),
    ],
)
def test_unsubscribed_that_is_not_shown_is_not_unsubscribed(wanted, stored, lost):
    record = read_back(unsubscribed=stored)
    assert missing(Patch(unsubscribed=wanted), record) == ((Field.UNSUBSCRIBED,) if lost else ())


# Names


@pytest.mark.parametrize(
    ("wanted", "stored", "lost"),
    [
        ({"name": "Ines Aalto"}, {"name": "Ines  Aalto"}, ()),
        ({"name": "Ines Aalto"}, {"first_name": "Ines", "last_name": "Aalto"}, ()),
        ({"name": "Ines Aalto"}, {"name": "Aalto, Ines", "first_name": "Ines", "last_name": "Aalto"}, ()),
        ({"name": "Ines Aalto"}, {"name": "Ines", "first_name": "Ines"}, (Field.NAME,)),
        ({"name": "Ines Aalto"}, {}, (Field.NAME,)),
        ({"first_name": "Ines"}, {"first_name": "Ines", "last_name": "Aalto"}, ()),
        ({"first_name": "Ines"}, {"name": "Ines Aalto", "last_name": "Aalto"}, (Field.FIRST_NAME,)),
        (
            {"first_name": "Ana Maria", "last_name": "Silva"},
            {"first_name": "Ana", "last_name": "Maria Silva"},
            (),
        ),
        (
            {"first_name": "Ana Maria", "last_name": "Silva"},
            {"first_name": "Ana", "last_name": "Silva"},
            (Field.FIRST_NAME,),
        ),
        (
            {"first_name": "Ines", "last_name": None},
            {"last_name": "Ines"},
            (Field.FIRST_NAME, Field.LAST_NAME),
        ),
        ({"last_name": None}, {"first_name": "Ines"}, ()),
        ({"last_name": None}, {"first_name": "Ines", "last_name": "Aalto"}, (Field.LAST_NAME,)),
        ({"name": None}, {}, ()),
        ({"name": None}, {"name": "Ines"}, (Field.NAME,)),
        ({"name": None, "first_name": "Ines", "last_name": None}, {"name": "Ines", "first_name": "Ines"}, ()),
    ],
)
def test_a_name_is_held_whole_or_in_parts(wanted, stored, lost):
    assert missing(Patch(**wanted), read_back(**stored)) == lost


def test_an_older_name_that_cometly_shows_after_an_update_does_not_deny_the_new_one():
    def lost(changes: Changes, **stored: Any) -> tuple[Field, ...]:
        return missing(changes, read_back(known=frozenset({Field.NAME}), **stored))

    assert lost(Patch(name="Ines Aalto"), name="I. Aalto") == ()
    assert lost(Patch(name="Ines Aalto")) == (Field.NAME,)
    assert lost(Draft(name="Ines Aalto"), name="I. Aalto") == (Field.NAME,)
    assert lost(Patch(name=None), name="I. Aalto") == (Field.NAME,)
    assert lost(Patch(name=None, first_name="Ines"), name="I. Aalto") == (Field.NAME,)
    assert missing(Patch(name="Ines Aalto"), read_back(name="I. Aalto")) == (Field.NAME,)


# Lists


@pytest.mark.parametrize("kind", [Draft, Patch])
@pytest.mark.parametrize(
    ("stored", "lost"),
    [
        (("INES@aalto.test", "i@aalto.test"), False),
        (("i@aalto.test", "ines@aalto.test"), False),
        (("ines@aalto.test",), True),
        (("ines@aalto.test", "i@aalto.test", "old@aalto.test"), True),
        (("ines@aalto.test", "old@aalto.test"), True),
        ((), True),
    ],
)
def test_emails_are_a_set_that_was_replaced_whole(kind, stored, lost):
    changes = kind(emails=emails("Ines@Aalto.test", "i@aalto.test", primary=0))
    record = read_back(emails=tuple(email(text) for text in stored))
    assert missing(changes, record) == ((Field.EMAILS,) if lost else ())


@pytest.mark.parametrize(
    ("wanted", "stored", "lost"),
    [
        (phone("+358 40 000 0001", e164="+358400000001"), number("+358400000001"), False),
        (phone("+358 40 000 0001", e164="+358400000001"), number("+358-40-0000001"), False),
        (phone("+358 40 000 0001", e164="+358400000001"), number("358400000001"), False),
        (phone("+358 40 000 0001", e164="+358400000001"), number("+358400000002"), True),
        (phone("040 000 0001"), number("040-0000001"), False),
        (phone("040 000 0001"), number("040 000"), True),
        (phone("+358400000001", PhoneType.MOBILE, e164="+358400000001"), number("+358400000001"), False),
        (
            phone("+358400000001", PhoneType.WORK, e164="+358400000001"),
            number("+358400000001", PhoneType.MOBILE),
            True,
        ),
        (
            phone("+358400000001", PhoneType.OTHER, e164="+358400000001"),
            number("+358400000001", PhoneType.MOBILE),
            True,
        ),
        (
            phone("+358400000001", e164="+358400000001"),
            number("+358400000001", PhoneType.WORK, do_not_call=True),
            False,
        ),
        (phone("+358400000001", do_not_call=True, e164="+358400000001"), number("+358400000001"), False),
        (
            phone("+358400000001", do_not_call=True, e164="+358400000001"),
            number("+358400000001", do_not_call=True),
            False,
        ),
        (
            phone("+358400000001", do_not_call=True, e164="+358400000001"),
            number("+358400000001", do_not_call=False),
            True,
        ),
        (
            phone("+358400000001", do_not_call=False, e164="+358400000001"),
            number("+358400000001", do_not_call=True),
            True,
        ),
    ],
)
def test_a_number_is_held_in_any_writing_with_the_type_and_the_mark_that_were_named(wanted, stored, lost):
    assert missing(Draft(phones=(wanted,)), read_back(phones=(stored,))) == ((Field.PHONES,) if lost else ())


def test_a_number_that_was_left_out_of_the_new_list_and_stays_is_told():
    stored = (number("+358400000001"), number("+358400000002"))
    assert missing(Patch(phones=phones("+358400000001")), read_back(phones=stored)) == (Field.PHONES,)


@pytest.mark.parametrize("shown", [MOST_SHOWN - 1, MOST_SHOWN, MOST_SHOWN + 5])
def test_a_list_that_may_be_shown_in_part_does_not_prove_that_an_item_is_missing(shown):
    texts = [f"ines{n}@aalto.test" for n in range(40)]
    record = read_back(emails=tuple(email(text) for text in texts[-shown:]))
    assert missing(Patch(emails=emails(*texts)), record) == (() if shown >= MOST_SHOWN else (Field.EMAILS,))


def test_a_list_shown_in_part_still_proves_what_was_not_removed():
    stored = tuple(email(f"ines{n}@aalto.test") for n in range(MOST_SHOWN))
    assert missing(Patch(emails=emails("ines0@aalto.test")), read_back(emails=stored)) == (Field.EMAILS,)


QUAY = address(street="5 Quay Road", city="Cork", postal_code="T12", country="IE")
QUAY_PARTS = {"street": "5 Quay Road", "city": "Cork", "postal_code": "T12", "country": "IE"}


@pytest.mark.parametrize(
    ("wanted", "stored", "lost"),
    [
        (QUAY, place("5 Quay Road, Cork, T12, IE", **QUAY_PARTS), False),
        (QUAY, place("5 QUAY road, Cork, T12, IE"), False),
        (QUAY, place("5 Quay Road, T12 Cork, IE"), False),
        (QUAY, place("5 quay road, Cork, T12, ie", **{**QUAY_PARTS, "street": "5 quay road", "country": "ie"}), False),
        (QUAY, place("5 Quay Road, T12 Cork, IE", street="5 Quay Road, T12", city="Cork", country="IE"), True),
        (QUAY, place("T12, 5 Quay Road, Cork, IE", street2="T12", street="5 Quay Road", city="Cork"), False),
        (QUAY, place("5 Quay Road, Cork, CO, T12, IE", **QUAY_PARTS, state="CO"), False),
        (QUAY, place("5 Quay Road, Cork, IE", **{**QUAY_PARTS, "postal_code": None}), True),
        (QUAY, place("5 Quay Road, Turku, T12, IE", **{**QUAY_PARTS, "city": "Turku"}), True),
        (QUAY, place("5 Quay Road, Cork, T12"), True),
        (address(street="Vienna Road", country="IE"), place("Vienna Road", street="Vienna Road"), True),
        (
            address(street="5 Quay Road", street2="Flat 2"),
            place("5 Quay Road, Flat 2, US", street="5 Quay Road, Flat 2", country="US", country_may_be_default=True),
            False,
        ),
        (
            address(street="5 Quay Road", street2="Flat 2"),
            place("5 Quay Road, Flat 2, US", street="5 Quay Road, Flat 2", country="US"),
            True,
        ),
        (
            address(street="5 Quay Road", country="IE"),
            place("5 Quay Road, US", street="5 Quay Road", country="US", country_may_be_default=True),
            True,
        ),
        (address(formatted="5 Quay Road, Cork"), place("5 Quay Road, Cork", street="5 Quay Road", city="Cork"), False),
        (address(formatted="5 Quay Road, Cork"), place("5 Quay Road, Cork", street="5 Quay Road, Cork"), False),
        (
            address(formatted="5 Quay Road"),
            place("5 Quay Road, US", street="5 Quay Road", country="US", country_may_be_default=True),
            False,
        ),
        (address(formatted="5 Quay Road, Cork"), place("5 Quay Road", street="5 Quay Road"), True),
        (
            address(street="5 Quay Road", country="IE", formatted="5 Quay Road"),
            place("5 Quay Road, US", street="5 Quay Road", country="US", country_may_be_default=True),
            True,
        ),
        (
            address(street="5 Quay Road", street2="Flat 2", formatted="Head office, Cork"),
            place("5 Quay Road, Flat 2", street="5 Quay Road, Flat 2"),
            False,
        ),
        (address(street="5 Quay Road", formatted="Head office, Cork"), place("Head office, Cork"), False),
        (
            address(street="5 Quay Road", formatted="Head office, Cork"),
            place("5 Quay Road", street="5 Quay Road"),
            False,
        ),
    ],
)
def test_an_address_is_held_by_its_line_or_by_its_parts(wanted, stored, lost):
    assert missing(Draft(addresses=(wanted,)), read_back(addresses=(stored,))) == ((Field.ADDRESSES,) if lost else ())


def test_every_address_has_to_be_there_and_no_other():
    cork, turku = place("Cork", city="Cork"), place("Turku", city="Turku")
    both = Patch(addresses=(address(city="Cork"), address(city="Turku", position=1)))
    assert missing(both, read_back(addresses=(turku, cork))) == ()
    assert missing(both, read_back(addresses=(turku,))) == (Field.ADDRESSES,)
    assert missing(Patch(addresses=(address(city="Cork"),)), read_back(addresses=(turku, cork))) == (Field.ADDRESSES,)


def test_an_address_of_a_country_alone_may_read_as_none():
    assert missing(Draft(addresses=(address(country="US"),)), read_back(addresses=())) == ()
    assert missing(Draft(addresses=(address(city="Cork", country="US"),)), read_back(addresses=())) == (
        Field.ADDRESSES,
    )


@pytest.mark.parametrize(
    ("wanted", "stored", "lost"),
    [
        (tags("VIP", "Beta"), ("beta", "vip"), False),
        (tags("VIP", "Beta"), ("VIP",), True),
        (tags("VIP"), ("VIP", "Old"), True),
        (WantedTags(add=("VIP",)), ("Old", "vip"), False),
        (WantedTags(add=("VIP",)), ("Old",), True),
        (WantedTags(add=("VIP",)), None, True),
        (WantedTags(remove=("Old",)), ("VIP",), False),
        (WantedTags(remove=("Old",)), ("VIP", "old"), True),
        (WantedTags(add=("old",), remove=("Old",)), ("old",), False),
    ],
)
def test_tags_are_there_or_gone_whatever_their_case(wanted, stored, lost):
    assert missing(Patch(tags=wanted), read_back(tags=stored)) == ((Field.TAGS,) if lost else ())


@pytest.mark.parametrize(
    ("wanted", "stored", "lost"),
    [
        (custom_fields(tier="gold", old=None), {"tier": "gold"}, False),
        (custom_fields(tier="gold"), {"tier": "gold", "old": None}, False),
        (custom_fields(tier="gold"), {"tier": "gold", "old": 1}, True),
        (custom_fields(tier="gold"), {"tier": "silver"}, True),
        (custom_fields(tier="gold"), {}, True),
        (custom_fields(tier="gold"), None, True),
        (custom_fields(tier="", list=[], object={"inner": None}), {}, False),
        (custom_fields(tier=""), {"tier": "gold"}, True),
        (merged_custom_fields(tier="gold"), {"tier": "gold", "old": 1}, False),
        (merged_custom_fields(tier="gold"), {"old": 1}, True),
        (merged_custom_fields(old=None), {"tier": "gold"}, False),
        (merged_custom_fields(old=None), {"old": 0}, True),
        (merged_custom_fields(old=None), {"old": False}, True),
        (custom_fields(a={"b": [1, {"c": "d"}]}), {"a": {"b": [1.0, {"c": "d"}], "e": None}}, False),
        (custom_fields(a={"b": [1, {"c": "d"}]}), {"a": {"b": [1, {"c": "e"}]}}, True),
        (custom_fields(a=["x", "y"]), {"a": ["y", "x"]}, True),
        (custom_fields(a=["x", "y"]), {"a": ["x"]}, True),
        (custom_fields(a=["x", "y"]), {"a": "xy"}, True),
        (custom_fields(a=[None]), {"a": [None]}, False),
        (custom_fields(a=[None]), {"a": [1]}, True),
        (custom_fields(a=["x"]), {"a": {"0": "x"}}, True),
    ],
)
def test_custom_fields_are_equal_as_json_without_what_is_empty(wanted, stored, lost):
    changes = Patch(custom_fields=wanted)
    assert missing(changes, read_back(custom_fields=stored)) == ((Field.CUSTOM_FIELDS,) if lost else ())


@pytest.mark.parametrize(
    ("wanted", "stored", "lost"),
    [
        (12, 12.0, False),
        (12, "12", False),
        (12, "12.00", False),
        ("12", 12, False),
        (0.1, "0.1", False),
        (0.1, "0.10", False),
        (2**53 + 1, float(2**53), False),
        (10**400, 10**400, False),
        (12, 13, True),
        (12, "twelve", True),
        (12, "nan", True),
        (12, "snan", True),
        (12, [12], True),
        (0, None, True),
        (0, "", True),
        ("12", "12.0", True),
        (True, 1, True),
        (1, True, True),
        (0, False, True),
        (True, "true", True),
        (True, True, False),
        (False, False, False),
        (False, None, True),
    ],
)
def test_numbers_are_equal_by_value_and_booleans_are_none(wanted, stored, lost):
    changes = Draft(custom_fields=custom_fields(seats=wanted))
    assert missing(changes, read_back(custom_fields={"seats": stored})) == ((Field.CUSTOM_FIELDS,) if lost else ())


# Clearing


CLEARED: dict[Field, list[Any]] = {
    Field.COMPANY: [None, "", " "],
    Field.EMAILS: [None, ()],
    Field.TAGS: [None, ()],
    Field.CUSTOM_FIELDS: [None, {}, {"tier": None}],
    Field.STATUS: [None],
}
KEPT: dict[Field, Any] = {
    Field.COMPANY: "Northwind",
    Field.EMAILS: (email("ines@aalto.test"),),
    Field.TAGS: ("VIP",),
    Field.CUSTOM_FIELDS: {"tier": "gold"},
    Field.STATUS: ContactStatus.NEW,
}


@pytest.mark.parametrize("field", CLEARED)
def test_what_was_cleared_is_empty_and_not_anything_else(field):
    changes = Patch(**{field.attribute: None})
    assert {missing(changes, read_back(**{field.attribute: empty})) for empty in CLEARED[field]} == {()}
    assert missing(changes, read_back(**{field.attribute: KEPT[field]})) == (field,)


# Warnings


def test_each_missing_field_is_one_warning_that_quotes_nothing():
    changes = Patch(company="Secret Oy", stage="lead", notes=None)
    record = read_back(company="Hidden Oy", stage="lead", notes="Hush")
    assert not_stored_warnings(changes, record, (), "Klen AI") == (
        WriteWarning(
            WarningCode.NOT_STORED,
            ("input", "company"),
            "Klen AI answers another value after the write than the one that was sent.",
        ),
        WriteWarning(
            WarningCode.NOT_STORED,
            ("input", "notes"),
            "Klen AI still holds a value that was to be cleared.",
        ),
    )


WARNED = [
    (dropped(Field.PHONES, "No.", 1, "doNotCall"), ["company", "name"]),
    (coerced(Field.PHONES, "So."), ["company", "name"]),
    (derived(Field.COMPANY, "So."), ["name", "phones"]),
    (dropped(Field.WEBSITE, "No."), ["company", "name", "phones"]),
]


@pytest.mark.parametrize(("warned", "left"), WARNED)
def test_what_was_warned_of_is_not_said_again(warned, left):
    changes = Draft(company="Northwind", name="Ines", phones=phones("+358400000001"))
    told = not_stored_warnings(changes, read_back(), iter((warned,)), "Gately")
    assert sorted(one.field[1] for one in told) == left


# Any write


LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co", "Zl", "Zp"])
TEXTS = st.text(LETTERS, min_size=1, max_size=12).map(str.strip).filter(bool)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
OBJECTS = st.dictionaries(TEXTS, JSON, min_size=1, max_size=4)
NUMBERS = ("+358400000001", "+353210000001", "+16175550100", "040 123")
WANTED: dict[Field, st.SearchStrategy[Any]] = {
    # Names that no parts join to: each of the three can be lost alone.
    Field.NAME: st.sampled_from(["Acme", "Beta Oy"]),
    Field.FIRST_NAME: st.sampled_from(["Ines", "Åsa", "Jean-Luc"]),
    Field.LAST_NAME: st.sampled_from(["Aalto", "O'Neil"]),
    Field.EMAILS: st.lists(st.sampled_from(["a@x.test", "B@x.test", "c@y.test"]), min_size=1, unique=True).map(
        lambda texts: emails(*texts, primary=0)
    ),
    Field.PHONES: st.lists(
        st.tuples(st.sampled_from(NUMBERS), st.none() | st.sampled_from(PhoneType), st.none() | st.booleans()),
        min_size=1,
        unique_by=lambda triple: triple[0],
    ).map(
        lambda triples: tuple(
            phone(text, type_, do_not_call=mark, position=n, e164=e164(text))
            for n, (text, type_, mark) in enumerate(triples)
        )
    ),
    Field.ADDRESSES: st.builds(
        address,
        street=st.none() | TEXTS,
        street2=st.none() | TEXTS,
        city=TEXTS,
        state=st.none() | TEXTS,
        postal_code=st.none() | TEXTS,
        country=st.none() | TEXTS,
    ).map(lambda one: (one,)),
    Field.STATUS: st.sampled_from(ContactStatus),
    Field.TAGS: st.lists(TEXTS, min_size=1, max_size=4).map(lambda names: tags(*names)),
    Field.CUSTOM_FIELDS: OBJECTS.map(lambda values: WantedCustomFields(values=values, merge=False)),
    Field.UNSUBSCRIBED: st.just(True),
    **dict.fromkeys((Field.COMPANY, Field.WEBSITE, Field.STAGE, Field.NOTES, Field.EXTERNAL_ID), TEXTS),
}


@st.composite
def writes(draw: st.DrawFn) -> Changes:
    """Any of the fields, and in an update any of them cleared."""
    kind = draw(st.sampled_from([Draft, Patch]))
    chosen = draw(st.sets(st.sampled_from(list(WANTED)), min_size=1))
    cleared = draw(st.sets(st.sampled_from(sorted(chosen)))) if kind is Patch else set()
    if Field.NAME in cleared:
        # A cleared whole name beside parts that stay is what is left of them.
        chosen -= {Field.FIRST_NAME, Field.LAST_NAME}
    values = {field: None if field in cleared else draw(WANTED[field]) for field in WANTED if field in chosen}
    return kind(**{field.attribute: value for field, value in values.items()})


def echoed(field: Field, wanted: Any) -> Any:
    """What a provider shows that stores everything as it came."""
    if wanted is None:
        return None
    match field:
        case Field.EMAILS:
            return tuple(email(one.address) for one in wanted)
        case Field.PHONES:
            return tuple(number(one.number, one.type or PhoneType.OTHER, do_not_call=one.do_not_call) for one in wanted)
        case Field.ADDRESSES:
            parts = ("street", "street2", "city", "state", "postal_code", "country")
            return tuple(place(one.one_line, **{part: getattr(one, part) for part in parts}) for one in wanted)
        case Field.TAGS:
            return wanted.whole
        case Field.CUSTOM_FIELDS:
            return wanted.applied_to({})
    return wanted


def other_than(field: Field, wanted: Any) -> list[Any]:
    """What it shows instead when it did not take the value."""
    if wanted is None:
        return [KEPT.get(field) or echoed(field, OTHERS[field])]
    if field is Field.STATUS:
        return [None, next(status for status in ContactStatus if status is not wanted)]
    if field is Field.UNSUBSCRIBED:
        return [None, False]
    another = echoed(field, OTHERS[field])
    # Custom fields that are all empty are not lost where none are shown.
    return [another] if field is Field.CUSTOM_FIELDS and is_empty(wanted.values) else [None, another]


def is_empty(value: Any) -> bool:
    """Nothing that a provider would have to keep."""
    if isinstance(value, dict):
        return all(is_empty(inner) for inner in value.values())
    return value is None or value == "" or value == []


OTHERS: dict[Field, Any] = {
    Field.EMAILS: emails("z@z.test"),
    Field.PHONES: (phone("+441632960000", PhoneType.WORK, e164="+441632960000"),),
    Field.ADDRESSES: (address(street="Some Other Street 77", city="Elsewhere Town"),),
    Field.TAGS: tags("quite another tag"),
    Field.CUSTOM_FIELDS: custom_fields(quite_another_key="and value"),
    Field.UNSUBSCRIBED: True,
    Field.STATUS: ContactStatus.ARCHIVED,
    **dict.fromkeys(
        (Field.NAME, Field.FIRST_NAME, Field.LAST_NAME, Field.COMPANY, Field.WEBSITE, Field.STAGE, Field.NOTES),
        "something that was never wanted",
    ),
    Field.EXTERNAL_ID: "something that was never wanted",
}


def echo_of(changes: Changes, *, known: frozenset[Field] = SHOWN) -> Record:
    values = {field.attribute: echoed(field, changes.value(field)) for field in changes.mentioned}
    return read_back(known=known, **values)


@given(writes())
def test_a_record_made_of_the_write_itself_misses_nothing(changes):
    assert missing(changes, echo_of(changes)) == ()
    assert not_stored_warnings(changes, echo_of(changes), (), "Klen AI") == ()


@given(writes(), st.data())
def test_a_field_that_alone_reads_back_otherwise_is_exactly_what_is_missing(changes, data):
    field = data.draw(st.sampled_from(changes.mentioned))
    shown = data.draw(st.sampled_from(other_than(field, changes.value(field))))
    record = structs.replace(echo_of(changes), **{field.attribute: shown})
    assert missing(changes, record) == (field,)


@given(writes(), st.sets(st.sampled_from(sorted(SHOWN))))
def test_an_unknown_field_is_never_missing(changes, known):
    assert set(missing(changes, read_back(known=frozenset(known)))) <= known
    assert missing(changes, read_back(known=frozenset())) == ()
