"""What the scalars make of values, and what of it is sure beforehand."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resolvers.plans.shown import UNSURE, surely_shown
from resolvers.scalars import SCALARS, DateTime, in_rfc3339

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
NOON = datetime(2031, 1, 15, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (NOON, "2031-01-15T12:00:00Z"),
        (NOON.replace(microsecond=123_456), "2031-01-15T12:00:00.123Z"),
        (NOON.replace(microsecond=999_999), "2031-01-15T12:00:00.999Z"),
        (NOON.replace(microsecond=7), "2031-01-15T12:00:00.000Z"),
        (NOON.astimezone(timezone(timedelta(hours=-5))), "2031-01-15T12:00:00Z"),
        (NOON.astimezone(timezone(timedelta(hours=2), "EET")), "2031-01-15T12:00:00Z"),
        (datetime(1, 1, 1, tzinfo=timezone.utc), "0001-01-01T00:00:00Z"),
    ],
)
def test_a_time_is_shown_in_utc_to_the_millisecond(value: datetime, shown: str) -> None:
    assert in_rfc3339(value) == shown


@given(st.datetimes(timezones=ZONES | st.just(timezone.utc)).filter(lambda value: 1 < value.year < 9999))
def test_a_time_is_shown_as_isoformat_would(value: datetime) -> None:
    text = value.astimezone(timezone.utc).replace(tzinfo=None)
    assert in_rfc3339(value) == f"{text.isoformat(timespec='milliseconds' if value.microsecond else 'seconds')}Z"


@given(st.datetimes(timezones=ZONES | st.just(timezone.utc)))
@example(datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))))
@example(datetime.min.replace(tzinfo=timezone(timedelta(hours=1))))
def test_what_is_sure_of_a_time_never_raises_and_is_what_the_scalar_makes_of_it(value: datetime) -> None:
    show = surely_shown(SCALARS[DateTime].serialize)[datetime]
    assert show is not None
    sure = show(value)
    assert sure is UNSURE or sure == in_rfc3339(value)


@pytest.mark.parametrize("value", [{"a": [1, None]}, [], "text", 1, 1.5, True])
def test_json_is_shown_as_it_is(value: Any) -> None:
    serialize: Any = next(scalar.serialize for scalar in SCALARS.values() if scalar.name == "JSON")
    assert serialize(value) is value
    assert surely_shown(serialize)[type(value)] is None
