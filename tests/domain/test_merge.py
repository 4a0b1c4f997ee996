"""Several records become one contact: precedence, union, and a null that is honest."""

from datetime import datetime, timezone
from itertools import product
from typing import Any

import pytest

from gateway.domain.contact import Address, ContactStatus, Email, Field, Phone, PhoneType, Provider, Record, RecordKey
from gateway.domain.errors import ProviderBroken, ProviderFailure, RateLimited
from gateway.domain.merge import UNITED_ALONE, Answer, of_one, unified

NOW = datetime(2031, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
GATELY, KLEN, COMETLY = (RecordKey(provider, "1") for provider in (Provider.GATELY, Provider.KLEN, Provider.COMETLY))
BROKEN = ProviderBroken(Provider.KLEN, "Klen AI failed.")


def record(key: RecordKey = GATELY, **values: Any) -> Record:
    return Record(key=key, known=frozenset(Field), fetched_at=NOW, **values)


def said(key: RecordKey = GATELY, **values: Any) -> Answer:
    return Answer(key=key, record=record(key, **values))


def failed(failure: ProviderFailure = BROKEN, key: RecordKey = KLEN) -> Answer:
    return Answer(key=key, failure=failure)


def gone(key: RecordKey = COMETLY) -> Answer:
    return Answer(key=key)


def email(address: str, *, primary: bool = False) -> Email:
    return Email(address=address, normalized=address.lower(), primary=primary)


def phone(number: str, *, e164: str | None = None, primary: bool = False) -> Phone:
    return Phone(number=number, e164=e164, type=PhoneType.OTHER, primary=primary)


# Single values


def test_a_single_value_is_the_first_one_in_order_of_precedence() -> None:
    answers = [said(GATELY), said(KLEN, company="Harbour Ltd"), said(COMETLY, company="Northwind Oy")]
    assert unified(Field.COMPANY, answers) == "Harbour Ltd"


@pytest.mark.parametrize("falsy", [False, ""])
def test_a_falsy_value_is_a_value(falsy: object) -> None:
    assert unified(Field.UNSUBSCRIBED, [said(unsubscribed=falsy), said(KLEN, unsubscribed=True)]) is falsy


def test_a_value_that_was_found_hides_a_failure() -> None:
    assert unified(Field.STATUS, [failed(), said(COMETLY, status=ContactStatus.NEW)]) is ContactStatus.NEW


# Honest null


@pytest.mark.parametrize("field", [Field.NAME, Field.EMAILS, Field.TAGS, Field.CUSTOM_FIELDS])
def test_nothing_from_anybody_is_null(field: Field) -> None:
    assert unified(field, [gone(GATELY), gone(KLEN)]) is None
    assert unified(field, []) is None


@pytest.mark.parametrize(
    ("field", "empty"),
    [(Field.NAME, None), (Field.EMAILS, ()), (Field.PHONES, ()), (Field.TAGS, ()), (Field.CUSTOM_FIELDS, {})],
)
def test_nothing_found_while_a_provider_failed_is_its_failure(field: Field, empty: Any) -> None:
    with pytest.raises(ProviderBroken) as raised:
        unified(field, [said(GATELY, **{field.attribute: empty}), failed(), gone()])
    assert raised.value is BROKEN


@pytest.mark.parametrize(("field", "empty"), [(Field.EMAILS, ()), (Field.TAGS, ()), (Field.CUSTOM_FIELDS, {})])
def test_nothing_found_while_everybody_answered_is_empty(field: Field, empty: Any) -> None:
    assert unified(field, [said(GATELY, **{field.attribute: empty}), gone()]) == empty


def test_the_first_of_several_failures_is_raised() -> None:
    first = RateLimited(Provider.GATELY, "Wait.")
    with pytest.raises(RateLimited) as raised:
        unified(Field.NAME, [failed(first, GATELY), failed()])
    assert raised.value is first


def test_a_list_that_is_not_empty_hides_a_failure() -> None:
    assert unified(Field.TAGS, [failed(), said(COMETLY, tags=("VIP",))]) == ("VIP",)


# Lists


def test_emails_are_united_without_regard_to_case_and_the_first_spelling_stays() -> None:
    answers = [
        said(GATELY, emails=(email("Ines@Aalto.test", primary=True),)),
        said(KLEN, emails=(email("ines@aalto.test", primary=True), email("i@x.test"))),
    ]
    assert unified(Field.EMAILS, answers) == (email("Ines@Aalto.test", primary=True), email("i@x.test"))


def test_the_primary_is_that_of_the_first_record_that_has_one() -> None:
    answers = [
        said(COMETLY, emails=(email("a@x.test"), email("b@x.test"))),
        said(GATELY, emails=(email("b@x.test", primary=True),)),
        said(KLEN, emails=(email("c@x.test", primary=True),)),
    ]
    assert unified(Field.EMAILS, answers) == (email("a@x.test"), email("b@x.test", primary=True), email("c@x.test"))


def test_no_primary_anywhere_leaves_none() -> None:
    assert unified(Field.EMAILS, [said(COMETLY, emails=(email("a@x.test"),))]) == (email("a@x.test"),)


def test_phones_are_united_by_e164_and_else_by_their_digits() -> None:
    answers = [
        said(GATELY, phones=(phone("+358 40 000 0001", e164="+358400000001"), phone("040 12-3"))),
        said(KLEN, phones=(phone("+358400000001", e164="+358400000001", primary=True), phone("04012 3"))),
    ]
    assert unified(Field.PHONES, answers) == (
        phone("+358 40 000 0001", e164="+358400000001", primary=True),
        phone("040 12-3"),
    )


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        (None, True, True),
        (True, None, True),
        (False, True, True),
        (None, False, False),
        (None, None, None),
    ],
)
def test_a_mark_against_calling_counts_whoever_holds_it(
    first: bool | None, second: bool | None, shown: bool | None
) -> None:
    """Consent is never lost by a merge (docs/providers/README.md, trap 12)."""
    answers = [
        said(key, phones=(Phone(number="1", e164=None, type=PhoneType.OTHER, do_not_call=mark),))
        for key, mark in ((GATELY, first), (KLEN, second))
    ]
    (united,) = unified(Field.PHONES, answers)
    assert united.do_not_call is shown


