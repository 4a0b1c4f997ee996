"""Fetches the public keys of an identity provider (JWKS): one small document, never redirected, bounded in time."""

import asyncio

import httpx

from gateway.upstream.proxy import is_loopback

MAX_BYTES = 256 * 1024
TIMEOUT_SECONDS = 5.0


class KeyDocumentUnavailable(Exception):
    """No whole answer with status 200; the text says what came instead, and nothing of the URL."""


async def fetch_key_document(url: str) -> bytes:
    """
    Raises:
        KeyDocumentUnavailable: for everything but a whole document of at most MAX_BYTES.
    """
    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            httpx.AsyncClient(
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                timeout=TIMEOUT_SECONDS,
                follow_redirects=False,
                trust_env=not is_loopback(url),
            ) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise KeyDocumentUnavailable(f"status {response.status_code}")
            return await _read(response)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise KeyDocumentUnavailable(type(error).__name__) from error


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_BYTES:
            raise KeyDocumentUnavailable(f"more than {MAX_BYTES} bytes")
    return bytes(body)
