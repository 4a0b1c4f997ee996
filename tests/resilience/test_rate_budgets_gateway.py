"""Through a whole gateway: the provider never has to say 429, and whoever asks hears when to come again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.main import build_connectors
from gateway.sandbox.sandbox import Sandbox
from gateway.settings import WrongSettings, read_gateway_settings
from tests.conftest import Gateway
from tests.graphql.ids import contact_id

READ = "query ($id: ID!) { contact(id: $id) { records { name } } }"
CLOSED_PORT = "redis://:a-password@127.0.0.1:1/0"
READS = 3


def ids_of(sandbox: Sandbox, count: int) -> list[str]:
    return [contact_id("cometly", remote_id) for remote_id in list(sandbox.cometly.contacts)[:count]]


def limited(sandbox: Sandbox) -> None:
    sandbox.cometly.switches = replace(sandbox.cometly.switches, rate_limit=True, reads_a_minute=READS)


@pytest.mark.parametrize("redis_url", [None, CLOSED_PORT], ids=["in process", "without the Redis that is set"])
def test_calls_beyond_the_limit_are_refused_here_and_not_there(
    start_gateway: Callable[..., Gateway], sandbox: Sandbox, redis_url: str | None
) -> None:
    limited(sandbox)
    gateway = start_gateway(
        {"COMETLY_READS_PER_MINUTE": f"{READS}"}, rate_budgets="on", rate_wait_seconds=0, redis_url=redis_url
    )
    answers = [gateway.send(READ, id=one) for one in ids_of(sandbox, READS + 2)]

    assert [("errors" in answer) for answer in answers] == [False] * READS + [True] * 2
    for answer in answers[READS:]:
        (error,) = answer["errors"]
        told = error["extensions"]
        assert (error["path"], told["code"], told["retryable"]) == (["contact", "records", 0], "RATE_LIMITED", True)
        assert 0 < told["retryAfterMs"] <= 60_100
    assert len(sandbox.cometly.requests) == READS


def test_a_told_limit_lets_more_through_than_the_setting(
    start_gateway: Callable[..., Gateway], sandbox: Sandbox
) -> None:
    limited(sandbox)
    gateway = start_gateway({"COMETLY_READS_PER_MINUTE": "1"}, rate_budgets="on", rate_wait_seconds=0)
    answers = [gateway.send(READ, id=one) for one in ids_of(sandbox, READS + 1)]

    assert [("errors" in answer) for answer in answers] == [False] * READS + [True]
    assert len(sandbox.cometly.requests) == READS


def test_two_gateways_over_one_redis_keep_one_limit(
    start_gateway: Callable[..., Gateway],
    sandbox: Sandbox,
    redis_url: str,
    redis_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.resilience.redis_budget.SharedSlots", _below(redis_prefix))
    limited(sandbox)
    settings: dict[str, Any] = {"rate_budgets": "on", "rate_wait_seconds": 0, "redis_url": redis_url}
    gateways = [start_gateway({"COMETLY_READS_PER_MINUTE": f"{READS}"}, **settings) for _ in range(2)]
    wanted = ids_of(sandbox, READS + 3)
    answers = [gateways[place % 2].send(READ, id=one) for place, one in enumerate(wanted)]

    assert [("errors" in answer) for answer in answers] == [False] * READS + [True] * 3
    assert len(sandbox.cometly.requests) == READS


def _below(prefix: str) -> Callable[..., Any]:
    from gateway.resilience.redis_budget import SharedSlots

    return lambda *arguments, **named: SharedSlots(*arguments, **named, prefix=prefix)


def test_switched_off_the_provider_has_to_say_so(start_gateway: Callable[..., Gateway], sandbox: Sandbox) -> None:
    limited(sandbox)
    gateway = start_gateway({"COMETLY_READS_PER_MINUTE": f"{READS}"}, rate_budgets="off")
    for one in ids_of(sandbox, READS + 1):
        gateway.send(READ, id=one)
    assert len(sandbox.cometly.requests) == READS + 1


@pytest.mark.parametrize(
    "url", ["redis://:a-password@127.0.0.1:port/0", "redis://127.0.0.1/0?a-password=1", "http://a-password@127.0.0.1"]
)
def test_a_wrong_url_names_its_variable_and_is_not_repeated(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_REDIS_URL", url)
    with pytest.raises(WrongSettings) as refused:
        build_connectors(read_gateway_settings())
    assert str(refused.value).startswith("GATEWAY_REDIS_URL: ")
    assert "redis://" in str(refused.value)
    assert "a-password" not in f"{refused.value} {refused.value.__cause__}"
