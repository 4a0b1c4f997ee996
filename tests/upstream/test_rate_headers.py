"""What a provider says of its rate limit is read where it can be meant, and else not said."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

import httpx
import pytest

from gateway.domain.errors import ProviderFailure
from gateway.domain.exchange import Allowance, Call
from gateway.resilience.reply_memory import ReplyMemory
from gateway.upstream.attempt import Attempt
from gateway.upstream.endpoint import Endpoint, Timeouts
from gateway.upstream.rate_headers import read_allowance
from tests.upstream.conftest import PlainDialect
from tests.upstream.over_httpx import OverHttpx

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
NOT_A_NUMBER = ["", " ", "-1", "+5", "1.5", "1e3", "0x10", "many", "5, 5", "٣", "²", "9" * 5_000, "1000001", "15;w=60"]


def read(limit: str | None = None, remaining: str | None = None, reset: str | None = None) -> Allowance:
    said = {"x-ratelimit-limit": limit, "x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset}
    return read_allowance({name: text for name, text in said.items() if text is not None}, lambda: NOW)


def test_all_three_are_read() -> None:
    at = NOW + timedelta(seconds=40)
    assert read("15", " 3 ", str(int(at.timestamp()))) == Allowance(limit=15, remaining=3, reset_at=at)


def test_each_of_them_is_read_without_the_others() -> None:
    at = NOW + timedelta(seconds=40)
    assert read(limit="15") == Allowance(limit=15)
    assert read(remaining="3") == Allowance(remaining=3)
    assert read(reset=str(int(at.timestamp()))) == Allowance(reset_at=at)


def test_nothing_said_is_nothing_known() -> None:
    assert read() == Allowance()


def test_nothing_left_is_said_too() -> None:
    assert read("15", "0") == Allowance(limit=15, remaining=0)


@pytest.mark.parametrize("text", NOT_A_NUMBER)
def test_what_is_no_number_is_not_said(text: str) -> None:
    assert read(text, "3") == Allowance(remaining=3)
    assert read("15", text) == Allowance(limit=15)
    assert read("15", "3", text) == Allowance(limit=15, remaining=3)


def test_a_limit_of_none_at_all_is_no_limit() -> None:
    assert read("0", "0") == Allowance(remaining=0)


def test_a_remainder_larger_than_its_limit_makes_both_unbelievable() -> None:
    assert read("15", "16") == Allowance()


@pytest.mark.parametrize("seconds", [-86_400, -1, 0, 86_401, 10**9])
def test_a_reset_that_has_been_or_is_days_away_is_not_said(seconds: int) -> None:
    assert read(reset=str(int(NOW.timestamp()) + seconds)) == Allowance()


def test_a_number_of_seconds_is_no_time(dialect: PlainDialect) -> None:
    assert read(reset="60") == Allowance()


@pytest.mark.parametrize("status", [200, 404, 429, 500])
def test_an_answer_carries_what_its_headers_say(status: int, dialect: PlainDialect) -> None:
    headers = {"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "12", "X-RateLimit-Reset": "1772366460"}

    async def send() -> Allowance:
        client = OverHttpx(lambda _: httpx.Response(status, content=b"{}", headers=headers))
        endpoint = Endpoint(base_url="http://crm.test/api/v1", headers={})
        attempt = Attempt(
            client, endpoint, dialect, timeouts=Timeouts(), memory=ReplyMemory(2**20), wall_clock=lambda: NOW
        )
        try:
            return (await attempt.send(Call("GET", "/1"))).allowance
        except ProviderFailure as failure:
            return failure.allowance

    reset_at = datetime.fromtimestamp(1772366460, tz=timezone.utc)
    assert asyncio.run(send()) == Allowance(limit=30, remaining=12, reset_at=reset_at)
