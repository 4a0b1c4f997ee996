"""Everything in the tree of errors says its code, who can mend it, and what it leaves behind."""

from collections import Counter
from collections.abc import Iterator

import pytest

import gateway.domain.errors as errors
from gateway.domain.contact import Provider, RecordKey
from gateway.domain.errors import (
    AnswerPending,
    BudgetSpent,
    CallerNotPermitted,
    CallLimitReached,
    CircuitOpen,
    ClearUnsupported,
    CredentialsRefused,
    DeadlineExceeded,
    DuplicateRecord,
    ErrorCode,
    Fault,
    FieldUnsupported,
    GatewayError,
    InputRefused,
    InvalidInput,
    ListTruncated,
    OperationUnsupported,
    PermissionDenied,
    ProviderBroken,
    ProviderCrowded,
    ProviderFailure,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
    RecordBusy,
    RecordNotFound,
    RecordStale,
    ReplyTimedOut,
    ReplyUnreadable,
    SeveralMatches,
    WriteOutcome,
)

NOT_APPLIED, UNKNOWN = WriteOutcome.NOT_APPLIED, WriteOutcome.UNKNOWN
# Design section 6, the table of outcomes: code, who can mend it, retryable, outcome of a write.
EXPECTED = {
    OperationUnsupported: ("UNSUPPORTED_OPERATION", "client", False, NOT_APPLIED),
    FieldUnsupported: ("UNSUPPORTED_FIELD", "client", False, NOT_APPLIED),
    ClearUnsupported: ("UNSUPPORTED_CLEAR", "client", False, NOT_APPLIED),
    ListTruncated: ("LIST_TRUNCATED", "client", False, NOT_APPLIED),
    InputRefused: ("INVALID_INPUT", "client", False, NOT_APPLIED),
    RecordNotFound: ("NOT_FOUND", "client", False, NOT_APPLIED),
    DuplicateRecord: ("DUPLICATE", "client", False, NOT_APPLIED),
    CredentialsRefused: ("PROVIDER_UNAUTHENTICATED", "gateway", False, NOT_APPLIED),
    PermissionDenied: ("PROVIDER_FORBIDDEN", "gateway", False, NOT_APPLIED),
    CallerNotPermitted: ("FORBIDDEN", "client", False, NOT_APPLIED),
    RateLimited: ("RATE_LIMITED", "provider", True, NOT_APPLIED),
    ProviderUnreachable: ("PROVIDER_UNREACHABLE", "provider", True, NOT_APPLIED),
    ProviderUnavailable: ("PROVIDER_UNAVAILABLE", "provider", True, NOT_APPLIED),
    ReplyTimedOut: ("PROVIDER_TIMEOUT", "provider", False, UNKNOWN),
    ProviderBroken: ("PROVIDER_ERROR", "provider", False, UNKNOWN),
    ReplyUnreadable: ("PROVIDER_BAD_RESPONSE", "provider", False, UNKNOWN),
    DeadlineExceeded: ("DEADLINE_EXCEEDED", "gateway", True, NOT_APPLIED),
    CallLimitReached: ("UPSTREAM_CALL_LIMIT", "client", False, NOT_APPLIED),
    RecordBusy: ("RECORD_BUSY", "gateway", True, NOT_APPLIED),
    RecordStale: ("STALE_RECORD", "client", False, NOT_APPLIED),
    BudgetSpent: ("RATE_LIMITED", "gateway", True, NOT_APPLIED),
    CircuitOpen: ("PROVIDER_UNAVAILABLE", "provider", True, NOT_APPLIED),
    ProviderCrowded: ("PROVIDER_UNAVAILABLE", "gateway", True, NOT_APPLIED),
    AnswerPending: ("DEADLINE_EXCEEDED", "gateway", True, NOT_APPLIED),
    SeveralMatches: ("AMBIGUOUS_MATCH", "client", False, NOT_APPLIED),
}
# Of a whole write, not of a provider.
OF_THE_WHOLE = {ErrorCode.IDEMPOTENCY_KEY_MISMATCH, ErrorCode.IDEMPOTENCY_IN_PROGRESS}


def everything_below(branch: type[GatewayError]) -> Iterator[type[GatewayError]]:
    for one in branch.__subclasses__():
        yield one
        yield from everything_below(one)


FAILURES = tuple(everything_below(ProviderFailure))


@pytest.mark.parametrize("failing", [InvalidInput, *FAILURES], ids=lambda failing: failing.__name__)
def test_each_says_who_can_mend_it(failing: type[GatewayError]) -> None:
    assert failing.blame in ("client", "provider", "gateway")


def test_each_is_in_the_table_of_outcomes() -> None:
    assert set(FAILURES) == set(EXPECTED)


@pytest.mark.parametrize("failing", FAILURES, ids=lambda failing: failing.__name__)
def test_it_says_what_the_table_of_outcomes_says(failing: type[ProviderFailure]) -> None:
    failure = failing(Provider.KLEN, "What happened.")
    assert (failure.code, failure.blame, failure.retryable, failure.outcome) == EXPECTED[failing]
    assert failure.fault == Fault(
        code=failure.code, message="What happened.", provider=Provider.KLEN, retryable=failure.retryable
    )
    assert str(failure) == "What happened."


def test_every_code_has_exactly_one_class_and_what_is_a_special_case_of_it() -> None:
    told = Counter(failing.code for failing in ProviderFailure.__subclasses__())
    assert told == Counter(code for code in ErrorCode if code not in OF_THE_WHOLE)


def test_the_tree_drawn_in_the_docstring_names_everything() -> None:
    assert [failing.__name__ for failing in FAILURES if failing.__name__ not in str(errors.__doc__)] == []


def test_the_place_that_raises_overrules_the_usual_case() -> None:
    existing = RecordKey(Provider.GATELY, "a")
    failure = ReplyTimedOut(
        Provider.GATELY,
        "Gave up.",
        retryable=True,
        outcome=NOT_APPLIED,
        retry_after_ms=1000,
        upstream_status=408,
        upstream_code="late",
        field=("input", "name"),
        existing=existing,
    )
    assert (failure.retryable, failure.outcome) == (True, NOT_APPLIED)
    assert failure.fault == Fault(
        code=ErrorCode.PROVIDER_TIMEOUT,
        message="Gave up.",
        provider=Provider.GATELY,
        retryable=True,
        retry_after_ms=1000,
        upstream_status=408,
        upstream_code="late",
        field=("input", "name"),
        existing=existing,
    )
    # The class itself is as it was.
    assert ReplyTimedOut(Provider.GATELY, "Lost.").outcome is UNKNOWN


def test_what_the_gateway_refused_itself_says_so() -> None:
    assert {failing for failing in FAILURES if failing.held_back} == {BudgetSpent, CircuitOpen, ProviderCrowded}


def test_one_made_anew_is_equal_and_not_the_same() -> None:
    failure = BudgetSpent(Provider.KLEN, "Later.", retry_after_ms=7)
    made = failure.anew()
    assert (type(made), made.fault, made.outcome) == (BudgetSpent, failure.fault, failure.outcome)
    assert made is not failure
