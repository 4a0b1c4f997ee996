"""What a provider says of its rate limit in an answer.

Source: docs/providers/cometly.md, rate limits: `X-RateLimit-Limit` and `X-RateLimit-Remaining` on every response;
`X-RateLimit-Reset`, a Unix time, is shown for its assistant server only. What cannot be meant is not said.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Final

from gateway.domain.exchange import Allowance

_LIMIT, _REMAINING, _RESET = "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"
_NAMES: Final = frozenset({_LIMIT, _REMAINING, _RESET})
_NOTHING: Final = Allowance()

MAX_CALLS = 1_000_000
MAX_RESET = timedelta(hours=24)


def read_allowance(headers: Mapping[str, str], now: Callable[[], datetime]) -> Allowance:
    """A limit of none at all is no limit but a mistake. A remainder larger than its limit is none either. `headers`
    have names in lower case."""
    if _NAMES.isdisjoint(headers):
        return _NOTHING
    limit = _number(headers.get(_LIMIT, ""), MAX_CALLS) or None
    remaining = _number(headers.get(_REMAINING, ""), MAX_CALLS)
    if limit is not None and remaining is not None and remaining > limit:
        limit = remaining = None
    reset_at = _reset(headers[_RESET], now()) if _RESET in headers else None
    return Allowance(limit=limit, remaining=remaining, reset_at=reset_at)


def _number(text: str, largest: int) -> int | None:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(largest))):
        return None
    number = int(text)
    return number if number <= largest else None


def _reset(text: str, now: datetime) -> datetime | None:
    """A time that lies in the next day: a number of seconds to wait, say, would be one long past."""
    latest = now + MAX_RESET
    seconds = _number(text, int(latest.timestamp()))
    if seconds is None:
        return None
    at = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return at if now < at else None
