"""aiohttp's exceptions, and those of sockets, as ours: one table, and the context manager that applies it."""

from dataclasses import dataclass
from types import TracebackType

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

from gateway.domain.contact import Provider
from gateway.domain.errors import ProviderFailure, ProviderUnreachable, ReplyTimedOut, ReplyUnreadable
from gateway.domain.exchange import CallKind

FOREIGN = (aiohttp.ClientError, OSError)
"""All that a question can raise, but for a cancellation."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    failure: type[ProviderFailure]
    message: str


# The most specific class that an exception is an instance of decides (its place in the class tree).
MEANINGS: dict[type[Exception], _Meaning] = {
    # No connection came about, so nothing was sent.
    aiohttp.ClientConnectorError: _Meaning(ProviderUnreachable, "{name} could not be reached: no connection."),
    aiohttp.ServerFingerprintMismatch: _Meaning(ProviderUnreachable, "{name} could not be reached: no connection."),
    aiohttp.ConnectionTimeoutError: _Meaning(ProviderUnreachable, "{name} could not be reached in time."),
    aiohttp.ClientProxyConnectionError: _Meaning(ProviderUnreachable, "{name} could not be reached through the proxy."),
    aiohttp.ClientHttpProxyError: _Meaning(ProviderUnreachable, "{name} could not be reached through the proxy."),
    aiohttp.NonHttpUrlClientError: _Meaning(ProviderUnreachable, "The base URL set for {name} cannot be called."),
    aiohttp.InvalidURL: _Meaning(ProviderUnreachable, "The base URL set for {name} is not a URL."),
    # From here on something may have been.
    TimeoutError: _Meaning(ReplyTimedOut, "{name} did not answer in time."),
    aiohttp.ClientError: _Meaning(ReplyTimedOut, "The connection to {name} was lost before its answer came."),
    OSError: _Meaning(ReplyTimedOut, "The connection to {name} was lost before its answer came."),
    ContentEncodingError: _Meaning(ReplyUnreadable, "{name} sent an answer whose compression is broken."),
}


class foreign_errors:  # noqa: N801 (it is used like a function)
    """Raises a ProviderFailure in the place of whatever aiohttp raises.

    A read that got no answer may simply be repeated; a write may have happened, so it may not.
    """

    __slots__ = ("_kind", "_name", "_provider")

    def __init__(self, provider: Provider, name: str, kind: CallKind) -> None:
        self._provider, self._name, self._kind = provider, name, kind

    def __enter__(self) -> None:
        """Nothing is to be done before."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, FOREIGN):
            raise self._ours(error) from error

    def _ours(self, error: BaseException) -> ProviderFailure:
        # aiohttp wraps what breaks while a body is read, and only the cause tells why.
        told = error.__cause__ if isinstance(error.__cause__, ContentEncodingError) else error
        meaning = next(MEANINGS[parent] for parent in type(told).__mro__ if parent in MEANINGS)
        retryable = not self._kind.writes if meaning.failure is ReplyTimedOut else None
        return meaning.failure(self._provider, meaning.message.format(name=self._name), retryable=retryable)
