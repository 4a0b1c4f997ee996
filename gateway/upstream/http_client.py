"""One HTTP request over aiohttp: sent once, with the moment told from which on something may have been sent.

Why aiohttp, and without httpx's API around it: docs/adr/0014 and 0020.
"""

import ssl
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Protocol, TypeAlias

import aiohttp
from msgspec import Struct
from yarl import URL

Sending: TypeAlias = Callable[[], None]
"""Called before the first byte goes out; what is raised before that has sent nothing."""


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
    async def ask(self, question: Question, sending: Sending) -> Answered:
        """
        Raises:
            aiohttp.ClientError, OSError: as the table in `gateway.upstream.foreign_errors` says.
        """

    async def aclose(self) -> None: ...


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
        self._timeout = aiohttp.ClientTimeout(total=None, connect=2 * connect_seconds, sock_connect=connect_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, question: Question, sending: Sending) -> Answered:
        session = self._session or self._open()
        token = _sending.set(sending)
        try:
            response = await session.request(
                question.method,
                URL(question.url, encoded=True),
                headers=question.headers,
                data=question.content,
                allow_redirects=False,
                proxy=self._proxy,
                timeout=self._timeout,
            )
        finally:
            # It leads to the task, whose context this is.
            _sending.reset(token)
        return _Answered(response)

    def _open(self) -> aiohttp.ClientSession:
        connector = _Telling(limit=self.connections, keepalive_timeout=self._keep_alive_seconds, ssl=self._verify)
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        # Expected: a request is sent once. Actual: GET, PUT and DELETE are sent again when a connection that was kept
        # is closed before the answer, and only a name that is not public keeps aiohttp from it.
        # https://github.com/aio-libs/aiohttp/issues/10790
        session._retry_connection = False
        self._session = session
        return session

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


class _Answered:
    __slots__ = ("_response", "headers", "piece", "status")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = _joined(response.headers)
        self.piece = response.content.readany

    def close(self) -> None:
        self._response.release()


def _joined(headers: Mapping[str, str]) -> dict[str, str]:
    """RFC 9110, section 5.3. `headers` may name one several times."""
    joined: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


_sending: ContextVar[Sending] = ContextVar("sending")


class _Telling(aiohttp.TCPConnector):
    """Tells when a connection is there: nothing lies between that and the first byte. aiohttp's tracing tells it too,
    and much else on the way, which takes longer than all that it is told for."""

    async def connect(self, *given: Any, **named: Any) -> aiohttp.connector.Connection:
        connection = await super().connect(*given, **named)
        _sending.get()()
        return connection
