"""Counts requests in windows of a minute, each named budget on its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from gateway.sandbox.exchange import Clock

_WINDOW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Spent:
    """One request taken from a budget, or refused when `retry_after_seconds` is set."""

    limit: int
    remaining: int
    retry_after_seconds: int | None = None


class MinuteBudgets:
    """A window opens with the first request of a budget and lasts sixty seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[datetime, int]] = {}

    def spend(self, budget: str, *, limit: int) -> Spent:
        now = self._clock()
        opened, used = self._windows.get(budget, (now, 0))
        if now - opened >= _WINDOW:
            opened, used = now, 0
        if used >= limit:
            left = (opened + _WINDOW - now).total_seconds()
            return Spent(limit, 0, retry_after_seconds=max(1, ceil(left)))
        self._windows[budget] = (opened, used + 1)
        return Spent(limit, limit - used - 1)

    def clear(self) -> None:
        self._windows.clear()
