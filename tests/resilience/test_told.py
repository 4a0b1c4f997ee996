"""What callers are told of calls, limits and circuits: in extensions.providers, Query.providers and the status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

import pytest

from gateway.domain.contact import Provider
from gateway.domain.errors import ProviderBroken
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.resilience.accounting import tallied
from gateway.resilience.breaker import Breaker
from gateway.resilience.events import ABANDONED, CircuitState, Outcome, PolicyEvents
from gateway.resilience.settings import ResilienceSettings
from gateway.resilience.standing import Standing, StatusBoard
from gateway.resilience.status import Watch
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.failures.outcomes import READ, contact_id, linked, operations

TOLD = {"tell_providers": "on", "tell_cost": "off"}
LIMITS = "{ providers { provider circuit status { circuit state } rateLimits { operation limit remaining resetAt } } }"


def spent(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """What each provider cost; times and limits are left for tests of their own."""
    told: list[dict[str, Any]] = answer["extensions"]["providers"]
    for one in told:
        assert one.pop("waitedMs") >= 0
        assert one.pop("spentMs") >= 0
        one.pop("rateLimits")
    return told


def cost(provider: str, *, calls: int = 0, hits: int = 0, shared: int = 0) -> dict[str, Any]:
    return {"provider": provider, "calls": calls, "cacheHits": hits, "sharedCalls": shared}


def test_each_called_provider_is_told_with_its_calls(start_gateway: Callable[..., Gateway]) -> None:
    gateway = start_gateway(**TOLD)
    answer = gateway.answer(READ, id=linked(gateway))

    assert spent(answer) == [cost(name, calls=1) for name in ("COMETLY", "GATELY", "KLEN")]


def test_retries_count_as_calls(start_gateway: Callable[..., Gateway], sandbox: Sandbox) -> None:
    sandbox.klen.faults.add(Fault(kind="status", status=500, count=1))
    answer = start_gateway(retries=1, retry_backoff_seconds=0.001, **TOLD).answer(READ, id=contact_id("KLEN"))

    assert spent(answer) == [cost("KLEN", calls=2)]


def test_a_record_that_was_kept_costs_no_call(start_gateway: Callable[..., Gateway], sandbox: Sandbox) -> None:
    gateway = start_gateway(read_cache_seconds=60, **TOLD)
    first, second = (gateway.answer(READ, id=contact_id("KLEN")) for _ in range(2))

    assert (spent(first), spent(second)) == ([cost("KLEN", calls=1)], [cost("KLEN", hits=1)])
    assert operations(sandbox.klen) == ["read"]


def test_an_answer_that_needed_nobody_says_so(start_gateway: Callable[..., Gateway]) -> None:
    assert start_gateway(**TOLD).answer("{ __typename }")["extensions"] == {"providers": []}


def test_a_write_tells_too(start_gateway: Callable[..., Gateway]) -> None:
    create = 'mutation { createContact(input: {firstName: "Ines", providers: [KLEN]}) { status } }'

    assert spent(start_gateway(**TOLD).answer(create)) == [cost("KLEN", calls=1)]


def test_switched_off_nothing_is_told(start_gateway: Callable[..., Gateway]) -> None:
    gateway = start_gateway(tell_providers="off", tell_cost="off")

    assert "extensions" not in gateway.answer(READ, id=contact_id("KLEN"))


def test_what_is_left_of_a_limit_stands_beside_it(start_gateway: Callable[..., Gateway]) -> None:
    gateway = start_gateway({"KLEN_CALLS_PER_MINUTE": "7"}, rate_budgets="on", **TOLD)
    (told,) = gateway.answer(READ, id=contact_id("KLEN"))["extensions"]["providers"]
    (budget,) = told["rateLimits"]

    assert datetime.fromisoformat(budget.pop("resetAt"))
    every = ["CREATE", "DELETE", "FIND_BY_EMAIL", "LIST", "READ", "UPDATE"]
    assert budget == {"operations": every, "limit": 7, "remaining": 6}


def test_the_limits_of_every_provider_are_a_field(start_gateway: Callable[..., Gateway]) -> None:
    gateway = start_gateway({"COMETLY_READS_PER_MINUTE": "5"}, rate_budgets="on")
    gateway.data(READ, id=contact_id("COMETLY"))
    told = {one["provider"]: one for one in gateway.data(LIMITS)["providers"]}
    cometly = {one["operation"]: (one["limit"], one["remaining"]) for one in told["COMETLY"]["rateLimits"]}

    # The sandbox tells how many it allows of reads; of the others nothing is known but the setting.
    read_limit, read_left = cometly.pop("READ")
    assert read_left == read_limit - 1
    assert cometly == {"CREATE": (60, 60), "LIST": (15, 15), "UPDATE": (60, 60)}
    assert [(one["limit"], one["remaining"]) for one in told["KLEN"]["rateLimits"]] == [(60, 60)] * 6


def test_without_budgets_there_are_none(start_gateway: Callable[..., Gateway]) -> None:
    assert [one["rateLimits"] for one in start_gateway().data(LIMITS)["providers"]] == [[], [], []]


def test_an_open_circuit_is_a_field(start_gateway: Callable[..., Gateway], sandbox: Sandbox) -> None:
    gateway = start_gateway(breaker="on", breaker_failures=2)
    sandbox.klen.faults.add(Fault(kind="status", status=500))
    for _ in range(2):
        gateway.send(READ, id=contact_id("KLEN"))
    told = {one["provider"]: (one["circuit"], one["status"]["circuit"]) for one in gateway.data(LIMITS)["providers"]}

    assert told == {"KLEN": ("OPEN", "OPEN"), "GATELY": ("CLOSED", "CLOSED"), "COMETLY": ("CLOSED", "CLOSED")}


@pytest.mark.parametrize("open_seconds", [0.02])
def test_a_circuit_that_opens_and_is_to_be_probed_is_told_to_whoever_watches(open_seconds: float) -> None:
    async def broken(_: Call) -> Reply:
        raise ProviderBroken(Provider.KLEN, "It failed.", upstream_status=500)

    async def test() -> None:
        settings = ResilienceSettings.model_construct(breaker_failures=1, breaker_open_seconds=open_seconds)
        clock = asyncio.get_running_loop().time
        breaker = Breaker(Provider.KLEN, "Klen AI", settings, clock=clock, events=PolicyEvents())
        standing = Standing(watch=Watch(Provider.KLEN), breaker=breaker)
        changes = StatusBoard({Provider.KLEN: standing}).changes([Provider.KLEN])
        assert (await anext(changes)).circuit is CircuitState.CLOSED
        with pytest.raises(ProviderBroken):
            await breaker.guarded(Provider.KLEN, broken)(Call("GET", "/1", kind=CallKind.READ))
        async with asyncio.timeout(5):
            assert (await anext(changes)).circuit is CircuitState.OPEN
            # Nobody calls meanwhile: it is told by the clock alone.
            assert (await anext(changes)).circuit is CircuitState.HALF_OPEN
        await changes.aclose()

    asyncio.run(test())


def test_the_gauges_show_every_budget(start_gateway: Callable[..., Gateway]) -> None:
    gateway = start_gateway({"KLEN_CALLS_PER_MINUTE": "7"}, rate_budgets="on", metrics="on")
    gateway.data(READ, id=contact_id("KLEN"))
    page = gateway.request("GET", "/metrics").text

    assert 'contact_gateway_rate_budget_limit_calls{budget="calls",provider="klen"} 7.0' in page
    assert 'contact_gateway_rate_budget_remaining_calls{budget="calls",provider="klen"} 6.0' in page
    assert 'contact_gateway_rate_budget_limit_calls{budget="list",provider="cometly"} 15.0' in page


def test_an_attempt_that_nobody_wants_any_more_is_no_answer() -> None:
    class Heard(PolicyEvents):
        outcomes: ClassVar[list[Outcome]] = []

        def attempted(self, provider: Provider, kind: CallKind, seconds: float, outcome: Outcome) -> None:
            self.outcomes.append(outcome)

    async def hang(_: Call) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError

    async def test() -> None:
        send = tallied(asyncio.get_running_loop().time, Heard())(Provider.KLEN, hang)
        calling = asyncio.ensure_future(send(Call("GET", "/1")))
        await asyncio.sleep(0)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)

    asyncio.run(test())
    assert Heard.outcomes == [ABANDONED]
