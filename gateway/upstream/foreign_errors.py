"""httpx's exceptions as ours: one table, and the context manager that applies it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from gateway.domain.contact import Provider
from gateway.domain.errors import ProviderFailure, ProviderUnreachable, ReplyTimedOut, ReplyUnreadable
from gateway.domain.exchange import CallKind


@dataclass(frozen=True, slots=True)
class _Meaning:
    failure: type[ProviderFailure]
    message: str


# The most specific class that an exception is an instance of decides (its place in the class tree).
MEANINGS: dict[type[Exception], _Meaning] = {
    httpx.ConnectError: _Meaning(ProviderUnreachable, "{name} could not be reached: no connection."),
    httpx.ConnectTimeout: _Meaning(ProviderUnreachable, "{name} could not be reached in time."),
    httpx.PoolTimeout: _Meaning(ProviderUnreachable, "Too many calls to {name} are under way."),
    httpx.ProxyError: _Meaning(ProviderUnreachable, "{name} could not be reached through the proxy."),
    httpx.LocalProtocolError: _Meaning(ProviderUnreachable, "The call to {name} could not be put into HTTP."),
    httpx.UnsupportedProtocol: _Meaning(ProviderUnreachable, "The base URL set for {name} cannot be called."),
    httpx.TimeoutException: _Meaning(ReplyTimedOut, "{name} did not answer in time."),
    httpx.TransportError: _Meaning(ReplyTimedOut, "The connection to {name} was lost before its answer came."),
    httpx.DecodingError: _Meaning(ReplyUnreadable, "{name} sent an answer whose compression is broken."),
    httpx.TooManyRedirects: _Meaning(ReplyUnreadable, "{name} redirects in circles."),
    httpx.InvalidURL: _Meaning(ProviderUnreachable, "The base URL set for {name} is not a URL."),
}


@contextmanager
def foreign_errors(provider: Provider, name: str, kind: CallKind) -> Iterator[None]:
    """Raises a ProviderFailure in the place of whatever httpx raises.

    A read that got no answer may simply be repeated; a write may have happened, so it may not.
    """
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        foreign = _from_below(error) if isinstance(error, OSError) else error
        meaning = next(MEANINGS[parent] for parent in type(foreign).__mro__ if parent in MEANINGS)
        retryable = not kind.writes if meaning.failure is ReplyTimedOut else None
        raise meaning.failure(provider, meaning.message.format(name=name), retryable=retryable) from error


def _from_below(error: OSError) -> httpx.HTTPError:
    """What is none of httpx's: our own timer, and an error of the socket that nobody has wrapped."""
    return httpx.ReadTimeout("") if isinstance(error, TimeoutError) else httpx.ReadError("")
