"""A whole name is split and joined only where a provider insists, and never loses its first half."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.names import join_name, split_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Ada Winter", ("Ada", "Winter")),
        ("Ada  Winter", ("Ada", "Winter")),
        ("Winter, Ada", ("Ada", "Winter")),
        ("Mary Ann Smith", ("Mary Ann", "Smith")),
        ("Ludwig van Beethoven", ("Ludwig", "van Beethoven")),
        ("Martin Luther King Jr.", ("Martin Luther", "King Jr.")),
        ("Ada", ("Ada", None)),
        ("李小龍", ("李小龍", None)),
        ("de la Cruz", ("de la Cruz", None)),
        ("Mr. Smith", ("Mr.", "Smith")),
        ("Dr.", ("Dr.", None)),
        ("(Bee)", ("(Bee)", None)),
        (",", (",", None)),
    ],
)
def test_a_name_splits_into_given_names_and_family_name(name: str, parts: tuple[str, str | None]) -> None:
    assert split_name(name) == parts


@given(st.text(min_size=1, max_size=40).filter(str.strip))
@settings(max_examples=150)
def test_the_first_part_is_never_empty_and_the_second_never_blank(name: str) -> None:
    first, last = split_name(name)
    assert first
    assert last is None or last


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("Ada", "Winter", "Ada Winter"),
        ("Ada", None, "Ada"),
        (None, "Winter", "Winter"),
        ("Ada", "", "Ada"),
        (None, None, None),
        ("", "", None),
    ],
)
def test_a_missing_half_leaves_no_trace_in_the_whole_name(
    first: str | None, last: str | None, name: str | None
) -> None:
    assert join_name(first, last) == name


WORDS = st.sampled_from(["Ada", "Chiara", "Dov", "Elif", "Femi", "Greta", "Hugo", "Winter", "Aalto", "Moreau"])


@given(WORDS, WORDS)
def test_joining_what_was_split_gives_the_plain_name_back(first: str, last: str) -> None:
    assert join_name(*split_name(f"{first} {last}")) == f"{first} {last}"
