"""The status of a whole write follows from its outcomes, whatever their number and order."""

from itertools import product

import pytest

from gateway.domain.contact import Field, Provider, RecordKey
from gateway.domain.errors import (
    DeadlineExceeded,
    ErrorCode,
    InputRefused,
    ProviderBroken,
    ProviderFailure,
    RateLimited,
    WriteOutcome,
)
from gateway.domain.writes import (
    WarningCode,
    WriteAction,
    WriteFailed,
    WriteResult,
    WriteStatus,
    WriteWarning,
    coerced,
    derived,
    dropped,
    status_of,
)

APPLIED, NOT_APPLIED, UNKNOWN = WriteOutcome.APPLIED, WriteOutcome.NOT_APPLIED, WriteOutcome.UNKNOWN
STATUS_OF_SET = {
    frozenset({APPLIED}): WriteStatus.SUCCEEDED,
    frozenset({APPLIED, NOT_APPLIED}): WriteStatus.PARTIAL,
    frozenset({APPLIED, UNKNOWN}): WriteStatus.PARTIAL,
    frozenset({APPLIED, NOT_APPLIED, UNKNOWN}): WriteStatus.PARTIAL,
    frozenset({UNKNOWN}): WriteStatus.UNKNOWN,
    frozenset({NOT_APPLIED, UNKNOWN}): WriteStatus.UNKNOWN,
    frozenset({NOT_APPLIED}): WriteStatus.FAILED,
}


def result(outcome: WriteOutcome) -> WriteResult:
    if outcome is APPLIED:
        return WriteResult(provider=Provider.KLEN, action=WriteAction.UPDATED)
    return WriteResult(provider=Provider.KLEN, failure=ProviderBroken(Provider.KLEN, "x", outcome=outcome))


@pytest.mark.parametrize(
    "outcomes", [outcomes for length in (1, 2, 3) for outcomes in product(WriteOutcome, repeat=length)], ids=str
)
def test_status_of_every_combination_of_outcomes(outcomes: tuple[WriteOutcome, ...]) -> None:
    results = tuple(result(outcome) for outcome in outcomes)
    assert tuple(one.outcome for one in results) == outcomes
    assert status_of(results) is STATUS_OF_SET[frozenset(outcomes)]


def failed(*failures: ProviderFailure) -> WriteFailed:
    return WriteFailed(failures, "3e6c1c52-7d43-4f52-9a2c-1f6a0f7a9d10")


def test_failures_with_one_code_share_it() -> None:
    shared = failed(RateLimited(Provider.GATELY, "Wait."), RateLimited(Provider.KLEN, "Wait too."))
    assert shared.shared_code is ErrorCode.RATE_LIMITED
    assert str(shared) == "Wait. Wait too."


def test_failures_that_differ_share_no_code() -> None:
    differing = failed(RateLimited(Provider.GATELY, "Wait."), InputRefused(Provider.KLEN, "No."))
    assert differing.shared_code is None


def test_one_failure_shares_its_code_with_itself() -> None:
    assert failed(DeadlineExceeded(Provider.KLEN, "Late.")).shared_code is ErrorCode.DEADLINE_EXCEEDED


def test_a_warning_names_the_input_path_down_to_the_item() -> None:
    assert dropped(Field.PHONES, "No.", 1, "doNotCall") == WriteWarning(
        WarningCode.FIELD_DROPPED, ("input", "phones", "1", "doNotCall"), "No."
    )
    assert derived(Field.KLEN_STATUS, "So.") == WriteWarning(
        WarningCode.VALUE_DERIVED, ("input", "klen", "status"), "So."
    )
    assert coerced(Field.ADDRESSES, "So.", 0) == WriteWarning(
        WarningCode.VALUE_COERCED, ("input", "addresses", "0"), "So."
    )


def test_a_result_says_what_its_key_is() -> None:
    key = RecordKey(Provider.KLEN, "1")
    assert WriteResult(provider=Provider.KLEN, key=key, action=WriteAction.CREATED).outcome is APPLIED
