"""A wrong shape is a clear failure that names the place, and never the value that was found there."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.contact import Provider
from gateway.domain.errors import Fault, ReplyUnreadable, WriteOutcome
from gateway.upstream.decode import decode, decode_leniently, in_utc


class Part(msgspec.Struct):
    number: int
    primary: bool = False


class Whole(msgspec.Struct):
    id: str
    parts: list[Part] = []
    extra: dict[str, Any] = {}
    note: str | None = None


def reason(body: bytes, shape: Any = Whole) -> str:
    """Why the body could not be read; the rest of the failure is checked here."""
    with pytest.raises(ReplyUnreadable) as caught:
        decode(body, shape, Provider.COMETLY, 207)
    failure = caught.value
    message = str(failure)
    assert message.startswith("The answer could not be read: ")
    assert message.endswith(".")
    assert "`" not in message
    assert failure.fault == Fault(
        code=failure.code, message=message, provider=Provider.COMETLY, retryable=False, upstream_status=207
    )
    assert failure.outcome is WriteOutcome.UNKNOWN
    return message.removeprefix("The answer could not be read: ").removesuffix(".")


def test_a_right_shape_is_read_and_unknown_fields_are_passed_over() -> None:
    body = b'{"id": "a", "parts": [{"number": 1, "new": {}}], "new": [1], "note": null}'
    assert decode(body, Whole, Provider.COMETLY) == Whole(id="a", parts=[Part(number=1)])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"id": 7}', "$.id: expected str, got int"),
        (b'{"id": null}', "$.id: expected str, got null"),
        (b"{}", "$: object missing required field id"),
        (b"[]", "$: expected object, got array"),
        (b"null", "$: expected object, got null"),
        (b'"text"', "$: expected object, got str"),
        (b'{"id": "a", "parts": {}}', "$.parts: expected array, got object"),
        (b'{"id": "a", "parts": [{"number": "1"}]}', "$.parts[0].number: expected int, got str"),
        (b'{"id": "a", "parts": [{"number": 1, "primary": "yes"}]}', "$.parts[0].primary: expected bool, got str"),
        (b'{"id": "a", "extra": []}', "$.extra: expected object, got array"),
        (b'{"id": "a", "note": true}', "$.note: expected str | null, got bool"),
    ],
)
def test_a_wrong_shape_names_its_place(body: bytes, expected: str) -> None:
    assert reason(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"id": "a"',
        b'{"id": "a',
        b'{"id": "a"} {"id": "b"}',
        b"{'id': 'a'}",
        b'{"id": NaN}',
        b"<!doctype html><html><body>Sign in</body></html>",
        b"\xef\xbb\xbf{}",
        b'{"id": "\xff\xfe"}',
        b'{"id": "a", "note": "\xc3"}',
        '{"id": "a"}'.encode("utf-16"),
        b'{"id": "\\ud800"}',
        b'{"id": "a\nb"}',
        b"\x00",
        b"\x1f\x8b\x08\x00",
    ],
)
def test_what_is_no_json_is_called_that(body: bytes) -> None:
    assert reason(body) == "the body is not JSON"


@pytest.mark.parametrize(("open_", "close"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_body_that_nests_too_deep_is_called_that(open_: bytes, close: bytes) -> None:
    # Python 3.11 goes a thousand levels deep, 3.14 as deep as the stack is.
    deep = open_ * 1_000_000 + b"1" + close * 1_000_000
    assert reason(b'{"id": "a", "extra": {"deep": ' + deep + b"}}") == "the body nests too deep"
    # Also where nobody looks at it, and where it never ends.
    for body in (b'{"id": "a", "unknown": ' + deep + b"}", b'{"id": "a", "extra": {"deep": ' + open_ * 1_000_000):
        assert reason(body) in ("the body nests too deep", "the body is not JSON")


SECRETS = st.text(min_size=12, max_size=30, alphabet="abcdefghijklmnop").map(lambda text: f"Zq{text}")


@given(SECRETS, st.sampled_from(["id", "parts", "extra", "note", "key", "bare", "cut"]))
def test_no_value_of_the_body_stands_in_the_message(secret: str, place: str) -> None:
    bodies = {
        "id": {"id": [secret]},
        "parts": {"id": "a", "parts": [{"number": secret}]},
        "extra": {"id": "a", "extra": secret},
        "note": {"id": "a", "note": {secret: secret}},
        "key": {secret: secret},
        "bare": secret,
        "cut": {"id": secret},
    }
    body = msgspec.json.encode(bodies[place])
    assert secret not in reason(body[:-2] if place == "cut" else body)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"null", b"\xff", b"[" * 100_000, b'"text"', b"7"])
def test_the_body_of_an_error_may_be_anything(body: bytes) -> None:
    class ErrorBody(msgspec.Struct):
        message: Any = None

    assert decode_leniently(body, ErrorBody) == ErrorBody()


def test_the_body_of_an_error_is_read_where_it_can_be() -> None:
    class ErrorBody(msgspec.Struct):
        message: Any = None

    assert decode_leniently(b'{"message": {"en": "No"}}', ErrorBody) == ErrorBody(message={"en": "No"})


def test_a_time_without_an_offset_is_utc() -> None:
    assert in_utc(None, Provider.GATELY) is None
    assert in_utc(datetime(2031, 3, 4, 5, 6, 7), Provider.GATELY) == datetime(  # noqa: DTZ001 (this is the case)
        2031, 3, 4, 5, 6, 7, tzinfo=timezone.utc
    )


def test_a_time_with_an_offset_is_brought_to_utc() -> None:
    there = datetime(2031, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=-5)))
    here = in_utc(there, Provider.GATELY)
    assert (here, here and here.utcoffset()) == (there, timedelta(0))


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("hours", [14, 0, -12])
def test_a_time_at_the_end_of_the_calendar_is_read_or_refused(year: int, hours: int) -> None:
    month, day = (1, 1) if year == 1 else (12, 31)
    hour = 0 if year == 1 else 23
    there = datetime(year, month, day, hour, tzinfo=timezone(timedelta(hours=hours)))
    beyond = hours > 0 if year == 1 else hours < 0
    if not beyond:
        assert in_utc(there, Provider.GATELY) == there
        return
    with pytest.raises(ReplyUnreadable) as caught:
        in_utc(there, Provider.GATELY)
    assert (caught.value.fault.provider, caught.value.fault.retryable) == (Provider.GATELY, False)
