"""An address is judged as email_validator judges it, whether its domain is known already or not."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import email_syntax
from gateway.domain.email_syntax import is_email_address

DOMAINS = (
    "aalto.test",
    "AALTO.test",
    "test",
    "aalto",
    "aalto.local",
    "localhost",
    "aalto..test",
    ".aalto.test",
    "aalto.test.",
    "-aalto.test",
    "aalto-.test",
    "a--b.test",
    "xn--bcher-kva.test",
    "XN--bcher-kva.test",
    "bücher.test",
    "1.2.3.4",
    "[1.2.3.4]",
    "aalto.1",
    "aalto_b.test",
    "aalto.test\n",
    "a b.test",
    "a<b.test",
    'a"b.test',
    "",
    f"{'a' * 63}.test",
    f"{'a' * 64}.test",
    ".".join(["a" * 60] * 4) + ".test",
    "x.invalid",
    "x.example",
    "x.onion",
    "x.arpa",
)
LOCALS = (
    "ines",
    "Ines.Aalto+fair_1",
    "a",
    "",
    ".a",
    "a.",
    "a..b",
    "a b",
    '"a b"',
    "a@b",
    "ä",
    "<a",
    "a\n",
    "a" * 64,
    "a" * 65,
    "a'b",
    "a!b",
    "postmaster",
    "=?a",
    "a\\b",
    "a,b",
    "a:b",
    "(a)b",
    "-a-",
    "_",
    "a\u200bb",
    "１",
)


def judged(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


@pytest.mark.parametrize("domain", DOMAINS)
def test_each_address_is_judged_as_a_whole(domain: str) -> None:
    for local in LOCALS:
        text = f"{local}@{domain}"
        assert is_email_address(text) is judged(text), text


@pytest.mark.parametrize("text", ["", "@", "ines", "a@b@aalto.test", "Ines <ines@aalto.test>", "<ines@aalto.test>"])
def test_what_is_no_pair_is_judged_as_a_whole(text: str) -> None:
    assert is_email_address(text) is judged(text)


@given(st.text('abXN1-_.+@ä"<> \n', max_size=40), st.text("abXN1-_.ä ", max_size=40))
def test_any_address_is_judged_as_a_whole(local: str, domain: str) -> None:
    for text in (local, f"{local}@{domain}", f"{local}@{domain}.test"):
        assert is_email_address(text) is judged(text)


@pytest.mark.parametrize("length", [253, 254, 255, 256])
def test_an_address_may_have_so_many_characters(length: int) -> None:
    domain = ".".join(["a" * 60] * 3)
    text = f"{'b' * (length - len(domain) - 6)}@{domain}.test"
    assert len(text) == length
    assert is_email_address(text) is judged(text)


def test_a_domain_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(text: str, **_: bool) -> None:
        asked.append(text)

    monkeypatch.setattr(email_syntax, "validate_email", counted)
    for name in ("ines", "bo", "noor"):
        assert is_email_address(f"{name}@looked-at-once.test")
    assert asked == ["a@looked-at-once.test"]
