"""What callers send is checked all at once and brought into one form; doing it twice changes nothing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from gateway.domain.changes import Changes, Draft, Patch, WantedTags
from gateway.domain.contact import ContactStatus, Field, PhoneType
from gateway.domain.errors import InputProblem, InvalidInput
from gateway.domain.normalise import (
    LINE_FIELDS,
    MAX_JSON_DEPTH,
    MAX_LINE_CHARACTERS,
    e164,
    read_draft,
    read_patch,
)
from tests.domain.wanted import address, custom_fields, emails, merged_custom_fields, phone, phones, tags

BLANK = "must not be blank; send null to clear it, or leave it out"
CONTROL = "must not hold control characters"


def problems(**asked: Any) -> tuple[InputProblem, ...]:
    """Everything wrong with a change; a creation finds the same."""
    with pytest.raises(InvalidInput) as patched:
        read_patch(Changes(**asked))
    with pytest.raises(InvalidInput) as drafted:
        read_draft(Changes(**asked))
    assert patched.value.problems == drafted.value.problems
    return patched.value.problems


def problem(path: str, code: str, message: str) -> InputProblem:
    return InputProblem(path=("input", *path.split(".")), code=code, message=message)


# Absent, null, empty, value


def test_nothing_asked_for_is_nothing_to_do() -> None:
    assert read_patch(Changes()) == Patch()
    assert read_draft(Changes()) == Draft()


def test_null_clears_in_an_update_and_means_nothing_in_a_creation() -> None:
    asked = Changes(name=None, emails=None, tags=None, custom_fields=None, status=None, unsubscribed=None)
    assert read_patch(asked) == Patch(
        name=None, emails=None, tags=None, custom_fields=None, status=None, unsubscribed=None
    )
    assert read_draft(asked) == Draft()


@pytest.mark.parametrize(
    "empty",
    [
        {"emails": ()},
        {"phones": ()},
        {"addresses": ()},
        {"tags": tags()},
        {"custom_fields": custom_fields()},
        {"klen_industry_context": {}},
    ],
    ids=lambda empty: next(iter(empty)),
)
def test_an_empty_list_or_object_clears_like_null(empty: dict[str, Any]) -> None:
    assert read_patch(Changes(**empty)) == Patch(**dict.fromkeys(empty))


def test_merging_nothing_changes_nothing() -> None:
    assert read_patch(Changes(custom_fields=merged_custom_fields())) == Patch()
    assert read_patch(Changes(tags=WantedTags())) == Patch()


@pytest.mark.parametrize("field", LINE_FIELDS)
def test_a_line_of_text_is_trimmed(field: Field) -> None:
    asked = Changes(**{field.attribute: "  Ines Aalto\t"})
    assert read_patch(asked) == Patch(**{field.attribute: "Ines Aalto"})


def test_notes_keep_their_white_space() -> None:
    assert read_patch(Changes(notes=" first\n\tsecond \n")) == Patch(notes=" first\n\tsecond \n")


@pytest.mark.parametrize("field", [*LINE_FIELDS, Field.NOTES])
@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u3000"])
def test_a_blank_text_is_refused(field: Field, blank: str) -> None:
    assert problems(**{field.attribute: blank}) == (problem(field.value, "BLANK", BLANK),)


@pytest.mark.parametrize("field", [*LINE_FIELDS, Field.NOTES])
@pytest.mark.parametrize("sign", ["\0", "\x07", "\x1b"])
def test_control_characters_are_refused(field: Field, sign: str) -> None:
    assert problems(**{field.attribute: f"In{sign}es"}) == (problem(field.value, "CONTROL_CHARACTER", CONTROL),)


def test_a_line_has_a_longest_length_and_notes_have_none() -> None:
    longest = "x" * MAX_LINE_CHARACTERS
    assert read_patch(Changes(company=longest, notes=longest + "x")) == Patch(company=longest, notes=longest + "x")
    message = "must not be longer than 2,000 characters"
    assert problems(company=longest + "x") == (problem("company", "TOO_LONG", message),)


def test_every_problem_is_said_at_once_and_names_its_place() -> None:
    found = problems(
        name=" ",
        emails=emails("ines@aalto.test", "nobody"),
        klen_status="",
        addresses=(address(city="Turku"), address(postal_code=" ", position=1)),
    )
    assert found == (
        problem("name", "BLANK", BLANK),
        problem("emails.1.address", "INVALID_EMAIL", "is not an email address such as ines@aalto.test"),
        problem("addresses.1.postalCode", "BLANK", BLANK),
        problem("klen.status", "BLANK", BLANK),
    )


def test_the_text_of_invalid_input_names_every_place() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_patch(Changes(name="", stage=""))
    assert str(refused.value) == f"input.name: {BLANK}; input.stage: {BLANK}"


# Emails


@pytest.mark.parametrize(
    "text",
    [
        "ines@aalto.test",
        "INES@Aalto.Example",
        "a+b@sub.example",
        "o'neil@northwind.example",
        "ümlaut@exämple.example",
        "x@xn--exmple-cua.example",
    ],
)
def test_an_email_is_accepted_as_it_stands(text: str) -> None:
    assert read_patch(Changes(emails=emails(text))) == Patch(emails=emails(text, primary=0))


def test_white_space_around_an_email_is_taken_off() -> None:
    assert read_patch(Changes(emails=emails(" ines@aalto.test "))) == Patch(emails=emails("ines@aalto.test", primary=0))


@pytest.mark.parametrize(
    "text", ["", " ", "nobody", "@aalto.test", "ines@", "ines@aalto", "a b@aalto.test", "ines@aalto.test\n,x@y.test"]
)
def test_what_is_no_email_is_refused(text: str) -> None:
    message = "is not an email address such as ines@aalto.test"
    assert problems(emails=emails(text)) == (problem("emails.0.address", "INVALID_EMAIL", message),)


def test_an_email_that_differs_only_by_case_is_listed_twice() -> None:
    assert problems(emails=emails("ines@aalto.test", "INES@AALTO.TEST")) == (
        problem("emails.1.address", "LISTED_TWICE", "is listed twice"),
    )


# Primary


def test_no_item_marked_makes_the_first_primary() -> None:
    patch = read_patch(
        Changes(
            emails=emails("a@aalto.test", "b@aalto.test"),
            addresses=(address(city="Turku"), address(city="Cork", position=1)),
        )
    )
    assert patch == Patch(
        emails=emails("a@aalto.test", "b@aalto.test", primary=0),
        addresses=(address(city="Turku", primary=True), address(city="Cork", position=1)),
    )


def test_a_marked_item_stays_primary_wherever_it_stands() -> None:
    marked = emails("a@aalto.test", "b@aalto.test", primary=1)
    assert read_patch(Changes(emails=marked)) == Patch(emails=marked)


@pytest.mark.parametrize(
    ("field", "items"),
    [
        ("emails", tuple(replace(email, primary=True) for email in emails("a@aalto.test", "b@aalto.test"))),
        ("phones", tuple(replace(item, primary=True) for item in phones("+358400000001", "+358400000002"))),
        ("addresses", (address(city="A", primary=True), address(city="B", primary=True, position=1))),
    ],
)
def test_two_primaries_are_refused(field: str, items: Any) -> None:
    message = "must not mark more than one item as primary"
    assert problems(**{field: items}) == (problem(field, "SEVERAL_PRIMARIES", message),)


# Phones


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+358 40 000 0001", "+358400000001"),
        ("+1 (617) 555-0100", "+16175550100"),
        ("+44 (0)20 7946 0000", "+442079460000"),
        ("tel:+358400000001", "+358400000001"),
        ("0400 000001", None),
        ("12", None),
        ("+358 40 000 0001 ext. 5", None),
        ("+999 123", None),
        ("", None),
    ],
)
def test_a_number_is_told_in_e164_only_where_that_is_certain(number: str, expected: str | None) -> None:
    assert e164(number) == expected


def test_a_phone_keeps_its_text_beside_e164_and_what_was_left_out() -> None:
    assert read_patch(Changes(phones=(phone(" +358 40 000 0001 "), phone("040 1", PhoneType.WORK, position=1)))) == (
        Patch(
            phones=(
                phone("+358 40 000 0001", e164="+358400000001", primary=True),
                phone("040 1", PhoneType.WORK, position=1),
            )
        )
    )


def test_a_phone_without_a_digit_is_refused() -> None:
    message = "holds no digit; write it like +358 40 000 0001"
    assert problems(phones=phones("call me")) == (problem("phones.0.number", "INVALID_PHONE", message),)


def test_one_number_written_in_two_ways_is_listed_twice() -> None:
    assert problems(phones=phones("+358400000001", "+358 40 000 0001")) == (
        problem("phones.1.number", "LISTED_TWICE", "is listed twice"),
    )


@given(st.from_regex(r"\+?[0-9 ()./-]{1,25}", fullmatch=True))
def test_e164_of_e164_is_itself(number: str) -> None:
    told = e164(number)
    if told is not None:
        assert told[0] == "+"
        assert told[1:].isascii()
        assert told[1:].isdigit()
        assert e164(told) == told


# Addresses


def test_the_parts_of_an_address_are_trimmed() -> None:
    assert read_patch(Changes(addresses=(address(street=" 5 Quay Road ", country="IE"),))) == Patch(
        addresses=(address(street="5 Quay Road", country="IE", primary=True),)
    )


def test_an_address_without_a_part_is_refused() -> None:
    message = "needs at least one part, or formatted"
    assert problems(addresses=(address(),)) == (problem("addresses.0", "EMPTY", message),)


def test_one_address_as_parts_and_as_a_line_is_listed_twice() -> None:
    found = problems(addresses=(address(city="Turku", country="FI"), address(formatted="turku,  FI", position=1)))
    assert found == (problem("addresses.1.formatted", "LISTED_TWICE", "is listed twice"),)


# Tags


def test_tags_that_differ_only_by_case_or_spaces_count_once() -> None:
    asked = Changes(tags=tags(" VIP", "vip", "Fair  2031", "fair 2031"))
    assert read_patch(asked) == Patch(tags=tags("VIP", "Fair  2031"))


@pytest.mark.parametrize("below", ["add", "remove"])
def test_tags_to_add_and_to_remove_are_told_apart_in_problems(below: str) -> None:
    wanted = WantedTags(**{below: ("VIP", " ")}, below=(below,))
    assert problems(tags=wanted) == (problem(f"tags.{below}.1", "BLANK", BLANK),)


def test_a_blank_tag_is_named_by_its_position() -> None:
    assert problems(tags=tags("VIP", "")) == (problem("tags.1", "BLANK", BLANK),)


# Custom fields


def test_custom_fields_keep_their_values_whatever_they_are() -> None:
    values = {"tier": "gold", "seats": 12, "half": 0.5, "vip": True, "gone": None, "deep": {"list": [1, "two"]}}
    assert read_patch(Changes(custom_fields=merged_custom_fields(**values))) == Patch(
        custom_fields=merged_custom_fields(**values)
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_does_not_know_is_refused_at_its_place(value: float) -> None:
    assert problems(custom_fields=custom_fields(deep={"list": [1, value]})) == (
        problem("customFields.deep.list.1", "NOT_FINITE", "must be a finite number"),
    )


def nested(levels: int) -> Any:
    value: Any = "bottom"
    for _ in range(levels - 1):
        value = [value]
    return value


def test_custom_fields_nest_up_to_twelve_levels() -> None:
    assert read_patch(Changes(custom_fields=custom_fields(a=nested(MAX_JSON_DEPTH)))) == Patch(
        custom_fields=custom_fields(a=nested(MAX_JSON_DEPTH))
    )
    path = "customFields.a" + ".0" * MAX_JSON_DEPTH
    message = "must not nest deeper than 12 levels"
    assert problems(custom_fields=custom_fields(a=nested(MAX_JSON_DEPTH + 1))) == (problem(path, "TOO_DEEP", message),)


def test_a_null_sign_inside_custom_fields_is_refused() -> None:
    assert problems(custom_fields=custom_fields(a=["x\0y"])) == (
        problem("customFields.a.0", "CONTROL_CHARACTER", CONTROL),
    )


def test_a_problem_in_custom_fields_is_named_below_where_the_object_stands() -> None:
    wanted = replace(merged_custom_fields(a=["x\0y"]), below=("merge",))
    assert problems(custom_fields=wanted) == (problem("customFields.merge.a.0", "CONTROL_CHARACTER", CONTROL),)


def test_a_blank_key_is_refused() -> None:
    assert problems(custom_fields=custom_fields(**{" ": 1})) == (
        problem("customFields", "BLANK", "must not have a blank key"),
    )


@pytest.mark.parametrize("value", ["text", 1, [], ["tier"], True])
def test_custom_fields_have_to_be_an_object(value: Any) -> None:
    found = problems(custom_fields=replace(custom_fields(), values=value))
    assert found == (problem("customFields", "NOT_AN_OBJECT", 'must be a JSON object such as {"tier": "gold"}'),)


# Everything at once

# Most texts are good ones, or hardly any change would pass whole.
TEXT = st.sampled_from([UNSET, UNSET, None, "Ines Aalto", " x ", "\tÉ\n", "Fair  2031", "", "\x07"]) | st.text(
    "ab \u3000\xa0é", min_size=1, max_size=5
).map(lambda text: text + "c")
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(width=16) | st.integers() | st.text("ab\0", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
WANTED_EMAILS = st.lists(
    st.sampled_from(["a@aalto.test", " B@aalto.test", "c@x.example ", "A@AALTO.TEST", "x"]), max_size=3, unique=True
).map(lambda texts: emails(*texts))
WANTED_PHONES = st.lists(
    st.builds(
        phone,
        st.sampled_from(["+358 40 000 0001", "0400 1 ", "+358400000001", "x", " +44 20 7946 0000"]),
        st.sampled_from([None, *PhoneType]),
        primary=st.booleans(),
        do_not_call=st.none() | st.booleans(),
    ),
    max_size=3,
).map(lambda items: tuple(replace(item, position=position) for position, item in enumerate(items)))
WANTED_ADDRESSES = st.lists(
    st.builds(address, street=st.sampled_from([None, " 5 Quay Road"]), formatted=st.sampled_from([None, "Cork "])),
    max_size=2,
).map(tuple)
NAMES_OF_TAGS = st.lists(st.sampled_from(["VIP", "vip ", "Fair  2031", "fair 2031", "ß", "SS", ""]), max_size=3).map(
    tuple
)
CHANGES = st.builds(
    Changes,
    **{field.attribute: TEXT for field in (Field.NAME, Field.STAGE, Field.KLEN_STATUS, Field.NOTES)},
    emails=st.just(UNSET) | st.none() | WANTED_EMAILS,
    phones=st.just(UNSET) | st.none() | WANTED_PHONES,
    addresses=st.just(UNSET) | st.none() | WANTED_ADDRESSES,
    tags=st.just(UNSET)
    | st.none()
    | st.builds(WantedTags, whole=NAMES_OF_TAGS)
    | st.builds(WantedTags, add=NAMES_OF_TAGS, remove=NAMES_OF_TAGS),
    custom_fields=st.just(UNSET)
    | st.none()
    | st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=3).map(lambda values: merged_custom_fields(**values)),
    status=st.just(UNSET) | st.none() | st.sampled_from(ContactStatus),
    unsubscribed=st.sampled_from([UNSET, None, True, False]),
)


@given(CHANGES)
@settings(max_examples=150)
def test_normalising_twice_changes_nothing(asked: Changes) -> None:
    for read in (read_patch, read_draft):
        try:
            once = read(asked)
        except InvalidInput:
            continue
        assert read(once) == once


@given(CHANGES)
@settings(max_examples=150)
def test_a_list_that_passes_is_never_empty_and_has_one_primary(asked: Changes) -> None:
    try:
        patch = read_patch(asked)
    except InvalidInput:
        return
    for items in (patch.emails, patch.phones, patch.addresses):
        if items is not UNSET and items is not None:
            assert [item.primary for item in items].count(True) == 1
