"""Every exception that httpx can raise becomes one of ours, the most specific row of the table first."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx
import pytest

from gateway.domain.contact import Provider
from gateway.domain.errors import (
    ErrorCode,
    ProviderFailure,
    ProviderUnreachable,
    ReplyTimedOut,
    ReplyUnreadable,
    WriteOutcome,
)
from gateway.domain.exchange import CallKind
from gateway.upstream.foreign_errors import MEANINGS, foreign_errors

WRITES = (CallKind.CREATE, CallKind.UPDATE, CallKind.DELETE)

# What each exception of httpx says about the bytes of the request, by its documentation.
EXPECTED: dict[type[Exception], type[ProviderFailure]] = {
    # Nothing was sent.
    httpx.ConnectError: ProviderUnreachable,
    httpx.ConnectTimeout: ProviderUnreachable,
    httpx.PoolTimeout: ProviderUnreachable,
    httpx.ProxyError: ProviderUnreachable,
    httpx.UnsupportedProtocol: ProviderUnreachable,
    httpx.LocalProtocolError: ProviderUnreachable,
    httpx.InvalidURL: ProviderUnreachable,
    # The request, or a part of it, went out.
    httpx.ReadTimeout: ReplyTimedOut,
    httpx.WriteTimeout: ReplyTimedOut,
    httpx.ReadError: ReplyTimedOut,
    httpx.WriteError: ReplyTimedOut,
    httpx.CloseError: ReplyTimedOut,
    httpx.RemoteProtocolError: ReplyTimedOut,
    # An answer came, and cannot be read.
    httpx.DecodingError: ReplyUnreadable,
    httpx.TooManyRedirects: ReplyUnreadable,
}


def _tree(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


def _leaves(root: type[Exception]) -> set[type[Exception]]:
    return {one for one in _tree(root) if not one.__subclasses__() and one.__module__.startswith("httpx")}


# Not of a call: raise_for_status is never used, and the stream is read once, in one place.
NEVER_RAISED = {httpx.HTTPStatusError}


def _fail(error: Exception, kind: CallKind = CallKind.READ) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as caught, foreign_errors(Provider.KLEN, "Sample CRM", kind):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


def test_every_exception_of_a_call_has_an_expectation() -> None:
    assert _leaves(httpx.HTTPError) | {httpx.InvalidURL} == EXPECTED.keys() | NEVER_RAISED


def test_every_public_exception_of_httpx_is_known_here() -> None:
    public = {one for one in vars(httpx).values() if isinstance(one, type) and issubclass(one, Exception)}
    of_the_stream = set(_tree(httpx.StreamError))
    cookies = {httpx.CookieConflict}
    assert public - of_the_stream - cookies == set(_tree(httpx.HTTPError)) | {httpx.InvalidURL}


@pytest.mark.parametrize(("foreign", "ours"), EXPECTED.items(), ids=lambda one: one.__name__)
def test_an_exception_becomes_the_failure_that_tells_what_was_sent(
    foreign: type[Exception], ours: type[ProviderFailure]
) -> None:
    assert type(_fail(foreign("foreign words"))) is ours


@pytest.mark.parametrize("foreign", MEANINGS, ids=lambda one: one.__name__)
def test_a_subclass_that_nobody_knows_yet_means_what_its_parent_means(foreign: type[Exception]) -> None:
    of_tomorrow = type("OfTomorrow", (foreign,), {})
    assert type(_fail(of_tomorrow("foreign words"))) is MEANINGS[foreign].failure


def test_the_most_specific_row_decides() -> None:
    """A connect time-out is a time-out too, and a proxy's failure a transport error."""
    assert issubclass(httpx.ConnectTimeout, httpx.TimeoutException)
    assert MEANINGS[httpx.TimeoutException].failure is ReplyTimedOut
    assert type(_fail(httpx.ConnectTimeout(""))) is ProviderUnreachable
    assert MEANINGS[httpx.TransportError].failure is ReplyTimedOut
    assert type(_fail(httpx.ProxyError(""))) is ProviderUnreachable


@pytest.mark.parametrize("kind", CallKind)
@pytest.mark.parametrize("foreign", EXPECTED, ids=lambda one: one.__name__)
def test_only_what_cannot_have_happened_twice_may_be_repeated(foreign: type[Exception], kind: CallKind) -> None:
    failure = _fail(foreign("foreign words"), kind)
    ours = EXPECTED[foreign]
    retryable = {ProviderUnreachable: True, ReplyTimedOut: kind not in WRITES, ReplyUnreadable: False}[ours]
    outcome = WriteOutcome.NOT_APPLIED if ours is ProviderUnreachable else WriteOutcome.UNKNOWN
    assert (failure.fault.retryable, failure.outcome) == (retryable, outcome)
    assert failure.retryable is retryable
    assert failure.fault.upstream_status is None


@pytest.mark.parametrize("foreign", EXPECTED, ids=lambda one: one.__name__)
def test_the_message_is_ours_and_says_nothing_of_the_exception(foreign: type[Exception]) -> None:
    failure = _fail(foreign("secret 127.0.0.1:9 /etc/hosts"))
    assert "secret" not in str(failure)
    assert "/etc" not in failure.fault.message
    assert foreign.__name__ not in failure.fault.message
    assert failure.fault.message
    assert failure.fault.provider is Provider.KLEN


def test_a_time_out_of_our_own_timer_is_a_missing_answer() -> None:
    failure = _fail(TimeoutError(), CallKind.CREATE)
    assert (failure.fault.code, failure.outcome) == (ErrorCode.PROVIDER_TIMEOUT, WriteOutcome.UNKNOWN)


@pytest.mark.parametrize("kind", CallKind)
def test_an_encrypted_connection_that_breaks_down_was_lost_after_sending(kind: CallKind) -> None:
    """Whoever wraps it or not: errors of the handshake are others."""
    failure = _fail(ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), kind)
    assert (type(failure), failure.outcome) == (ReplyTimedOut, WriteOutcome.UNKNOWN)
    assert failure.fault.retryable is (kind not in WRITES)


@pytest.mark.parametrize("error", [KeyError("a"), ValueError("b")])
def test_what_nobody_expected_is_left_alone(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, foreign_errors(Provider.KLEN, "Sample CRM", CallKind.READ):
        raise error
    assert caught.value is error


def test_a_failure_of_ours_passes_through_unchanged() -> None:
    ours = ReplyUnreadable(Provider.KLEN, "Odd.")
    with pytest.raises(ReplyUnreadable) as caught, foreign_errors(Provider.KLEN, "Sample CRM", CallKind.READ):
        raise ours
    assert caught.value is ours
