"""Absent, null and a value are three cases, and a change of a whole thing is worked out from the stored one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from gateway.domain.changes import Changes, Draft, Patch, WantedCustomFields, WantedTags
from gateway.domain.contact import CONTACT_FIELDS, KLEN_FIELDS, Field, one_line
from tests.domain.wanted import address

WRITABLE = tuple(field for field in Field if field not in (Field.CREATED_AT, Field.UPDATED_AT, Field.LAST_CONTACTED_AT))


@pytest.mark.parametrize("field", WRITABLE)
@pytest.mark.parametrize("kind", [Changes, Draft, Patch])
def test_what_is_left_out_is_unset_and_not_mentioned(field: Field, kind: type[Changes]) -> None:
    changes = kind()
    assert changes.value(field) is UNSET
    assert changes.mentioned == ()


@pytest.mark.parametrize("field", WRITABLE)
@pytest.mark.parametrize("value", [None, "something"])
def test_null_and_a_value_are_both_mentioned(field: Field, value: str | None) -> None:
    patch = Patch(**{field.attribute: value})
    assert patch.mentioned == (field,)
    assert patch.value(field) == value


def test_a_falsy_value_is_a_value() -> None:
    assert Patch(unsubscribed=False, klen_team_id=0).mentioned == (Field.UNSUBSCRIBED, Field.KLEN_TEAM_ID)


def test_every_field_is_either_everybodys_or_klens() -> None:
    assert set(CONTACT_FIELDS) | KLEN_FIELDS == set(Field)
    assert not set(CONTACT_FIELDS) & KLEN_FIELDS


def test_a_path_begins_with_input() -> None:
    assert Field.CUSTOM_FIELDS.input_path == ("input", "customFields")
    assert Field.KLEN_TEAM_ID.input_path == ("input", "klen", "teamId")


# Tags


@pytest.mark.parametrize(
    ("wanted", "stored", "after"),
    [
        (WantedTags(whole=("New",)), ("Beta", "VIP"), ("New",)),
        (WantedTags(add=("New",)), ("Beta",), ("Beta", "New")),
        (WantedTags(add=("Beta",)), ("Beta",), ("Beta",)),
        (WantedTags(add=("beta",)), ("Beta",), ("Beta",)),
        (WantedTags(remove=("BETA",)), ("Beta", "VIP"), ("VIP",)),
        (WantedTags(remove=("Beta",)), ("Beta", "VIP"), ("VIP",)),
        (WantedTags(remove=("Gone",)), ("Beta",), ("Beta",)),
        (WantedTags(add=("Beta",), remove=("Beta",)), ("Beta",), ("Beta",)),
        (WantedTags(), ("Beta",), ("Beta",)),
    ],
)
def test_tags_are_replaced_added_and_removed(
    wanted: WantedTags, stored: tuple[str, ...], after: tuple[str, ...]
) -> None:
    assert wanted.applied_to(stored) == after


# Custom fields


@pytest.mark.parametrize(
    ("values", "stored", "after"),
    [
        ({"tier": "gold"}, {"tier": "silver", "seats": 1}, {"tier": "gold", "seats": 1}),
        ({"tier": None}, {"tier": "silver", "seats": 1}, {"seats": 1}),
        ({"gone": None}, {"seats": 1}, {"seats": 1}),
        ({"zero": 0, "no": False, "empty": ""}, {}, {"zero": 0, "no": False, "empty": ""}),
        ({}, {"seats": 1}, {"seats": 1}),
    ],
)
def test_a_merge_sets_the_named_keys_and_null_removes_one(
    values: dict[str, object], stored: dict[str, object], after: dict[str, object]
) -> None:
    assert WantedCustomFields(values=values, merge=True).applied_to(stored) == after


def test_a_replacement_is_the_whole_object_without_its_nulls() -> None:
    wanted = WantedCustomFields(values={"tier": "gold", "seats": None}, merge=False)
    assert wanted.applied_to({"other": 1}) == {"tier": "gold"}


JSON_OBJECTS = st.dictionaries(st.text(max_size=3), st.none() | st.integers() | st.text(max_size=3), max_size=4)


@given(JSON_OBJECTS, JSON_OBJECTS)
def test_a_merge_applied_twice_is_the_same_as_once(values: dict[str, object], stored: dict[str, object]) -> None:
    wanted = WantedCustomFields(values=values, merge=True)
    assert wanted.applied_to(wanted.applied_to(stored)) == wanted.applied_to(stored)


# Addresses


def test_an_address_is_its_own_line_or_its_filled_parts() -> None:
    parts = {"street": "5 Quay Road", "street2": None, "city": "Cork", "country": ""}
    assert address(**parts).parts == ("5 Quay Road", "Cork")
    assert address(**parts).one_line == "5 Quay Road, Cork"
    assert address(**parts, formatted="Quay Road 5, Cork").one_line == "Quay Road 5, Cork"
    assert one_line("5 Quay Road", None, "Cork", "") == "5 Quay Road, Cork"
