"""httpx's transport over aiohttp: the same API for a sixth of the processor time, and nothing is sent twice.

Why not httpx's own, nor that of httpx-aiohttp: docs/adr/0014.
"""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
import httpx
from yarl import URL

FOREIGN: Final[dict[type[Exception], type[httpx.TransportError | httpx.InvalidURL]]] = {
    aiohttp.InvalidURL: httpx.InvalidURL,
    aiohttp.NonHttpUrlClientError: httpx.UnsupportedProtocol,
    # No connection came about, so nothing was sent.
    aiohttp.ClientConnectorError: httpx.ConnectError,
    aiohttp.ServerFingerprintMismatch: httpx.ConnectError,
    aiohttp.ConnectionTimeoutError: httpx.ConnectTimeout,
    aiohttp.ClientProxyConnectionError: httpx.ProxyError,
    aiohttp.ClientHttpProxyError: httpx.ProxyError,
    # From here on something may have been.
    aiohttp.ServerTimeoutError: httpx.ReadTimeout,
    aiohttp.ClientConnectionError: httpx.ReadError,
    aiohttp.ClientPayloadError: httpx.ReadError,
    aiohttp.ClientResponseError: httpx.RemoteProtocolError,
    aiohttp.ClientError: httpx.ReadError,
}
"""The most specific class that an exception is an instance of decides."""


@contextmanager
def httpx_errors() -> Iterator[None]:
    try:
        yield
    except aiohttp.ClientError as error:
        meaning = next(FOREIGN[parent] for parent in type(error).__mro__ if parent in FOREIGN)
        raise meaning(str(error)) from error


class AiohttpTransport(httpx.AsyncBaseTransport):
    """For one event loop: that of the first request. Close it in the end.

    Bodies of requests are whole, redirects are not followed, and of httpx's time-outs `pool` and `connect` are kept:
    how long an answer may take is for the caller to say. The `trace` extension hears
    `http11.send_request_headers.started` before the first byte goes out; what is raised before has sent nothing.
    """

    def __init__(self, *, limits: httpx.Limits, verify: ssl.SSLContext | bool = True, proxy: str | None = None) -> None:
        self._limits = limits
        self._verify = verify
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._session is None:
            self._session = self._open()
        seconds = request.extensions["timeout"]
        with httpx_errors():
            response = await self._session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=request.content or None,
                allow_redirects=False,
                proxy=self._proxy,
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=seconds["pool"] + seconds["connect"], sock_connect=seconds["connect"]
                ),
                trace_request_ctx=request.extensions.get("trace"),
            )
        return httpx.Response(response.status, headers=response.raw_headers, stream=_Body(response))

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            # None is no limit to httpx, 0 to aiohttp.
            limit=self._limits.max_connections or 0,
            keepalive_timeout=self._limits.keepalive_expiry,
            ssl=self._verify,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            # httpx decodes, and says so in its own errors.
            auto_decompress=False,
            trace_configs=[_telling()],
        )
        # Expected: a request is sent once. Actual: GET, PUT and DELETE are sent again when a connection that was kept
        # is closed before the answer, and only a name that is not public keeps aiohttp from it.
        # https://github.com/aio-libs/aiohttp/issues/10790
        session._retry_connection = False
        return session

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with httpx_errors():
            async for piece in self._response.content.iter_any():
                yield piece

    async def aclose(self) -> None:
        """Of a body that was not read to its end the connection is closed too."""
        self._response.release()


def _telling() -> aiohttp.TraceConfig:
    """Both are told when a connection is there, and nothing lies between that and the first byte."""
    config = aiohttp.TraceConfig()
    config.on_connection_create_end.append(_tell)
    config.on_connection_reuseconn.append(_tell)
    return config


async def _tell(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
    if (trace := context.trace_request_ctx) is not None:
        await trace("http11.send_request_headers.started", {})
