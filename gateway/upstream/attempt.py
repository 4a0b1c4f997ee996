"""One attempt at one call: never repeated, never redirected, bounded in time and size."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import msgspec

from gateway.clock import utc_now
from gateway.domain.errors import ProviderUnreachable, ReplyUnreadable
from gateway.domain.exchange import Call, Reply
from gateway.resilience.operation import current_operation
from gateway.upstream.refusal import Dialect, failure_for
from gateway.upstream.transport import foreign_errors

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_ERROR_BODY_BYTES = 64 * 1024


class Attempt:
    """Sends a call once and returns the reply.

    `attempt_seconds` runs from the first byte sent to the last one received; the time for a
    connection before that is httpx's own (connect and pool time-outs).

    Raises:
        ProviderFailure: for everything but a whole 2xx answer.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        dialect: Dialect,
        *,
        attempt_seconds: float,
        wall_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._client = client
        self._dialect = dialect
        self._attempt_seconds = attempt_seconds
        self._wall_clock = wall_clock

    async def send(self, call: Call) -> Reply:
        request = self._request(call)
        started = time.monotonic()
        with foreign_errors(self._dialect.provider, self._dialect.display_name, call.kind):
            response, body = await self._exchange(request)
        if not response.is_success:
            raise failure_for(
                self._dialect,
                call,
                status=response.status_code,
                headers=response.headers,
                body=self._without_credentials(body),
                now=self._wall_clock(),
            )
        if len(body) > MAX_BODY_BYTES:
            raise ReplyUnreadable(
                self._dialect.provider,
                f"{self._dialect.display_name} answered with more than {MAX_BODY_BYTES // 2**20} MiB.",
                upstream_status=response.status_code,
            )
        latency_ms = int((time.monotonic() - started) * 1000)
        return Reply(status=response.status_code, headers=response.headers, body=body, latency_ms=latency_ms)

    def _without_credentials(self, body: bytes) -> bytes:
        """A provider that repeats our key in its error may not make us repeat it."""
        _, _, key = self._client.headers.get("Authorization", "").partition(" ")
        return body.replace(key.encode(), b"***") if key else body

    def _request(self, call: Call) -> httpx.Request:
        content = None if call.body is None else msgspec.json.encode(call.body)
        headers = {"Content-Type": "application/json"} if content is not None else {}
        headers.update(call.headers)
        return self._client.build_request(
            call.method, call.path.lstrip("/"), params=call.query or None, content=content, headers=headers
        )

    async def _exchange(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        left = current_operation().seconds_left
        timer = asyncio.timeout(left)
        sending = False

        async def on_event(event: str, _: dict[str, Any]) -> None:
            nonlocal sending
            if event.endswith("send_request_headers.started"):
                sending = True
                seconds = self._attempt_seconds if left is None else min(left, self._attempt_seconds)
                timer.reschedule(asyncio.get_running_loop().time() + seconds)

        request.extensions["trace"] = on_event
        try:
            async with timer:
                response = await self._client.send(request, stream=True)
                try:
                    return response, await _read_body(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            if sending:
                raise
            name = self._dialect.display_name
            raise ProviderUnreachable(self._dialect.provider, f"{name} could not be reached in time.") from None


async def _read_body(response: httpx.Response) -> bytes:
    """The whole body, or just more than is allowed of it: the caller tells the two apart by length."""
    limit = MAX_BODY_BYTES if response.is_success else MAX_ERROR_BODY_BYTES
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > limit:
                break
    except httpx.HTTPError:
        # An error's status has said what matters; a success without its body has not.
        if response.is_success:
            raise
    return bytes(body)
