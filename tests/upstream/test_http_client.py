"""What goes over a real socket: sent as it was given, told before the first byte, and nothing twice."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest

from gateway.domain.contact import Provider
from gateway.domain.errors import ReplyUnreadable
from gateway.domain.exchange import CallKind
from gateway.upstream.foreign_errors import foreign_errors
from gateway.upstream.http_client import AiohttpClient, Question
from gateway.upstream.roots import verifying
from tests.upstream.certificates import self_signed, server_context
from tests.upstream.loopback import Answer, Loopback, read_whole, reply, saying, serving

T = TypeVar("T")


def at_loopback(
    answer: Answer | None,
    use: Callable[[AiohttpClient, Loopback], Awaitable[T]],
    *,
    keeps_open: bool = False,
) -> T:
    async def run() -> T:
        async with serving(answer, keeps_open=keeps_open) as loopback, aclosing(client()) as opened:
            return await use(opened, loopback)

    return asyncio.run(run())


def client(**given: Any) -> AiohttpClient:
    return AiohttpClient(connections=5, connect_seconds=5, **given)


async def ask(
    over: AiohttpClient, url: str, method: str = "GET", told: list[str] | None = None, **given: Any
) -> tuple[int, bytes, dict[str, str]]:
    """The answer, read to its end; `told` of when something may be sent."""
    said = told if told is not None else []
    answer = await over.ask(Question(method, url, given.pop("headers", {}), **given), lambda: said.append("sending"))
    return answer.status, await read_whole(answer), dict(answer.headers)


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

    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        await ask(over, loopback.base_url)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await ask(over, loopback.base_url, method)
        assert (len(loopback.requests), loopback.connections) == (2, 1)

    at_loopback(once, use)


def test_a_connection_is_kept_for_the_next_request() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        for _ in range(3):
            await ask(over, loopback.base_url)
        assert (len(loopback.requests), loopback.connections) == (3, 1)

    at_loopback(saying(reply(200, b"{}")), use)


def test_a_connection_that_was_closed_while_nobody_used_it_is_not_used_again() -> None:
    async def and_close(writer: asyncio.StreamWriter) -> None:
        writer.write(reply(200, b"{}"))
        await writer.drain()
        writer.close()

    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        for _ in range(3):
            await ask(over, loopback.base_url, "DELETE")
            await asyncio.sleep(0.01)
        assert (len(loopback.requests), loopback.connections) == (3, 3)

    at_loopback(and_close, use)


def test_an_answer_that_is_not_read_to_its_end_costs_its_connection() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        answer = await over.ask(Question("GET", loopback.base_url, {}), lambda: None)
        answer.close()
        await ask(over, loopback.base_url)
        assert loopback.connections == 2

    at_loopback(saying(reply(200, b"x" * 2**22)), use)


def test_the_first_byte_is_announced_once_for_every_request() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        told: list[str] = []
        for _ in range(2):
            await ask(over, loopback.base_url, told=told)
        assert told == ["sending"] * 2

    at_loopback(saying(reply(200, b"{}")), use)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://nowhere.invalid/"])
def test_nothing_is_announced_where_no_connection_comes_about(url: str) -> None:
    async def run() -> None:
        told: list[str] = []
        async with aclosing(client()) as over:
            with pytest.raises(aiohttp.ClientConnectorError):
                await ask(over, url, told=told)
        assert told == []

    asyncio.run(run())


def test_a_request_is_sent_as_it_was_given() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        url = f"{loopback.base_url}/a%2Fb/%3F?q=1%2B1&r=%20"
        headers = {"X-Thing": "Yes", "Accept": "application/json", "User-Agent": "us"}
        await ask(over, url, "PUT", headers=headers, content=b'{"a":1}')
        (head,) = loopback.requests
        first, *lines = head.strip().split("\r\n")
        assert first == "put /api/v1/a%2fb/%3f?q=1%2b1&r=%20 http/1.1"
        assert {line.partition(":")[0] for line in lines} == {
            *("host", "content-length", "x-thing", "accept", "user-agent"),
        }
        assert loopback.bodies == [b'{"a":1}']

    at_loopback(saying(reply(200, b"{}")), use)


@pytest.mark.parametrize(
    ("method", "length"), [("GET", None), ("HEAD", None), ("POST", "0"), ("PUT", "0"), ("PATCH", "0"), ("DELETE", "0")]
)
def test_without_a_body_only_writes_tell_its_length(method: str, length: str | None) -> None:
    """RFC 9110, section 8.6."""

    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        await ask(over, loopback.base_url, method)
        (head,) = loopback.requests
        told = {line.partition(":")[0]: line.partition(": ")[2] for line in head.strip().split("\r\n")[1:]}
        assert told == {"host": f"127.0.0.1:{loopback.port}"} | ({"content-length": length} if length else {})

    at_loopback(saying(reply(200)), use)


def test_each_request_has_its_own_headers() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        for number in (1, 2):
            await ask(over, loopback.base_url, headers={"X-Turn": str(number)})
        assert [f"x-turn: {number}" in head for number, head in enumerate(loopback.requests, 1)] == [True, True]

    at_loopback(saying(reply(200)), use)


@pytest.mark.parametrize(
    ("path", "headers", "error"),
    [
        ("/a b", {}, aiohttp.InvalidURL),
        ("/a\r\nX: 1", {}, aiohttp.InvalidURL),
        ("/\u00e4", {}, aiohttp.InvalidURL),
        ("/", {"X": "1\r\nY: 2"}, ValueError),
        ("/", {"X: 1\nY": "2"}, ValueError),
        ("/", {"X": "\0"}, ValueError),
    ],
)
def test_nothing_is_sent_that_would_be_another_request(path: str, headers: dict[str, str], error: type) -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        with pytest.raises(error):
            await ask(over, loopback.base_url + path, headers=headers)
        assert (loopback.requests, loopback.connections) == ([], 0)

    at_loopback(saying(reply(200)), use)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("ftp://127.0.0.1/", aiohttp.NonHttpUrlClientError),
        ("127.0.0.1/x", aiohttp.InvalidURL),
        ("http://127.0.0.1:x/", aiohttp.InvalidURL),
        ("http:///x", aiohttp.InvalidURL),
    ],
)
def test_what_is_no_url_is_told_as_such(url: str, error: type[Exception]) -> None:
    async def run() -> None:
        async with aclosing(client()) as over:
            with pytest.raises(error):
                await ask(over, url)

    asyncio.run(run())


def test_a_request_that_may_not_be_sent_costs_no_connection() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        def forbid() -> None:
            raise ZeroDivisionError

        # More often than there are connections.
        for _ in range(7):
            with pytest.raises(ZeroDivisionError):
                await asyncio.wait_for(over.ask(Question("GET", loopback.base_url, {}), forbid), 5)
        assert loopback.requests == []

    at_loopback(saying(reply(200)), use)


def test_cookies_are_not_kept() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        for _ in range(2):
            await ask(over, loopback.base_url)
        assert not any("cookie" in head for head in loopback.requests)

    at_loopback(saying(reply(200, b"{}", "Set-Cookie: a=b; Path=/")), use)


def test_a_redirect_is_an_answer() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        assert (await ask(over, loopback.base_url))[0] == 302
        assert len(loopback.requests) == 1

    at_loopback(saying(reply(302, b"", "Location: /elsewhere")), use)


def test_an_answer_that_is_compressed_all_the_same_is_read() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        assert (await ask(over, loopback.base_url))[1] == b'{"a":1}'

    at_loopback(saying(reply(200, gzip.compress(b'{"a":1}'), "Content-Encoding: gzip")), use)


def test_a_compressed_answer_that_is_broken_is_told_as_such() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        with pytest.raises(ReplyUnreadable), foreign_errors(Provider.KLEN, "Sample CRM", CallKind.READ):
            await ask(over, loopback.base_url)

    at_loopback(saying(reply(200, b"no gzip", "Content-Encoding: gzip")), use)


def test_headers_of_one_name_stand_together() -> None:
    async def use(over: AiohttpClient, loopback: Loopback) -> None:
        assert (await ask(over, loopback.base_url))[2]["x-limit"] == "1, 2"

    at_loopback(saying(reply(200, b"{}", "X-Limit: 1", "X-Limit: 2")), use)


# Encrypted


def test_an_encrypted_connection_with_a_certificate_that_is_trusted(tmp_path: Path, monkeypatch: Any) -> None:
    file = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    async def run() -> int:
        async with (
            serving(saying(reply(200, b"{}")), tls=server_context(file)) as loopback,
            aclosing(client(verify=verifying())) as over,
        ):
            return (await ask(over, loopback.base_url.replace("http:", "https:")))[0]

    assert asyncio.run(run()) == 200


def test_a_certificate_that_nobody_vouches_for_ends_before_anything_is_sent(tmp_path: Path) -> None:
    file = self_signed(tmp_path)

    async def run() -> list[str]:
        told: list[str] = []
        async with (
            serving(saying(reply(200, b"{}")), tls=server_context(file)) as loopback,
            aclosing(client(verify=verifying())) as over,
        ):
            with pytest.raises(aiohttp.ClientConnectorError):
                await ask(over, loopback.base_url.replace("http:", "https:"), told=told)
            return [*told, *loopback.requests]

    assert asyncio.run(run()) == []


def test_a_proxy_that_is_asked_in_plain_text_is_told_the_whole_url() -> None:
    async def run() -> str:
        async with serving(saying(reply(200, b"{}"))) as proxy:
            async with aclosing(client(proxy=f"http://us:secret@127.0.0.1:{proxy.port}")) as over:
                assert (await ask(over, "http://crm.invalid:81/a%2Fb?q=1"))[:2] == (200, b"{}")
            (head,) = proxy.requests
            return head

    assert asyncio.run(run()).strip().split("\r\n") == [
        "get http://crm.invalid:81/a%2fb?q=1 http/1.1",
        "host: crm.invalid:81",
        "proxy-authorization: basic dxm6c2vjcmv0",
    ]


def test_through_a_proxy_an_encrypted_request_is_told_to_nobody_else(tmp_path: Path, monkeypatch: Any) -> None:
    file = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    async def run() -> tuple[int, list[str], list[str]]:
        async with serving(saying(reply(200, b"{}")), tls=server_context(file)) as there:

            async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                to, back = await asyncio.open_connection("127.0.0.1", there.port)
                await asyncio.gather(_poured(reader, back), _poured(to, writer))

            heads: list[str] = []
            proxy = await asyncio.start_server(tunnel, "127.0.0.1", 0)
            port = proxy.sockets[0].getsockname()[1]
            async with aclosing(client(verify=verifying(), proxy=f"http://us:secret@127.0.0.1:{port}")) as over:
                status = (await ask(over, there.base_url.replace("http:", "https:")))[0]
            proxy.close()
            return status, [head.splitlines()[0] for head in heads], there.requests

    status, heads, requests = asyncio.run(run())
    assert status == 200
    assert [head.split(":")[0] for head in heads] == ["CONNECT 127.0.0.1"]
    assert requests[0].startswith("get /api/v1 ")
    assert "proxy-authorization" not in requests[0]


async def _poured(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        target.write(data)
    target.close()


def test_a_proxy_that_will_not_connect_has_sent_nothing() -> None:
    async def run() -> list[str]:
        async with serving(saying(reply(407))) as proxy:
            told: list[str] = []
            async with aclosing(client(proxy=f"http://127.0.0.1:{proxy.port}")) as over:
                with pytest.raises(aiohttp.ClientHttpProxyError):
                    await ask(over, "https://crm.invalid/", told=told)
            assert proxy.requests[0].startswith("connect crm.invalid:443 ")
            return told

    assert asyncio.run(run()) == []
