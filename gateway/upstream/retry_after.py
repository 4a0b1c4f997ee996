"""How long a provider asks us to wait, whichever way it says so.

Source: RFC 9110 section 10.2.3 (seconds or an HTTP date); X-RateLimit-Reset as a Unix time is shown
by Cometly's assistant pages only (docs/providers/cometly.md, rate limits).
"""

from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

MAX_WAIT_MS = 24 * 60 * 60 * 1000


def read_wait_ms(headers: Mapping[str, str], now: datetime) -> int | None:
    """Milliseconds from now, 0 to 24 hours; None when no header says it readably."""
    seconds = _seconds(headers.get("retry-after", ""), now)
    if seconds is None:
        seconds = _seconds_until(headers.get("x-ratelimit-reset", ""), now)
    return None if seconds is None else int(min(max(seconds, 0.0) * 1000, MAX_WAIT_MS))


def _seconds(text: str, now: datetime) -> float | None:
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (date.replace(tzinfo=date.tzinfo or timezone.utc) - now).total_seconds()


def _seconds_until(text: str, now: datetime) -> float | None:
    text = text.strip()
    return float(text[:12]) - now.timestamp() if text.isascii() and text.isdigit() else None
