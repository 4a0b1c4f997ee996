"""docs/resilience.md, held against the code: the order of the policies, their numbers, and what an answer tells."""

import asyncio
import json
import re
from pathlib import Path

from gateway.connectors.klen.dialect import KlenDialect
from gateway.domain.exchange import CallKind
from gateway.resilience.operation import MAX_UPSTREAM_CALLS
from gateway.resilience.rate_limit import RateLimit
from gateway.resilience.settings import ResilienceSettings
from gateway.upstream.endpoint import Endpoint, Timeouts
from gateway.upstream.upstream import Conditions, Upstream
from tests.failures.outcomes import READ, contact_id

TEXT = (Path(__file__).parents[2] / "docs/resilience.md").read_text(encoding="utf-8")


def rows():
    table, _, _ = TEXT.partition("## What it cost")
    return {cells[1].strip().strip("`"): cells[2] for line in table.splitlines() if (cells := line.split("|"))[2:]}


def test_the_policies_stand_in_the_order_of_the_table():
    limits = (RateLimit(name="calls", kinds=frozenset(CallKind), calls=60),)
    endpoint = Endpoint(base_url="http://127.0.0.1:9", headers={})

    async def names():
        upstream = Upstream(endpoint, KlenDialect(), Conditions(), rate_limits=limits)
        await upstream.aclose()
        return [policy.__qualname__.split(".<locals>")[0].rpartition(".")[2] for policy in upstream.policies]

    assert list(rows())[2:] == asyncio.run(names())


def test_the_numbers_are_the_defaults():
    of = ResilienceSettings.model_construct()
    told = rows()

    assert f"up to {['no', 'one', 'two'][of.retries]} more attempts" in told["retried"]
    assert f"at most {MAX_UPSTREAM_CALLS} calls" in told["counted"]
    assert of.breaker_ratio == 0.5
    circuit = f"open after {of.breaker_failures} failures in a row or half of at least {of.breaker_calls} in"
    assert (
        f"{circuit} {of.breaker_window_seconds:g} s; one probe after {of.breaker_open_seconds:g} s" in told["guarded"]
    )
    assert f"waits {of.rate_wait_seconds:g} s at most" in told["waited_for"]
    assert f"{of.max_calls_at_once} calls at a time and {of.max_waiting_calls} that wait" in told["bounded"]
    timeouts = Timeouts()
    assert f"{timeouts.connect_seconds:g} s to connect, {timeouts.attempt_seconds:g} s from the first byte" in TEXT


def test_the_example_is_what_an_answer_tells(start_gateway):
    (shown,) = json.loads(re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)[0])
    gateway = start_gateway(rate_budgets="on", tell_providers="on")
    (told,) = gateway.answer(READ, id=contact_id("KLEN"))["extensions"]["providers"]

    for one in (shown, told):
        assert one.pop("spentMs") >= 0
        assert one.pop("waitedMs") >= 0
        assert one["rateLimits"][0].pop("resetAt").endswith("Z")
    assert told == shown
