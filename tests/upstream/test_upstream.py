"""What every call to a provider carries, and what it may not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from gateway.domain.errors import CallLimitReached, DeadlineExceeded, ProviderUnreachable
from gateway.domain.exchange import Call, CallKind
from gateway.resilience.operation import operation
from gateway.resilience.settings import ResilienceSettings
from gateway.upstream.endpoint import Endpoint, Timeouts
from gateway.upstream.proxy import UnusableProxy, is_loopback
from gateway.upstream.upstream import Conditions, Upstream
from tests.upstream.conftest import PlainDialect
from tests.upstream.loopback import Loopback, reply, saying, serving

READ = Call("GET", "/contacts/1")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def heads_of(
    call: Call,
    dialect: PlainDialect,
    *,
    base_path: str = "/api/v1",
    calls: int = 1,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """The heads of the requests that arrive, in lower case."""

    async def run() -> list[str]:
        async with serving(saying(reply(200, b"{}"))) as loopback:
            base_url = f"http://127.0.0.1:{loopback.port}{base_path}"
            carried = {"Authorization": "Bearer k-123", "X-Project-ID": "p-1", **headers}
            endpoint = Endpoint(base_url=base_url, headers=carried)
            upstream = Upstream(endpoint, dialect, Conditions())
            for _ in range(calls):
                await upstream.send(call)
            await upstream.aclose()
            return loopback.requests

    return asyncio.run(run())


@pytest.fixture
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_every_call_carries_the_credentials_and_asks_for_plain_json(dialect: PlainDialect) -> None:
    (head,) = heads_of(READ, dialect)
    lines = head.split("\r\n")
    assert "authorization: bearer k-123" in lines
    assert "x-project-id: p-1" in lines
    assert "accept: application/json" in lines
    # A small compressed answer could grow past every limit in one step.
    assert "accept-encoding: identity" in lines


def test_headers_of_a_provider_win_over_our_own(dialect: PlainDialect) -> None:
    (head,) = heads_of(READ, dialect, headers={"Accept": "application/vnd.crm+json"})
    assert [line for line in head.split("\r\n") if line.startswith("accept:")] == ["accept: application/vnd.crm+json"]


@pytest.mark.parametrize("base_path", ["/api/v1", "/api/v1/"])
@pytest.mark.parametrize("path", ["/contacts/1", "contacts/1"])
def test_the_path_of_a_call_stands_below_that_of_the_base_url(base_path: str, path: str, dialect: PlainDialect) -> None:
    (head,) = heads_of(Call("GET", path), dialect, base_path=base_path)
    assert head.startswith("get /api/v1/contacts/1 http/1.1\r\n")


@pytest.mark.parametrize("path", ["//evil.test/contacts", "/contacts/..%2F..%2Fadmin", "/contacts/%3Fa=b"])
def test_no_path_leads_away_from_the_provider(path: str, dialect: PlainDialect) -> None:
    (head,) = heads_of(Call("GET", path), dialect)
    assert head.startswith("get /api/v1/")
    assert "host: 127.0.0.1" in head


def test_a_connection_is_used_again(dialect: PlainDialect) -> None:
    assert len(heads_of(READ, dialect, calls=3)) == 3


def test_a_failure_is_raised_and_not_answered(dialect: PlainDialect) -> None:
    async def run() -> None:
        endpoint = Endpoint(base_url="http://127.0.0.1:1/api", headers={})
        upstream = Upstream(endpoint, dialect, Conditions(timeouts=Timeouts(connect_seconds=1)))
        with pytest.raises(ProviderUnreachable):
            await upstream.send(READ)
        await upstream.aclose()

    asyncio.run(run())


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(
    dialect: PlainDialect, without_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert len(heads_of(READ, dialect)) == 1


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_of_the_environment_is_used_for_other_machines(
    dialect: PlainDialect, without_proxies: None, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    async def run() -> list[str]:
        async with serving(saying(reply(200, b"{}"))) as proxy:
            monkeypatch.setenv("HTTP_PROXY", f"{scheme}127.0.0.1:{proxy.port}")
            upstream = Upstream(Endpoint(base_url="http://crm.invalid/api", headers={}), dialect, Conditions())
            await upstream.send(READ)
            await upstream.aclose()
            return proxy.requests

    (head,) = asyncio.run(run())
    assert head.startswith("get http://crm.invalid/api/contacts/1 http/1.1")


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("proxy", ["socks5://u:secret@127.0.0.1:1", "ftp://secret:1"])
def test_a_proxy_that_speaks_no_http_is_handed_nothing(
    dialect: PlainDialect, without_proxies: None, monkeypatch: pytest.MonkeyPatch, name: str, proxy: str
) -> None:
    monkeypatch.setenv(name, proxy)
    with pytest.raises(UnusableProxy, match=f"^{name}: .* NO_PROXY") as refused:
        Upstream(Endpoint(base_url="https://crm.invalid/api", headers={}), dialect, Conditions())
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://127.9.8.7", True),
        ("http://localhost:1", True),
        ("http://LOCALHOST", True),
        ("http://[::1]:8000/v1", True),
        ("https://api.klen.ai/api/v1", False),
        ("http://127.0.0.1.evil.test", False),
        ("http://localhost.evil.test", False),
        ("http://evil.test/127.0.0.1", False),
        ("http://127.0.0.1@evil.test", False),
        ("http://10.0.0.1", False),
        ("nonsense", False),
        ("", False),
    ],
)
def test_only_this_very_machine_is_loopback(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_credentials_do_not_show_in_a_representation(dialect: PlainDialect) -> None:
    endpoint = Endpoint(base_url="http://127.0.0.1:9", headers={"Authorization": "Bearer k-123"})
    upstream = Upstream(endpoint, dialect, Conditions())
    shown = f"{endpoint!r} {endpoint} {upstream!r} {upstream.send_through!r} {upstream._client!r}"
    asyncio.run(upstream.aclose())
    assert "k-123" not in shown


def upstream_with(dialect: PlainDialect, **chosen: Any) -> Upstream:
    settings = ResilienceSettings.model_construct(**chosen)
    upstream = Upstream(Endpoint(base_url="http://127.0.0.1:9", headers={}), dialect, Conditions(settings=settings))
    asyncio.run(upstream.aclose())
    return upstream


def names_of(upstream: Upstream) -> list[str]:
    return [policy.__qualname__.removesuffix(".<locals>.around") for policy in upstream.policies]


def test_the_policies_stand_in_one_order(dialect: PlainDialect) -> None:
    assert names_of(upstream_with(dialect)) == [
        "permitted",
        "within_deadline",
        "Flights.joined",
        "retried",
        "counted",
        "Breaker.guarded",
        "Bulkhead.bounded",
        "tallied",
        "Watch.watched",
    ]


def test_what_is_switched_off_does_not_stand_among_them(dialect: PlainDialect) -> None:
    upstream = upstream_with(dialect, retries=0, breaker="off")

    assert {"retried", "Breaker.guarded"} & set(names_of(upstream)) == set()
    assert upstream.breaker is None


def test_there_are_as_many_connections_as_calls_at_once(dialect: PlainDialect) -> None:
    """A call that got its turn would wait a second time, and fail as if the provider could not be reached."""
    assert upstream_with(dialect, max_calls_at_once=7)._client.connections == 7


def test_closing_ends_the_reads_under_way(dialect: PlainDialect) -> None:
    async def run() -> None:
        async with serving(None) as loopback:
            upstream = Upstream(Endpoint(base_url=loopback.base_url, headers={}), dialect, Conditions())
            with operation(deadline_seconds=30, shares_reads=True):
                reading = asyncio.ensure_future(upstream.send(READ))
                while not loopback.requests:  # noqa: ASYNC110  (the server changes it)
                    await asyncio.sleep(0.001)
                await upstream.aclose()
                with pytest.raises(ProviderUnreachable, match="being stopped"):
                    await reading

    asyncio.run(run())


def test_the_policies_stand_around_every_call(dialect: PlainDialect) -> None:
    """Neither a call past the deadline nor one too many reaches the provider."""

    async def run(loopback: Loopback, upstream: Upstream, sent: Callable[[], int]) -> None:
        with operation(deadline_seconds=30, max_calls=1) as running:
            await upstream.send(READ)
            assert (running.calls_left, sent()) == (0, 1)
            with pytest.raises(CallLimitReached):
                await upstream.send(READ)
        with operation(deadline_seconds=0):
            for kind in CallKind:
                with pytest.raises(DeadlineExceeded):
                    await upstream.send(Call("GET", "/contacts", kind=kind))
        assert sent() == 1

    async def served() -> None:
        async with serving(saying(reply(200, b"{}"))) as loopback:
            upstream = Upstream(Endpoint(base_url=loopback.base_url, headers={}), dialect, Conditions())
            await run(loopback, upstream, lambda: len(loopback.requests))
            await upstream.aclose()

    asyncio.run(served())
