"""What every call to a provider carries, and what it may not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from gateway.domain.errors import CallLimitReached, DeadlineExceeded, ProviderUnreachable
from gateway.domain.exchange import Call, CallKind
from gateway.resilience.call_limit import counted
from gateway.resilience.deadline import within_deadline
from gateway.resilience.operation import operation
from gateway.upstream.upstream import Conditions, Endpoint, Timeouts, Upstream, is_loopback
from tests.upstream.conftest import PlainDialect
from tests.upstream.loopback import Loopback, reply, saying, serving

READ = Call("GET", "/contacts/1")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def heads_of(call: Call, dialect: PlainDialect, *, base_path: str = "/api/v1", calls: int = 1) -> list[str]:
    """The heads of the requests that arrive, in lower case."""

    async def run() -> list[str]:
        async with serving(saying(reply(200, b"{}"))) as loopback:
            base_url = f"http://127.0.0.1:{loopback.port}{base_path}"
            endpoint = Endpoint(base_url=base_url, headers={"Authorization": "Bearer k-123", "X-Project-ID": "p-1"})
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
    endpoint = Endpoint(base_url="http://127.0.0.1:9", headers={"Accept": "application/vnd.crm+json"})
    upstream = Upstream(endpoint, dialect, Conditions())
    assert upstream._client.headers["accept"] == "application/vnd.crm+json"
    asyncio.run(upstream.aclose())


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


def test_a_proxy_of_the_environment_is_used_for_other_machines(
    dialect: PlainDialect, without_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> list[str]:
        async with serving(saying(reply(200, b"{}"))) as proxy:
            monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
            upstream = Upstream(Endpoint(base_url="http://crm.invalid/api", headers={}), dialect, Conditions())
            await upstream.send(READ)
            await upstream.aclose()
            return proxy.requests

    (head,) = asyncio.run(run())
    assert head.startswith("get http://crm.invalid/api/contacts/1 http/1.1")


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


def test_the_deadline_is_asked_before_the_calls_are_counted(dialect: PlainDialect) -> None:
    upstream = Upstream(Endpoint(base_url="http://127.0.0.1:9", headers={}), dialect, Conditions())
    asyncio.run(upstream.aclose())

    assert [one for one in upstream.policies if one in (within_deadline, counted)] == [within_deadline, counted]


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
