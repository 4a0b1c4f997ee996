"""What a provider says of its rate limit in an answer.

Source: docs/providers/cometly.md, rate limits: `X-RateLimit-Limit` and `X-RateLimit-Remaining` on every response;
`X-RateLimit-Reset`, a Unix time, is shown for its assistant server only. What cannot be meant is not said.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from gateway.domain.exchange import Allowance

MAX_CALLS = 1_000_000
MAX_RESET = timedelta(hours=24)


def read_allowance(headers: Mapping[str, str], now: datetime) -> Allowance:
    """A limit of none at all is no limit but a mistake. A remainder larger than its limit is none either."""
    limit = _number(headers.get("x-ratelimit-limit", ""), MAX_CALLS) or None
    remaining = _number(headers.get("x-ratelimit-remaining", ""), MAX_CALLS)
    if limit is not None and remaining is not None and remaining > limit:
        limit = remaining = None
    return Allowance(limit=limit, remaining=remaining, reset_at=_reset(headers.get("x-ratelimit-reset", ""), now))


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
