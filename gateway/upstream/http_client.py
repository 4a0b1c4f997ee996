"""One HTTP request over a connection of aiohttp's: sent once, with the moment told from which on it may be under way.

Why aiohttp makes and keeps the connections, and why it does not ask over them: docs/adr/0014, 0020 and 0022.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

import aiohttp
from msgspec import Struct
from yarl import URL

from gateway.upstream.http_answer import HttpAnswer, OutOfTime

Sending: TypeAlias = Callable[[], float | None]
"""Called before the first byte goes out; what is raised before that has sent nothing. How many seconds the answer may
take from then on, to its last byte."""


class Question(Struct, frozen=True):
    """`url` is absolute and percent-encoded, `content` the whole body."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = None


class Answered(Protocol):
    """An answer whose head has come. Names of headers are in lower case, those of one name stand together."""

    status: int
    headers: Mapping[str, str]

    async def piece(self) -> bytes:
        """What has come of the body next, without its compression; empty at its end."""

    def close(self) -> None:
        """Of a body that was not read to its end the connection is closed too."""


class HttpClient(Protocol):
    async def ask(self, question: Question, sending: Sending, within: float | None = None) -> Answered:
        """`within` so many seconds the connection has to be there.

        Raises:
            aiohttp.ClientError, OSError: as the table in `gateway.upstream.foreign_errors` says.
            OutOfTime: what was given is over.
        """

    async def aclose(self) -> None: ...


_NO_TARGET = re.compile(r"[^!-~]")
_NO_FIELD = re.compile(r"[\r\n\0]")
# aiohttp takes nothing for no limit, and makes whole seconds of what is longer than a threshold.
_LEAST_SECONDS = 0.001
_NEVER_ROUNDED = 1e9
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class _Site(Struct, frozen=True):
    """Where requests go: `way` is what aiohttp makes a connection for, `before` what stands before the path, `fields`
    what every head to it holds."""

    way: aiohttp.ClientRequest
    before: str
    fields: str


class AiohttpClient:
    """For one event loop: that of the first question. Close it in the end.

    Redirects are not followed, and nothing is sent again. `connect_seconds` are for a connection that is free, and
    again for one that has to be made; how long an answer may take is for whoever asks to say.
    """

    def __init__(
        self,
        *,
        connections: int,
        connect_seconds: float,
        keep_alive_seconds: float = 30,
        verify: ssl.SSLContext | bool = True,
        proxy: str | None = None,
    ) -> None:
        self.connections = connections
        self._keep_alive_seconds = keep_alive_seconds
        self._verify = verify
        self._proxy = proxy
        self._connect_seconds = connect_seconds
        self._timeout = self._timeout_of(2 * connect_seconds)
        self._connector: aiohttp.TCPConnector | None = None
        self._sites: dict[str, _Site] = {}
        # Most calls have the same ones.
        self._last_headers: tuple[Mapping[str, str] | None, str] = (None, "")

    async def ask(self, question: Question, sending: Sending, within: float | None = None) -> Answered:
        # With the path of nothing where the URL has none.
        end = question.url.find("/", question.url.find("://") + 3)
        name, target = (question.url, "/") if end < 0 else (question.url[:end], question.url[end:])
        if _NO_TARGET.search(target):
            raise aiohttp.InvalidURL(question.url)
        site = self._sites.get(name) or self._site(name)
        written = self._written(question, site, target)
        connection = await self._connection(site.way, within)
        try:
            seconds = sending()
            transport = connection.transport
            if transport is None or transport.is_closing():
                raise aiohttp.ClientConnectionResetError("The connection was closed before anything was sent.")
            answer = HttpAnswer(connection, question.method, seconds)
            transport.set_protocol(answer)
        except BaseException:
            connection.close()
            raise
        try:
            transport.write(written)
            await answer.begun()
        except BaseException:
            answer.close()
            raise
        return answer

    async def aclose(self) -> None:
        if self._connector is not None:
            await self._connector.close()

    async def _connection(self, way: aiohttp.ClientRequest, within: float | None) -> aiohttp.connector.Connection:
        for _ in range(self.connections + 1):
            connection = await self._connected(way, within)
            if connection.protocol is not None and not connection.protocol.should_close:
                return connection
            # Something came while nobody had asked: it must not be taken for an answer.
            connection.close()
        raise aiohttp.ConnectionTimeoutError("No connection that is silent before it is asked.")

    async def _connected(self, way: aiohttp.ClientRequest, within: float | None) -> aiohttp.connector.Connection:
        """One that is kept is there at once, without a timer."""
        connector, timeout = self._connector or self._open(), self._timeout
        is_hurried = within is not None and within < 2 * self._connect_seconds
        if within is not None and is_hurried:
            timeout = self._timeout_of(max(within, _LEAST_SECONDS))
        try:
            return await connector.connect(way, [], timeout)
        except TimeoutError as error:
            if is_hurried and not isinstance(error, aiohttp.ConnectionTimeoutError):
                raise OutOfTime from error
            raise aiohttp.ConnectionTimeoutError("No connection in time.") from error

    def _timeout_of(self, seconds: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(
            total=None, connect=seconds, sock_connect=self._connect_seconds, ceil_threshold=_NEVER_ROUNDED
        )

    def _open(self) -> aiohttp.TCPConnector:
        self._connector = aiohttp.TCPConnector(
            limit=self.connections, keepalive_timeout=self._keep_alive_seconds, ssl=self._verify
        )
        return self._connector

    def _site(self, name: str) -> _Site:
        try:
            url = URL(name).origin()
            proxy = URL(self._proxy) if self._proxy else None
        except ValueError as error:
            raise aiohttp.InvalidURL(name) from error
        if url.scheme not in ("http", "https"):
            raise aiohttp.NonHttpUrlClientError(name)
        way = aiohttp.ClientRequest("GET", url, loop=asyncio.get_running_loop(), proxy=proxy)
        before, fields = "", f"Host: {way.headers['Host']}\r\n"
        if proxy is not None and url.scheme == "http":
            # RFC 9112, section 3.2.2: a proxy that is asked in plain text is told the whole URL.
            before = str(url).rstrip("/")
            if proxy.user is not None:
                allowed = aiohttp.encode_basic_auth(proxy.user, proxy.password or "", "latin1")
                fields += f"Proxy-Authorization: {allowed}\r\n"
        site = self._sites[name] = _Site(way, before, fields)
        return site

    def _written(self, question: Question, site: _Site, target: str) -> bytes:
        content, length = question.content or b"", ""
        if question.content is not None or question.method not in _WITHOUT_BODY:
            length = f"Content-Length: {len(content)}\r\n"
        fields = self._fields(question.headers)
        head = f"{question.method} {site.before}{target} HTTP/1.1\r\n{site.fields}{fields}{length}\r\n"
        return head.encode() + content

    def _fields(self, headers: Mapping[str, str]) -> str:
        known, fields = self._last_headers
        if headers is known:
            return fields
        if any(_NO_FIELD.search(name) or _NO_FIELD.search(value) for name, value in headers.items()):
            raise ValueError("a header would be more than one line")
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._last_headers = (headers, fields)
        return fields
