"""What a status means, for every kind of call; and what may be repeated of a provider's own words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import (
    DuplicateRecord,
    ErrorCode,
    InputRefused,
    ProviderFailure,
    RecordNotFound,
    WriteOutcome,
)
from gateway.domain.exchange import Call, CallKind
from gateway.upstream.refusal import Refusal, failure_for
from tests.upstream.conftest import PlainDialect

NOW = datetime(2031, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
WRITES = (CallKind.CREATE, CallKind.UPDATE, CallKind.DELETE)


def failure(
    status: int,
    kind: CallKind = CallKind.UPDATE,
    *,
    refusal: Refusal | None = None,
    headers: Mapping[str, str] | None = None,
) -> ProviderFailure:
    call = Call("GET", "/contacts/1", kind=kind)
    return failure_for(PlainDialect(refusal), call, status=status, headers=headers or {}, body=b"{}", now=NOW)


# By status: the code, whether the same call may be sent again, and what is known of a write.
ALWAYS: dict[int, tuple[str, bool, str]] = {
    401: ("PROVIDER_UNAUTHENTICATED", False, "NOT_APPLIED"),
    402: ("PROVIDER_ERROR", False, "NOT_APPLIED"),
    403: ("PROVIDER_FORBIDDEN", False, "NOT_APPLIED"),
    405: ("PROVIDER_ERROR", False, "NOT_APPLIED"),
    408: ("PROVIDER_TIMEOUT", True, "NOT_APPLIED"),
    418: ("PROVIDER_ERROR", False, "NOT_APPLIED"),
    429: ("RATE_LIMITED", True, "NOT_APPLIED"),
    499: ("PROVIDER_ERROR", False, "NOT_APPLIED"),
    **dict.fromkeys((300, 301, 302, 303, 304, 307, 308, 399), ("PROVIDER_BAD_RESPONSE", False, "NOT_APPLIED")),
}


@pytest.mark.parametrize("kind", CallKind)
@pytest.mark.parametrize("status", ALWAYS)
def test_a_status_below_500_applied_nothing(status: int, kind: CallKind) -> None:
    found = failure(status, kind)
    assert (found.fault.code, found.fault.retryable, found.outcome) == ALWAYS[status]
    assert found.retryable is found.fault.retryable
    assert found.fault.upstream_status == status


@pytest.mark.parametrize("kind", CallKind)
@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 507, 520, 599, 600, 999])
def test_a_failure_inside_the_provider_leaves_a_write_unknown(status: int, kind: CallKind) -> None:
    found = failure(status, kind)
    assert (found.fault.code, found.fault.retryable, found.outcome) == (
        "PROVIDER_ERROR",
        kind not in WRITES,
        "UNKNOWN",
    )


@pytest.mark.parametrize("kind", CallKind)
@pytest.mark.parametrize(("header", "wait"), [("7", 7_000), ("soon", None), ("999999999", 86_400_000)])
def test_503_with_retry_after_says_that_nothing_was_done(kind: CallKind, header: str, wait: int | None) -> None:
    found = failure(503, kind, headers={"retry-after": header})
    fault = found.fault
    assert (fault.code, fault.retryable, found.outcome, fault.retry_after_ms) == (
        "PROVIDER_UNAVAILABLE",
        True,
        "NOT_APPLIED",
        wait,
    )


@pytest.mark.parametrize("status", [400, 401, 404, 409, 500, 502, 302])
def test_a_retry_after_beside_anything_else_is_not_passed_on(status: int) -> None:
    found = failure(status, headers={"retry-after": "7"})
    assert found.fault.retry_after_ms is None
    assert found.fault.code not in ("PROVIDER_UNAVAILABLE", "RATE_LIMITED")


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_not_found_where_a_record_was_named(status: int) -> None:
    codes = {kind: str(failure(status, kind).fault.code) for kind in CallKind}
    assert codes == {
        CallKind.READ: "NOT_FOUND",
        CallKind.UPDATE: "NOT_FOUND",
        CallKind.DELETE: "NOT_FOUND",
        CallKind.CREATE: "PROVIDER_ERROR",
        CallKind.LIST: "PROVIDER_ERROR",
        CallKind.FIND_BY_EMAIL: "PROVIDER_ERROR",
    }
    assert {failure(status, kind).outcome for kind in CallKind} == {WriteOutcome.NOT_APPLIED}


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("kind", CallKind)
def test_only_a_read_can_be_told_that_its_id_is_wrong(status: int, kind: CallKind) -> None:
    blamed = failure(status, kind, refusal=Refusal(blames_id=True))
    assert type(blamed) is (RecordNotFound if kind is CallKind.READ else InputRefused)
    assert type(failure(status, kind)) is InputRefused
    assert (blamed.fault.retryable, blamed.outcome) == (False, WriteOutcome.NOT_APPLIED)


@pytest.mark.parametrize("kind", [CallKind.CREATE, CallKind.UPDATE])
def test_a_conflict_is_a_duplicate(kind: CallKind) -> None:
    found = failure(409, kind)
    assert (type(found), found.fault.retryable, found.outcome) == (DuplicateRecord, False, WriteOutcome.NOT_APPLIED)


def test_a_dialect_may_overrule_the_table() -> None:
    found = failure(404, CallKind.CREATE, refusal=Refusal(failure=InputRefused, field=("input", "klen", "teamId")))
    assert (found.fault.code, found.fault.field) == (ErrorCode.INVALID_INPUT, ("input", "klen", "teamId"))


@given(st.integers(300, 999), st.sampled_from(CallKind))
def test_every_status_has_a_code_a_message_and_an_outcome(status: int, kind: CallKind) -> None:
    found = failure(status, kind)
    assert found.fault.message.startswith("Sample CRM ")
    assert found.fault.upstream_status == status
    assert found.outcome in (WriteOutcome.NOT_APPLIED, WriteOutcome.UNKNOWN)
    assert not (found.outcome is WriteOutcome.UNKNOWN and found.fault.retryable and kind in WRITES)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("validation_error", "validation_error"),
        ("E1042", "E1042"),
        ("contact.email-taken", "contact.email-taken"),
        ("x" * 64, "x" * 64),
        ("x" * 65, None),
        ("", None),
        ("two words", None),
        ("/srv/app", None),
        ("<b>", None),
        ("line\n", None),
        ("1042", None),
        ("ключ", None),
        (None, None),
    ],
)
def test_a_machine_code_is_shown_only_when_it_is_one(code: str | None, shown: str | None) -> None:
    assert failure(403, refusal=Refusal(code=code)).fault.upstream_code == shown


def test_a_sentence_for_people_is_quoted_where_the_input_has_to_be_mended() -> None:
    said = Refusal(message="  The stage must be one of lead, prospect.  ")
    assert str(failure(422, refusal=said)) == (
        "Sample CRM refused the input. It says: The stage must be one of lead, prospect."
    )
    assert str(failure(409, refusal=said)).endswith("It says: The stage must be one of lead, prospect.")


@pytest.mark.parametrize("status", [302, 401, 403, 404, 408, 410, 418, 429, 500, 503])
def test_nothing_else_is_worth_a_quotation(status: int) -> None:
    assert "private" not in str(failure(status, refusal=Refusal(message="private words")))


@pytest.mark.parametrize(
    "message",
    [
        "",
        "  ",
        "No",
        "<b>bold</b> words",
        "see /srv/app/contact",
        "see C:\\app\\contact",
        "see https://crm.example/errors",
        "{'email': 'taken'}",
        "first line\nsecond line",
        "first line\rsecond line",
        "w" * 201,
        "an escape \x1b[31m red",
        "a null \x00 byte",
        "left \u202e right",
    ],
)
def test_what_is_no_plain_sentence_is_not_quoted(message: str) -> None:
    shown = str(failure(422, refusal=Refusal(message=message)))
    assert shown == "Sample CRM refused the input. (HTTP 422)"


def test_a_hint_of_ours_stands_in_the_place_of_the_status() -> None:
    shown = str(failure(403, refusal=Refusal(hint="The key lacks a permission.")))
    assert shown == "Sample CRM does not permit this with the gateway's credentials. The key lacks a permission."


@given(st.text(max_size=300), st.sampled_from([400, 409, 422]))
def test_no_message_ever_holds_markup_a_path_or_a_second_line(message: str, status: int) -> None:
    shown = str(failure(status, refusal=Refusal(message=message)))
    assert not set("<>{}/\\\n\r") & set(shown)
    assert shown.isprintable()
    assert len(shown) < 300


def test_a_field_is_passed_on_as_the_dialect_gave_it() -> None:
    found = failure(422, refusal=Refusal(field=("input", "emails")))
    assert found.fault.field == ("input", "emails")
