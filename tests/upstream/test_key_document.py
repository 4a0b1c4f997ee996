"""The public keys of an identity provider come whole, in time and from where the settings say, or not at all."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.upstream import key_document
from gateway.upstream.key_document import MAX_BYTES, KeyDocumentUnavailable, fetch_key_document
from tests.ports import lasting_port
from tests.upstream.loopback import Answer, Loopback, reply, saying, serving

DOCUMENT = b'{"keys": []}'


async def fetched(answer: Answer | None) -> tuple[bytes | str, Loopback]:
    """The document, or what is said instead of it."""
    async with serving(answer) as loopback:
        try:
            return await fetch_key_document(f"{loopback.base_url}/keys?tenant=7"), loopback
        except KeyDocumentUnavailable as unavailable:
            return str(unavailable), loopback


def test_the_document_comes_as_it_is() -> None:
    document, loopback = asyncio.run(fetched(saying(reply(200, DOCUMENT))))

    assert document == DOCUMENT
    (request,) = loopback.requests
    assert request.startswith("get /api/v1/keys?tenant=7 http/1.1\r\n")
    assert "accept-encoding: identity\r\n" in request
    assert "authorization" not in request


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 401, 404, 429, 500, 503])
def test_another_status_is_none_and_no_redirect_is_followed(status: int) -> None:
    said, loopback = asyncio.run(fetched(saying(reply(status, b"", "Location: /api/v1/elsewhere"))))

    assert (said, len(loopback.requests)) == (f"status {status}", 1)


@pytest.mark.parametrize(("size", "is_taken"), [(MAX_BYTES, True), (MAX_BYTES + 1, False)])
def test_it_is_bounded_in_size(size: int, is_taken: bool) -> None:
    document, _ = asyncio.run(fetched(saying(reply(200, b" " * size))))

    assert document == (b" " * size if is_taken else f"more than {MAX_BYTES} bytes")


def test_a_body_that_is_cut_off_is_none() -> None:
    async def cut_off(writer: asyncio.StreamWriter) -> None:
        writer.write(reply(200, DOCUMENT)[:-1])
        writer.close()

    said, _ = asyncio.run(fetched(cut_off))

    assert said == "RemoteProtocolError"


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("answer", [None, drip], ids=["silent", "dripping"])
def test_it_is_bounded_in_time(monkeypatch: pytest.MonkeyPatch, answer: Answer | None) -> None:
    monkeypatch.setattr(key_document, "TIMEOUT_SECONDS", 0.1)
    started = time.monotonic()

    said, _ = asyncio.run(fetched(answer))

    assert said in ("TimeoutError", "ReadTimeout")
    assert time.monotonic() - started < 5


def test_nobody_there_is_none() -> None:
    with pytest.raises(KeyDocumentUnavailable, match=r"^ConnectError$"):
        asyncio.run(fetch_key_document(f"http://127.0.0.1:{lasting_port()}/keys"))
