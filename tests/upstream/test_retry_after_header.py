"""How long to wait, out of headers that anybody may have written (RFC 9110 section 10.2.3)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.retry_after import MAX_WAIT_MS, read_wait_ms

NOW = datetime(2031, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
DAY_MS = 24 * 60 * 60 * 1000


def wait(**headers: str) -> int | None:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return read_wait_ms(httpx.Headers(named), NOW)


def test_the_longest_wait_is_a_day() -> None:
    assert MAX_WAIT_MS == DAY_MS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("7", 7_000),
        ("  7\t", 7_000),
        ("007", 7_000),
        ("86399", DAY_MS - 1000),
        ("86400", DAY_MS),
        ("86401", DAY_MS),
        ("99999999999999999999", DAY_MS),
        ("9" * 5_000, DAY_MS),
        ("Tue, 04 Mar 2031 05:06:37 GMT", 30_000),
        ("Tue, 04 Mar 2031 06:06:37 +0100", 30_000),
        ("Tue, 04 Mar 2031 05:06:37 -0000", 30_000),
        ("Tuesday, 04-Mar-31 05:06:37 GMT", 30_000),
        ("Tue Mar  4 05:06:37 2031", 30_000),
        ("Tue, 04 Mar 2031 05:05:00 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY_MS),
    ],
)
def test_seconds_and_dates_are_understood(text: str, expected: int) -> None:
    assert wait(retry_after=text) == expected


@pytest.mark.parametrize(
    "text",
    ["", " ", "soon", "-1", "+1", "1.5", "1e3", "0x10", "٣", "1 2", "1, 2", "NaN", "inf", "Tue", "32 Foo 2031", "\x00"],
)
def test_anything_else_is_as_good_as_nothing(text: str) -> None:
    assert read_wait_ms({"retry-after": text}, NOW) is None


def test_without_a_header_nothing_is_known() -> None:
    assert wait() is None


@pytest.mark.parametrize(("ahead", "expected"), [(90, 90_000), (-90, 0), (10**6, DAY_MS)])
def test_the_time_of_a_reset_serves_where_there_is_no_retry_after(ahead: int, expected: int) -> None:
    assert wait(x_ratelimit_reset=str(int(NOW.timestamp()) + ahead)) == expected


def test_a_retry_after_that_can_be_read_comes_first() -> None:
    reset = str(int(NOW.timestamp()) + 90)
    assert wait(retry_after="5", x_ratelimit_reset=reset) == 5_000
    assert wait(retry_after="soon", x_ratelimit_reset=reset) == 90_000


@given(st.text(max_size=40))
def test_no_text_is_too_odd(text: str) -> None:
    for name in ("retry-after", "x-ratelimit-reset"):
        found = read_wait_ms({name: text}, NOW)
        assert found is None or 0 <= found <= DAY_MS


@given(st.integers(0, 80_000))
def test_a_date_and_its_distance_in_seconds_mean_the_same(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert wait(retry_after=date) == wait(retry_after=str(seconds)) == seconds * 1000


@given(
    st.integers(0, 99),
    st.sampled_from(["Jan", "Feb", "Foo", "13"]),
    st.integers(0, 99_999),
    st.integers(0, 99),
    st.sampled_from(["GMT", "+9999", "-9999", "EST", "Z", ""]),
)
def test_no_date_is_too_odd(day: int, month: str, year: int, hour: int, zone: str) -> None:
    found = wait(retry_after=f"Tue, {day:02} {month} {year:04} {hour:02}:00:00 {zone}")
    assert found is None or 0 <= found <= DAY_MS
