"""Every exception that aiohttp can raise becomes one of ours, the most specific row of the table first."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp.http_exceptions import ContentEncodingError

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
from gateway.upstream.foreign_errors import FOREIGN, MEANINGS, foreign_errors

WRITES = (CallKind.CREATE, CallKind.UPDATE, CallKind.DELETE)

# What each exception of aiohttp says about the bytes of the request, by its documentation.
EXPECTED: dict[type[Exception], type[ProviderFailure]] = {
    # Nothing was sent.
    aiohttp.ClientConnectorDNSError: ProviderUnreachable,
    aiohttp.ClientConnectorSSLError: ProviderUnreachable,
    aiohttp.ClientConnectorCertificateError: ProviderUnreachable,
    aiohttp.client_exceptions.UnixClientConnectorError: ProviderUnreachable,
    aiohttp.ServerFingerprintMismatch: ProviderUnreachable,
    aiohttp.ConnectionTimeoutError: ProviderUnreachable,
    aiohttp.ClientProxyConnectionError: ProviderUnreachable,
    aiohttp.ClientHttpProxyError: ProviderUnreachable,
    aiohttp.InvalidUrlRedirectClientError: ProviderUnreachable,
    aiohttp.NonHttpUrlRedirectClientError: ProviderUnreachable,
    # The request, or a part of it, may have gone out.
    aiohttp.SocketTimeoutError: ReplyTimedOut,
    aiohttp.ServerDisconnectedError: ReplyTimedOut,
    aiohttp.ClientConnectionResetError: ReplyTimedOut,
    aiohttp.ClientPayloadError: ReplyTimedOut,
    aiohttp.TooManyRedirects: ReplyTimedOut,
    aiohttp.ContentTypeError: ReplyTimedOut,
    aiohttp.WSServerHandshakeError: ReplyTimedOut,
}


def _tree(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


def _leaves() -> set[type[Exception]]:
    every = (one for one in _tree(aiohttp.ClientError) if one.__module__.startswith("aiohttp"))
    return {one for one in every if not one.__subclasses__()}


# Of uploads in parts, which nobody makes here.
NEVER_RAISED = {"UploadAbortedError"}


@pytest.fixture(autouse=True)
def foreign_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of them want to be made in ways of their own."""
    for one in EXPECTED:
        monkeypatch.setattr(one, "__str__", lambda _: "secret 127.0.0.1:9 /etc/hosts")


def _made(foreign: type[Exception]) -> Exception:
    return foreign.__new__(foreign)


def _fail(error: Exception, kind: CallKind = CallKind.READ) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as caught, foreign_errors(Provider.KLEN, "Sample CRM", kind):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


def test_every_exception_of_a_call_has_an_expectation() -> None:
    assert {one.__name__ for one in _leaves()} - NEVER_RAISED == {one.__name__ for one in EXPECTED}


def test_what_nobody_knows_yet_may_have_been_sent() -> None:
    of_tomorrow = type("OfTomorrow", (aiohttp.ClientError,), {})
    assert type(_fail(of_tomorrow())) is ReplyTimedOut


@pytest.mark.parametrize(("foreign", "ours"), EXPECTED.items(), ids=lambda one: one.__name__)
def test_an_exception_becomes_the_failure_that_tells_what_was_sent(
    foreign: type[Exception], ours: type[ProviderFailure]
) -> None:
    assert type(_fail(_made(foreign))) is ours


@pytest.mark.parametrize("foreign", MEANINGS, ids=lambda one: one.__name__)
def test_a_subclass_that_nobody_knows_yet_means_what_its_parent_means(foreign: type[Exception]) -> None:
    of_tomorrow = type("OfTomorrow", (foreign,), {})
    if issubclass(foreign, FOREIGN):
        assert type(_fail(_made(of_tomorrow))) is MEANINGS[foreign].failure


def test_the_most_specific_row_decides() -> None:
    """A time-out of the connection is a time-out too, and a proxy that does not answer a connection that failed."""
    assert issubclass(aiohttp.ConnectionTimeoutError, TimeoutError)
    assert MEANINGS[TimeoutError].failure is ReplyTimedOut
    assert type(_fail(_made(aiohttp.ConnectionTimeoutError))) is ProviderUnreachable
    assert issubclass(aiohttp.ClientConnectorError, OSError)
    assert MEANINGS[OSError].failure is ReplyTimedOut
    assert "through the proxy" in str(_fail(_made(aiohttp.ClientProxyConnectionError)))


def test_a_compression_that_is_broken_makes_an_answer_unreadable() -> None:
    wrapped = aiohttp.ClientPayloadError("400, message: Can not decode content-encoding: gzip")
    wrapped.__cause__ = ContentEncodingError("gzip")
    failure = _fail(wrapped)
    assert (type(failure), failure.fault.retryable) == (ReplyUnreadable, False)


@pytest.mark.parametrize("kind", CallKind)
@pytest.mark.parametrize("foreign", EXPECTED, ids=lambda one: one.__name__)
def test_only_what_cannot_have_happened_twice_may_be_repeated(foreign: type[Exception], kind: CallKind) -> None:
    failure = _fail(_made(foreign), kind)
    ours = EXPECTED[foreign]
    retryable = {ProviderUnreachable: True, ReplyTimedOut: kind not in WRITES, ReplyUnreadable: False}[ours]
    outcome = WriteOutcome.NOT_APPLIED if ours is ProviderUnreachable else WriteOutcome.UNKNOWN
    assert (failure.fault.retryable, failure.outcome) == (retryable, outcome)
    assert failure.retryable is retryable
    assert failure.fault.upstream_status is None


@pytest.mark.parametrize("foreign", EXPECTED, ids=lambda one: one.__name__)
def test_the_message_is_ours_and_says_nothing_of_the_exception(foreign: type[Exception]) -> None:
    failure = _fail(_made(foreign))
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
