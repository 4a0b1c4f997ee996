"""Every leaf of the tree of errors says its code, who can mend it, and what it leaves behind."""

from collections import Counter
from collections.abc import Iterator

import pytest

import gateway.domain.errors as errors
from gateway.domain.contact import Provider, RecordKey
from gateway.domain.errors import (
    CallerNotPermitted,
    CallLimitReached,
    ClearUnsupported,
    CredentialsRefused,
    DeadlineExceeded,
    DuplicateRecord,
    ErrorCode,
    Fault,
    FieldUnsupported,
    GatewayError,
    InputRefused,
    ListTruncated,
    OperationUnsupported,
    PermissionDenied,
    ProviderBroken,
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
    SeveralMatches: ("AMBIGUOUS_MATCH", "client", False, NOT_APPLIED),
}
# Of a whole write, not of a provider.
OF_THE_WHOLE = {ErrorCode.IDEMPOTENCY_KEY_MISMATCH, ErrorCode.IDEMPOTENCY_IN_PROGRESS}


def leaves_of(branch: type[GatewayError]) -> Iterator[type[GatewayError]]:
    below = branch.__subclasses__()
    if not below:
        yield branch
    for one in below:
        yield from leaves_of(one)


PROVIDER_LEAVES = tuple(leaves_of(ProviderFailure))


@pytest.mark.parametrize("leaf", tuple(leaves_of(GatewayError)), ids=lambda leaf: leaf.__name__)
def test_every_leaf_says_who_can_mend_it(leaf: type[GatewayError]) -> None:
    assert leaf.blame in ("client", "provider", "gateway")


def test_every_leaf_is_in_the_table_of_outcomes() -> None:
    assert set(PROVIDER_LEAVES) == set(EXPECTED)


@pytest.mark.parametrize("leaf", PROVIDER_LEAVES, ids=lambda leaf: leaf.__name__)
def test_a_leaf_says_what_the_table_of_outcomes_says(leaf: type[ProviderFailure]) -> None:
    failure = leaf(Provider.KLEN, "What happened.")
    assert (failure.code, failure.blame, failure.retryable, failure.outcome) == EXPECTED[leaf]
    assert failure.fault == Fault(
        code=failure.code, message="What happened.", provider=Provider.KLEN, retryable=failure.retryable
    )
    assert str(failure) == "What happened."


def test_every_code_has_exactly_one_class() -> None:
    told = Counter(leaf.code for leaf in PROVIDER_LEAVES)
    assert told == Counter(code for code in ErrorCode if code not in OF_THE_WHOLE)


def test_the_tree_drawn_in_the_docstring_names_every_leaf() -> None:
    assert [leaf.__name__ for leaf in PROVIDER_LEAVES if leaf.__name__ not in str(errors.__doc__)] == []


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