def test_addresses_are_united_by_their_line() -> None:
    one = Address(city="Turku", country="FI", formatted="Turku, FI", primary=True)
    other = Address(formatted="turku,  fi")
    assert unified(Field.ADDRESSES, [said(GATELY, addresses=(one,)), said(COMETLY, addresses=(other,))]) == (one,)


def test_a_country_that_may_be_a_default_makes_no_second_address() -> None:
    """docs/providers/README.md, trap 5: Klen AI's "US" is not knowledge."""
    parts = {"street": "1 High Street", "city": "Berlin"}
    known = Address(**parts, formatted="1 High Street, Berlin", primary=True)
    made_up = Address(
        **parts, country="US", formatted="1 High Street, Berlin, US", primary=True, country_may_be_default=True
    )
    elsewhere = Address(city="Turku", country="US", formatted="Turku, US", country_may_be_default=True)
    in_germany = Address(**parts, country="DE", formatted="1 High Street, Berlin, DE", primary=True)

    for first, other in ((known, made_up), (made_up, known)):
        answers = [said(GATELY, addresses=(first,)), said(KLEN, addresses=(other,))]
        assert unified(Field.ADDRESSES, answers) == (known,)
    assert unified(Field.ADDRESSES, [said(KLEN, addresses=(made_up,)), said(addresses=(in_germany,))]) == (in_germany,)
    assert unified(Field.ADDRESSES, [said(addresses=(known,)), said(KLEN, addresses=(elsewhere,))]) == (
        known,
        elsewhere,
    )


def test_tags_are_united_without_regard_to_case_and_the_first_spelling_stays() -> None:
    answers = [said(GATELY, tags=("VIP", "Beta")), said(KLEN, tags=("vip", "New"))]
    assert unified(Field.TAGS, answers) == ("VIP", "Beta", "New")


def test_what_one_record_holds_twice_stands_once() -> None:
    """Also where it is the only record, and nobody else adds anything."""
    twice = said(
        emails=(email("ines@aalto.test"), email("INES@aalto.test", primary=True), email("i@work.test")),
        phones=(phone("+358 40 1", e164="+358401"), phone("+358401", e164="+358401")),
        addresses=(Address(formatted="Aleksanterinkatu 1"), Address(formatted="ALEKSANTERINKATU 1")),
        tags=("VIP", "vip", "fair"),
    )

    assert unified(Field.EMAILS, [twice]) == (email("ines@aalto.test", primary=True), email("i@work.test"))
    assert unified(Field.PHONES, [twice]) == (phone("+358 40 1", e164="+358401"),)
    assert unified(Field.ADDRESSES, [twice]) == (Address(formatted="Aleksanterinkatu 1"),)
    assert unified(Field.TAGS, [twice]) == ("VIP", "fair")


