"""What time it is. Whoever needs to know takes one of these as a parameter, so that a test can say otherwise."""

import time
from datetime import datetime, timezone


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def now_ms() -> int:
    """The time that is kept: milliseconds since 1970, the same for every process on one database."""
    return time.time_ns() // 1_000_000
