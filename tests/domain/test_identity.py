"""Ids are made of nothing but the provider and its own id, and have one way of being written."""

from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.contact import Provider, RecordKey
from gateway.domain.errors import InputProblem, InvalidInput
from gateway.domain.identity import MAX_REMOTE_ID_CHARACTERS, GlobalId, NodeType, contact_id, read_id, record_id

PATH = ("input", "id")
KEY = RecordKey(Provider.KLEN, "9041")


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def problem(text: str) -> InputProblem:
    with pytest.raises(InvalidInput) as refused:
        read_id(text, PATH)
    (only,) = refused.value.problems
    return only


def malformed(message: str) -> InputProblem:
    return InputProblem(path=PATH, code="MALFORMED_ID", message=message)


def test_an_id_is_the_relay_global_id_of_type_provider_and_remote_id() -> None:
    assert b64decode(contact_id(KEY)).decode() == "Contact:klen:9041"
    assert b64decode(record_id(KEY)).decode() == "ContactRecord:klen:9041"


def test_one_that_is_read_again_is_the_same_and_a_wrong_one_is_told_at_each_place() -> None:
    good, wrong = contact_id(KEY), encoded("Contact:klen:")
    assert read_id(good, PATH) is read_id(good, ("id",))
    assert read_id(good, PATH) == GlobalId(NodeType.CONTACT, KEY)
    assert problem(wrong).path == PATH
    with pytest.raises(InvalidInput) as refused:
        read_id(wrong, ("ids", "3"))
    assert [one.path for one in refused.value.problems] == [("ids", "3")]


@given(
    st.sampled_from(NodeType),
    st.sampled_from(Provider),
    st.text(min_size=1, max_size=MAX_REMOTE_ID_CHARACTERS).filter(str.isprintable),
)
def test_an_id_reads_back_as_what_it_was_made_of(type_: NodeType, provider: Provider, remote_id: str) -> None:
    made = GlobalId(type_, RecordKey(provider, remote_id))
    assert read_id(str(made), PATH) == made


@pytest.mark.parametrize("remote_id", ["a:b", "::", "x" * MAX_REMOTE_ID_CHARACTERS])
def test_a_remote_id_may_hold_colons_and_be_two_hundred_characters_long(remote_id: str) -> None:
    key = RecordKey(Provider.GATELY, remote_id)
    assert read_id(record_id(key), PATH) == GlobalId(NodeType.RECORD, key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "klen:9041",
        "Contact:klen:9041",
        "é",
        "====",
        encoded("Contact:klen"),
        encoded("contact:klen:9041"),
        encoded("Person:klen:9041"),
        encoded("Contact:Klen:9041"),
        encoded("Contact:hubspot:9041"),
        b64encode(b"Contact:klen:\xff").decode(),
        contact_id(KEY) + "\n",
        contact_id(KEY)[:-2],
    ],
)
def test_what_is_no_id_is_refused_at_its_field(text: str) -> None:
    assert problem(text) == malformed("is not an id of this gateway; copy the id from an answer of this gateway")


@pytest.mark.parametrize("remote_id", ["", "x" * (MAX_REMOTE_ID_CHARACTERS + 1), "90\n41", "90\x0041", "90\u202e41"])
def test_an_id_that_no_provider_could_have_made_is_refused(remote_id: str) -> None:
    assert problem(encoded(f"Contact:klen:{remote_id}")) == malformed(
        "does not hold a usable provider id; copy the id from an answer of this gateway"
    )


def test_one_record_never_has_two_ids() -> None:
    """Before the padding stand bits that decode to nothing: `NA==` and `NB==` are one text."""
    canonical = encoded("Contact:klen:904")
    assert canonical.endswith("NA==")
    assert problem(canonical.removesuffix("NA==") + "NB==") == malformed(
        "is not written in its canonical form; copy the id from an answer of this gateway"
    )


def is_canonical_or_malformed(text: str) -> bool:
    try:
        return str(read_id(text, PATH)) == text
    except InvalidInput as refused:
        return [(one.path, one.code) for one in refused.problems] == [(PATH, "MALFORMED_ID")]


@given(st.text() | st.binary().map(lambda data: b64encode(data).decode()))
def test_garbage_is_invalid_input_or_a_canonical_id_and_nothing_else(text: str) -> None:
    assert is_canonical_or_malformed(text)


@given(
    st.sampled_from(["Contact", "ContactRecord", "Contact ", ""]),
    st.sampled_from(["klen", "gately", "KLEN", "", "x"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=220),
    st.sampled_from([":", "::", "", "|"]),
)
def test_almost_right_ids_are_invalid_input_or_canonical(type_: str, provider: str, remote_id: str, by: str) -> None:
    assert is_canonical_or_malformed(encoded(by.join((type_, provider, remote_id))))