@pytest.mark.parametrize("others", [("b@aalto.test",), ("b@aalto.test", "c@aalto.test")])
def test_of_the_values_of_one_record_one_is_primary(others: tuple[str, ...]) -> None:
    every = said(emails=tuple(email(address, primary=True) for address in ("a@aalto.test", *others)))
    assert unified(Field.EMAILS, [every]) == (email("a@aalto.test", primary=True), *map(email, others))


def test_the_object_of_one_record_keeps_its_nulls() -> None:
    assert unified(Field.CUSTOM_FIELDS, [said(custom_fields={"tier": None, "seats": 12})]) == {
        "tier": None,
        "seats": 12,
    }


def test_custom_fields_are_merged_by_key_and_a_null_leaves_room() -> None:
    answers = [
        said(GATELY, custom_fields={"tier": "gold", "seats": None}),
        said(KLEN, custom_fields={"tier": "silver", "seats": 12, "vip": False}),
    ]
    assert unified(Field.CUSTOM_FIELDS, answers) == {"tier": "gold", "seats": 12, "vip": False}


# What a summary tells a record about its primaries


def test_a_record_learns_its_primaries_from_a_summary() -> None:
    details = record(
        COMETLY,
        name="A. Winter",
        emails=(email("new@x.test", primary=True), email("old@x.test")),
        phones=(phone("+358 40 000 0001", e164="+358400000001"),),
        addresses=(Address(formatted="Turku, FI"),),
    )
    summary = record(
        COMETLY,
        primaries={
            Field.NAME: "Ada Winter",
            Field.EMAILS: "old@x.test",
            Field.PHONES: "+358400000001",
            Field.ADDRESSES: "turku, fi",
        },
    )
    assert details.informed_by(summary) == record(
        COMETLY,
        name="Ada Winter",
        emails=(email("new@x.test"), email("old@x.test", primary=True)),
        phones=(phone("+358 40 000 0001", e164="+358400000001", primary=True),),
        addresses=(Address(formatted="Turku, FI", primary=True),),
    )


def test_a_summary_without_primaries_changes_nothing() -> None:
    details = record(COMETLY, emails=(email("a@x.test", primary=True),))
    assert details.informed_by(record(COMETLY)) is details
    assert details.informed_by(None) is details


def test_an_answer_that_holds_neither_record_nor_failure_is_gone() -> None:
    assert (gone().gone, failed().gone, said().gone) == (True, False, False)


def test_a_record_has_an_email_whatever_its_case() -> None:
    held = record(emails=(email("Ines@Aalto.test"),))
    assert held.has_email(" INES@aalto.test")
    assert not held.has_email("nes@aalto.test")
    assert not record().has_email("ines@aalto.test")


# One record alone

PRIMARY = (False, True)
NUMBERS = [
    phone(text, e164=text.replace(" ", "") if text.startswith("+") else None, primary=primary)
    for text in ("+358 40 1", "+358401", "+358402", "040 1", "040-1", "none")
    for primary in PRIMARY
]
EMAILS = [
    email(text, primary=primary) for text in ("a@aalto.test", "A@aalto.test", "b@aalto.test") for primary in PRIMARY
]


@pytest.mark.parametrize(("field", "items"), [(Field.PHONES, NUMBERS), (Field.EMAILS, EMAILS)])
@pytest.mark.parametrize("count", range(4))
def test_what_is_surely_united_is_told_as_the_record_lists_it(field: Field, items: list[Any], count: int) -> None:
    for listed in product(items, repeat=count):
        assert not UNITED_ALONE[field](listed) or of_one(field, listed) == listed


@pytest.mark.parametrize("second", ["+358402", "040 2"])
def test_two_numbers_of_which_one_is_primary_surely_are(second: str) -> None:
    one = phone("+358401", e164="+358401", primary=True)
    other = phone(second, e164=second if second.startswith("+") else None)
    assert UNITED_ALONE[Field.PHONES]((one, other))
