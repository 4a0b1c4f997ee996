"""One attempt at one call: never repeated, never redirected, bounded in time and size."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import httpx
import msgspec

from gateway.clock import utc_now
from gateway.domain.errors import ProviderCrowded, ProviderFailure, ProviderUnreachable, ReplyTimedOut, ReplyUnreadable
from gateway.domain.exchange import Call, Reply
from gateway.resilience.operation import current_operation
from gateway.resilience.reply_memory import MemoryShare, ReplyMemory
from gateway.upstream.endpoint import Endpoint, Timeouts
from gateway.upstream.foreign_errors import foreign_errors
from gateway.upstream.rate_headers import read_allowance
from gateway.upstream.refusal import Dialect, failure_for

_ALWAYS: Final = {
    "Accept": "application/json",
    # A small compressed answer could otherwise grow past every limit in one step.
    "Accept-Encoding": "identity",
    "User-Agent": "contact-gateway",
}
MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_ERROR_BODY_BYTES = 64 * 1024


class Attempt:
    """Sends a call once and returns the reply.

    Raises:
        ProviderFailure: for everything but a whole 2xx answer.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        endpoint: Endpoint,
        dialect: Dialect,
        *,
        timeouts: Timeouts,
        memory: ReplyMemory,
        wall_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        # Without httpx's client around it, which costs as much as a call itself and has nothing to do here.
        self._transport = transport
        self._base_url = endpoint.base_url.rstrip("/") + "/"
        self._headers = httpx.Headers({**_ALWAYS, **endpoint.headers})
        self._dialect = dialect
        self._attempt_seconds = timeouts.attempt_seconds
        self._connecting = {"pool": timeouts.connect_seconds, "connect": timeouts.connect_seconds}
        self._memory = memory
        self._wall_clock = wall_clock

    async def send(self, call: Call) -> Reply:
        request = self._request(call)
        started = time.monotonic()
        with foreign_errors(self._dialect.provider, self._dialect.display_name, call.kind):
            response, body = await self._exchange(request, call)
        if not response.is_success:
            failure = failure_for(
                self._dialect,
                call,
                status=response.status_code,
                headers=response.headers,
                body=self._without_credentials(body),
                now=self._wall_clock(),
            )
            failure.allowance = read_allowance(response.headers, self._wall_clock())
            raise failure
        if len(body) > MAX_BODY_BYTES:
            raise ReplyUnreadable(
                self._dialect.provider,
                f"{self._dialect.display_name} answered with more than {MAX_BODY_BYTES // 2**20} MiB.",
                upstream_status=response.status_code,
            )
        latency_ms = int((time.monotonic() - started) * 1000)
        return Reply(
            status=response.status_code,
            headers=response.headers,
            body=body,
            latency_ms=latency_ms,
            allowance=read_allowance(response.headers, self._wall_clock()),
        )

    def _without_credentials(self, body: bytes) -> bytes:
        """A provider that repeats our key in its error may not make us repeat it."""
        _, _, key = self._headers.get("Authorization", "").partition(" ")
        return body.replace(key.encode(), b"***") if key else body

    def _request(self, call: Call) -> httpx.Request:
        content = None if call.body is None else msgspec.json.encode(call.body)
        headers = self._headers.copy()
        if content is not None:
            headers["Content-Type"] = "application/json"
        headers.update(call.headers)
        url = self._base_url + call.path.lstrip("/")
        return httpx.Request(call.method, url, params=call.query or None, content=content, headers=headers)

    async def _exchange(self, request: httpx.Request, call: Call) -> tuple[httpx.Response, bytes]:
        given = current_operation().seconds_left
        timer = asyncio.timeout(given)
        sending = False

        async def on_event(event: str, _: dict[str, Any]) -> None:
            nonlocal sending, given
            if event.endswith("send_request_headers.started"):
                sending = True
                left = current_operation().seconds_left
                given = self._attempt_seconds if left is None else min(left, self._attempt_seconds)
                timer.reschedule(asyncio.get_running_loop().time() + given)

        request.extensions = {"trace": on_event, "timeout": self._connecting}
        try:
            async with timer:
                response = await self._transport.handle_async_request(request)
                try:
                    return response, await self._read_body(response, call)
                finally:
                    await response.aclose()
        except TimeoutError:
            failure = self._silence(call) if sending else self._no_connection()
            # Less than half of the time that the setting gives is no trial of a provider.
            failure.cut_short = given is not None and given < self._attempt_seconds / 2
            raise failure from None

    def _silence(self, call: Call) -> ProviderFailure:
        message = f"{self._dialect.display_name} did not answer in time."
        return ReplyTimedOut(self._dialect.provider, message, retryable=not call.kind.writes)

    def _no_connection(self) -> ProviderFailure:
        return ProviderUnreachable(
            self._dialect.provider, f"{self._dialect.display_name} could not be reached in time."
        )

    async def _read_body(self, response: httpx.Response, call: Call) -> bytes:
        """
        Raises:
            ProviderCrowded: other replies take the memory that this one needs. The reply to a write is read all the
                same, since its outcome would be lost, and so is an error, which is small.
        """
        needed = call.kind.writes or not response.is_success
        with self._memory.share() as share:
            body = await _read(response, share, needed=needed)
        if body is None:
            message = f"Answers of {self._dialect.display_name} take too much memory just now; try again in a moment."
            raise ProviderCrowded(self._dialect.provider, message, upstream_status=response.status_code)
        return body


async def _read(response: httpx.Response, share: MemoryShare, *, needed: bool) -> bytes | None:
    """The whole body, or just more than is allowed of it: the caller tells the two apart by length. None where it did
    not fit into the memory and is not `needed`."""
    limit = MAX_BODY_BYTES if response.is_success else MAX_ERROR_BODY_BYTES
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            if not share.take(len(chunk)) and not needed:
                return None
            body += chunk
            if len(body) > limit:
                break
    except httpx.HTTPError:
        # An error's status has said what matters; a success without its body has not.
        if response.is_success:
            raise
    return bytes(body)
