"""How long a provider asks us to wait, in whatever form, reaches the caller in milliseconds."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from gateway.sandbox.sandbox import GatelySwitches, Sandbox
from tests.conftest import Gateway
from tests.failures.outcomes import (
    CREATE,
    PERSON,
    PROVIDERS,
    a_fault,
    without_message,
)
from tests.failures.scripted_provider import ScriptedProvider, json_reply

Scripted = tuple[Gateway, ScriptedProvider]
providers = pytest.mark.parametrize("provider", PROVIDERS)


DAY_MS = 24 * 60 * 60 * 1000
CODES = {429: "RATE_LIMITED", 503: "PROVIDER_UNAVAILABLE"}


def _wait_of(scripted: Scripted, provider: str, status: int, header: str) -> int | None:
    gateway, upstream = scripted
    upstream.always(json_reply(status, {"message": "Later"}, retry_after=header))
    answer = gateway.send(CREATE, input={**PERSON, "providers": [provider]})
    waits: list[int | None] = []
    for fault in answer["errors"][0]["extensions"]["providers"]:
        waits.append(fault.pop("retryAfterMs"))
        expected = a_fault(provider, CODES[status], status, retryable=True)
        del expected["retryAfterMs"]
        assert without_message(fault) == expected
    assert len(upstream.requests) == 1
    (wait,) = waits
    assert answer["errors"][0]["extensions"]["retryAfterMs"] == wait
    return wait


@pytest.mark.parametrize(("provider", "status"), [("GATELY", 429), ("KLEN", 503), ("COMETLY", 429)])
@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", 0),
        ("30", 30_000),
        (" 30 ", 30_000),
        ("999999999", DAY_MS),
        ("9" * 400, DAY_MS),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("Wed, 99 Foo 2031 99:99:99 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY_MS),
        ("30, 60", None),
    ],
)
def test_any_retry_after_is_understood_or_left_out(
    header: str, wait: int | None, status: int, provider: str, scripted: Scripted
) -> None:
    assert _wait_of(scripted, provider, status, header) == wait


@providers
@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_may_be_a_date(status: int, provider: str, scripted: Scripted) -> None:
    asked = datetime.now(timezone.utc) + timedelta(seconds=90)
    wait = _wait_of(scripted, provider, status, format_datetime(asked, usegmt=True))
    # A date has no fraction of a second, and the call takes its time.
    assert wait is not None
    assert 60_000 < wait <= 90_000


@pytest.mark.parametrize("form", ["seconds", "date", "absent"])
def test_a_real_limit_at_gately_says_how_long_to_wait(form: Any, sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.gately.switches = GatelySwitches(rate_limit=True, retry_after=form)
    for _ in range(60):
        sandbox.gately.budgets.spend("key", limit=60)
    answer = gateway.send(CREATE, input={**PERSON, "providers": ["GATELY"]})
    fault = answer["errors"][0]["extensions"]["providers"][0]
    wait = fault.pop("retryAfterMs")
    expected = a_fault("GATELY", "RATE_LIMITED", 429, retryable=True)
    del expected["retryAfterMs"]
    assert without_message(fault) == expected
    assert wait is None if form == "absent" else 50_000 < wait <= 60_000
