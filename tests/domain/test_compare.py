"""When two texts mean the same thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.compare import email_key, text_key


@pytest.mark.parametrize(
    ("one", "other"),
    [("VIP", "vip"), ("Fair  2031", " fair 2031 "), ("Straße", "STRASSE"), ("Ａｄａ", "Ada"), ("é", "e\u0301")],
)
def test_case_width_composition_and_spaces_do_not_count(one: str, other: str) -> None:
    assert text_key(one) == text_key(other)


def test_different_texts_have_different_keys() -> None:
    assert len({text_key(text) for text in ("Beta", "Beta 2", "Bêta", "")}) == 4


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ines@Aalto.TEST", "ines@aalto.test"), (" a@b.test ", "a@b.test"), ("É@x.test", "e\u0301@x.test")],
)
def test_case_does_not_count_in_an_email(one: str, other: str) -> None:
    assert email_key(one) == email_key(other)


def test_dots_and_tags_of_an_email_count() -> None:
    assert len({email_key(text) for text in ("ab@x.test", "a.b@x.test", "ab+news@x.test")}) == 3


@given(st.text())
def test_the_key_of_a_key_is_the_key(text: str) -> None:
    assert email_key(email_key(text)) == email_key(text)
