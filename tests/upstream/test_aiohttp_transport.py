"""aiohttp under httpx's API: what it raises, what it sends, and that it sends nothing twice."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import httpx
import pytest

from gateway.upstream.aiohttp_transport import FOREIGN, AiohttpTransport, httpx_errors
from tests.upstream.certificates import self_signed, server_context
from tests.upstream.loopback import Answer, Loopback, reply, saying, serving

T = TypeVar("T")
SECONDS = {"pool": 5.0, "connect": 5.0}

# What each exception of aiohttp says about the bytes of the request, by its documentation.
NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol, httpx.InvalidURL)
EXPECTED: dict[type[Exception], type[Exception]] = {
    aiohttp.ClientConnectorDNSError: httpx.ConnectError,
    aiohttp.ClientConnectorSSLError: httpx.ConnectError,
    aiohttp.ClientConnectorCertificateError: httpx.ConnectError,
    aiohttp.client_exceptions.UnixClientConnectorError: httpx.ConnectError,
    aiohttp.ServerFingerprintMismatch: httpx.ConnectError,
    aiohttp.ConnectionTimeoutError: httpx.ConnectTimeout,
    aiohttp.ClientProxyConnectionError: httpx.ProxyError,
    aiohttp.ClientHttpProxyError: httpx.ProxyError,
    aiohttp.InvalidUrlRedirectClientError: httpx.InvalidURL,
    aiohttp.NonHttpUrlRedirectClientError: httpx.UnsupportedProtocol,
    # The request, or a part of it, may have gone out.
    aiohttp.SocketTimeoutError: httpx.ReadTimeout,
    aiohttp.ServerDisconnectedError: httpx.ReadError,
    aiohttp.ClientConnectionResetError: httpx.ReadError,
    aiohttp.ClientPayloadError: httpx.ReadError,
    aiohttp.TooManyRedirects: httpx.RemoteProtocolError,
    aiohttp.ContentTypeError: httpx.RemoteProtocolError,
    aiohttp.WSServerHandshakeError: httpx.RemoteProtocolError,
}


def tree(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def leaves() -> set[type[Exception]]:
    every = (one for one in tree(aiohttp.ClientError) if one.__module__.startswith("aiohttp"))
    return {one for one in every if not one.__subclasses__()}


def translated(error: type[Exception]) -> Exception:
    raised = error.__new__(error)
    with pytest.raises((httpx.TransportError, httpx.InvalidURL)) as caught, httpx_errors():
        raise raised
    assert caught.value.__cause__ is raised
    return caught.value


def test_every_exception_of_aiohttp_has_an_expectation() -> None:
    missing = {one.__name__ for one in leaves()} - {one.__name__ for one in EXPECTED}
    # Of uploads in parts, which nobody makes here.
    assert missing <= {"UploadAbortedError"}


@pytest.mark.parametrize(("foreign", "theirs"), EXPECTED.items(), ids=lambda one: one.__name__)
def test_an_exception_becomes_the_one_of_httpx_that_tells_what_was_sent(
    foreign: type[Exception], theirs: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "__str__", lambda _: "foreign words")
    assert type(translated(foreign)) is theirs


def test_what_nobody_knows_yet_may_have_been_sent() -> None:
    class OfTomorrow(aiohttp.ClientError):
        pass

    assert not isinstance(translated(OfTomorrow), NOTHING_SENT)
    assert {aiohttp.ClientError, aiohttp.ClientConnectionError} <= FOREIGN.keys()


# What goes over a real socket


def at_loopback(
    answer: Answer | None,
    use: Callable[[AiohttpTransport, Loopback], Awaitable[T]],
    *,
    keeps_open: bool = False,
) -> T:
    async def run() -> T:
        async with serving(answer, keeps_open=keeps_open) as loopback, transport() as opened:
            return await use(opened, loopback)

    return asyncio.run(run())


def transport(**given: Any) -> AiohttpTransport:
    return AiohttpTransport(limits=httpx.Limits(max_connections=5, keepalive_expiry=30), **given)


async def ask(
    over: AiohttpTransport, url: str, method: str = "GET", told: list[str] | None = None, **given: Any
) -> httpx.Response:
    """The answer, read to its end; `told` of what the trace hears."""

    async def trace(event: str, _: dict[str, Any]) -> None:
        if told is not None:
            told.append(event)

    request = httpx.Request(method, url, extensions={"timeout": SECONDS, "trace": trace}, **given)
    response = await over.handle_async_request(request)
    await response.aread()
    await response.aclose()
    return response


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"])
def test_a_request_whose_kept_connection_breaks_off_is_not_sent_again(method: str) -> None:
    """aiohttp would send the idempotent ones again, by itself: a deletion, an update."""
    answers = iter([reply(200, b"{}"), b""])

    async def once(writer: asyncio.StreamWriter) -> None:
        said = next(answers)
        writer.write(said)
        await writer.drain()
        if not said:
            writer.transport.abort()

    async def use(over: AiohttpTransport, loopback: Loopback) -> None:
        await ask(over, loopback.base_url)
        with pytest.raises(httpx.ReadError):
            await ask(over, loopback.base_url, method)
        assert (len(loopback.requests), loopback.connections) == (2, 1)

    at_loopback(once, use)


def test_a_connection_is_kept_for_the_next_request() -> None:
    async def use(over: AiohttpTransport, loopback: Loopback) -> None:
        for _ in range(3):
            await ask(over, loopback.base_url)
        assert (len(loopback.requests), loopback.connections) == (3, 1)

    at_loopback(saying(reply(200, b"{}")), use)


def test_a_connection_that_was_closed_while_nobody_used_it_is_not_used_again() -> None:
    async def and_close(writer: asyncio.StreamWriter) -> None:
        writer.write(reply(200, b"{}"))
        await writer.drain()
        writer.close()

    async def use(over: AiohttpTransport, loopback: Loopback) -> None:
        for _ in range(3):
            await ask(over, loopback.base_url, "DELETE")
            await asyncio.sleep(0.01)
        assert (len(loopback.requests), loopback.connections) == (3, 3)

    at_loopback(and_close, use)


def test_an_answer_that_is_not_read_to_its_end_costs_its_connection() -> None:
    async def use(over: AiohttpTransport, loopback: Loopback) -> None:
        request = httpx.Request("GET", loopback.base_url, extensions={"timeout": SECONDS})
        response = await over.handle_async_request(request)
        await response.aclose()
        await ask(over, loopback.base_url)
        assert loopback.connections == 2

    at_loopback(saying(reply(200, b"x" * 2**22)), use)


def test_the_first_byte_is_announced_once_for_every_request() -> None:
    async def use(over: AiohttpTransport, loopback: Loopback) -> None:
        told: list[str] = []
        for _ in range(2):
            await ask(over, loopback.base_url, told=told)
        assert told == ["http11.send_request_headers.started"] * 2

    at_loopback(saying(reply(200, b"{}")), use)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://nowhere.invalid/"])
def test_nothing_is_announced_where_no_connection_comes_about(url: str) -> None:
    async def run() -> None:
        told: list[str] = []
        async with transport() as over:
            with pytest.raises(httpx.ConnectError):
                await ask(over, url, told=told)
        assert told == []

    asyncio.run(run())


def test_a_request_is_sent_as_it_was_given() -> None:
    async def use(over: AiohttpTransport, loopback: Loopback) -> None:
        url = f"{loopback.base_url}/a%2Fb/%3F?q=1%2B1&r=%20"
        headers = {"X-Thing": "Yes", "Accept": "application/json", "User-Agent": "us"}
        await ask(over, url, "PUT", headers=headers, content=b'{"a":1}')
        (head,) = loopback.requests
        first, *lines = head.strip().split("\r\n")
        assert first == "put /api/v1/a%2fb/%3f?q=1%2b1&r=%20 http/1.1"
        assert {line.partition(":")[0] for line in lines} == {
            *("host", "content-length", "x-thing", "accept", "user-agent", "content-type", "accept-encoding"),
        }
        assert loopback.bodies == [b'{"a":1}']

    at_loopback(saying(reply(200, b"{}")), use)


def test_cookies_are_not_kept() -> None:
    async def use(over: AiohttpTransport, loopback: Loopback) -> None:
        for _ in range(2):
            await ask(over, loopback.base_url)
        assert not any("cookie" in head for head in loopback.requests)

    at_loopback(saying(reply(200, b"{}", "Set-Cookie: a=b; Path=/")), use)


def test_a_redirect_is_an_answer() -> None:
    async def use(over: AiohttpTransport, loopback: Loopback) -> None:
        assert (await ask(over, loopback.base_url)).status_code == 302
        assert len(loopback.requests) == 1

    at_loopback(saying(reply(302, b"", "Location: /elsewhere")), use)


def test_a_compressed_answer_is_httpx_s_to_read() -> None:
    async def use(over: AiohttpTransport, loopback: Loopback) -> None:
        assert (await ask(over, loopback.base_url)).content == b'{"a":1}'

    at_loopback(saying(reply(200, gzip.compress(b'{"a":1}'), "Content-Encoding: gzip")), use)


def test_a_compressed_answer_that_is_broken_is_told_as_such() -> None:
    async def use(over: AiohttpTransport, loopback: Loopback) -> None:
        with pytest.raises(httpx.DecodingError):
            await ask(over, loopback.base_url)

    at_loopback(saying(reply(200, b"no gzip", "Content-Encoding: gzip")), use)


def test_headers_of_one_name_stand_together() -> None:
    async def use(over: AiohttpTransport, loopback: Loopback) -> None:
        assert (await ask(over, loopback.base_url)).headers["x-limit"] == "1, 2"

    at_loopback(saying(reply(200, b"{}", "X-Limit: 1", "X-Limit: 2")), use)


# Encrypted


def test_an_encrypted_connection_with_a_certificate_that_is_trusted(tmp_path: Path, monkeypatch: Any) -> None:
    file = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    async def run() -> int:
        async with (
            serving(saying(reply(200, b"{}")), tls=server_context(file)) as loopback,
            transport(verify=httpx.create_ssl_context()) as over,
        ):
            return (await ask(over, loopback.base_url.replace("http:", "https:"))).status_code

    assert asyncio.run(run()) == 200


def test_a_certificate_that_nobody_vouches_for_ends_before_anything_is_sent(tmp_path: Path) -> None:
    file = self_signed(tmp_path)

    async def run() -> list[str]:
        told: list[str] = []
        async with (
            serving(saying(reply(200, b"{}")), tls=server_context(file)) as loopback,
            transport(verify=httpx.create_ssl_context()) as over,
        ):
            with pytest.raises(httpx.ConnectError):
                await ask(over, loopback.base_url.replace("http:", "https:"), told=told)
            return [*told, *loopback.requests]

    assert asyncio.run(run()) == []


def test_a_proxy_that_will_not_connect_has_sent_nothing() -> None:
    async def run() -> list[str]:
        async with serving(saying(reply(407))) as proxy:
            told: list[str] = []
            async with transport(proxy=f"http://127.0.0.1:{proxy.port}") as over:
                with pytest.raises(httpx.ProxyError):
                    await ask(over, "https://crm.invalid/", told=told)
            assert proxy.requests[0].startswith("connect crm.invalid:443 ")
            return told

    assert asyncio.run(run()) == []
