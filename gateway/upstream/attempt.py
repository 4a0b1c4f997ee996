"""One attempt at one call: never repeated, never redirected, bounded in time and size."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import msgspec
from multidict import CIMultiDict

from gateway.clock import utc_now
from gateway.domain.errors import ProviderCrowded, ProviderFailure, ProviderUnreachable, ReplyTimedOut, ReplyUnreadable
from gateway.domain.exchange import Call, Reply
from gateway.resilience.operation import current_operation
from gateway.resilience.reply_memory import MemoryShare, ReplyMemory
from gateway.upstream.endpoint import Endpoint, Timeouts
from gateway.upstream.foreign_errors import FOREIGN, foreign_errors
from gateway.upstream.http_answer import OutOfTime
from gateway.upstream.http_client import Answered, HttpClient, Question
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
        client: HttpClient,
        endpoint: Endpoint,
        dialect: Dialect,
        *,
        timeouts: Timeouts,
        memory: ReplyMemory,
        wall_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._client = client
        self._base_url = endpoint.base_url.rstrip("/") + "/"
        self._headers: CIMultiDict[str] = CIMultiDict(_ALWAYS)
        self._headers.update(endpoint.headers)
        self._key = self._headers.get("Authorization", "").partition(" ")[2].encode()
        self._dialect = dialect
        self._attempt_seconds = timeouts.attempt_seconds
        self._memory = memory
        self._wall_clock = wall_clock

    async def send(self, call: Call) -> Reply:
        started = time.monotonic()
        with foreign_errors(self._dialect.provider, self._dialect.display_name, call.kind):
            answer, body = await self._exchange(self._question(call), call)
        if not is_success(answer.status):
            raise self._failure(call, answer, body)
        if len(body) > MAX_BODY_BYTES:
            raise ReplyUnreadable(
                self._dialect.provider,
                f"{self._dialect.display_name} answered with more than {MAX_BODY_BYTES // 2**20} MiB.",
                upstream_status=answer.status,
            )
        return Reply(
            status=answer.status,
            headers=answer.headers,
            body=body,
            latency_ms=int((time.monotonic() - started) * 1000),
            allowance=read_allowance(answer.headers, self._wall_clock),
        )

    def _failure(self, call: Call, answer: Answered, body: bytes) -> ProviderFailure:
        failure = failure_for(
            self._dialect,
            call,
            status=answer.status,
            headers=answer.headers,
            # A provider that repeats our key in its error may not make us repeat it.
            body=body.replace(self._key, b"***") if self._key else body,
            now=self._wall_clock(),
        )
        failure.allowance = read_allowance(answer.headers, self._wall_clock)
        return failure

    def _question(self, call: Call) -> Question:
        url = self._base_url + call.path.lstrip("/")
        if call.query:
            url = f"{url}?{urlencode(call.query)}"
        if call.body is None and not call.headers:
            return Question(call.method, url, self._headers)
        headers = self._headers.copy()
        content = None
        if call.body is not None:
            content = msgspec.json.encode(call.body)
            headers["Content-Type"] = "application/json"
        headers.update(call.headers)
        return Question(call.method, url, headers, content)

    async def _exchange(self, question: Question, call: Call) -> tuple[Answered, bytes]:
        given = current_operation().seconds_left
        is_sending = False

        def sending() -> float:
            nonlocal is_sending, given
            is_sending = True
            left = current_operation().seconds_left
            given = self._attempt_seconds if left is None else min(left, self._attempt_seconds)
            return given

        try:
            answer = await self._client.ask(question, sending, given)
            try:
                return answer, await self._read_body(answer, call)
            finally:
                answer.close()
        except OutOfTime:
            failure = self._silence(call) if is_sending else self._no_connection()
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

    async def _read_body(self, answer: Answered, call: Call) -> bytes:
        """
        Raises:
            ProviderCrowded: other replies take the memory that this one needs. The reply to a write is read all the
                same, since its outcome would be lost, and so is an error, which is small.
        """
        needed = call.kind.writes or not is_success(answer.status)
        with self._memory.share() as share:
            body = await _read(answer, share, needed=needed)
        if body is None:
            message = f"Answers of {self._dialect.display_name} take too much memory just now; try again in a moment."
            raise ProviderCrowded(self._dialect.provider, message, upstream_status=answer.status)
        return body


async def _read(answer: Answered, share: MemoryShare, *, needed: bool) -> bytes | None:
    """The whole body, or just more than is allowed of it: the caller tells the two apart by length. None where it did
    not fit into the memory and is not `needed`."""
    limit = MAX_BODY_BYTES if is_success(answer.status) else MAX_ERROR_BODY_BYTES
    pieces: list[bytes] = []
    try:
        while piece := await answer.piece():
            if not share.take(len(piece)) and not needed:
                return None
            pieces.append(piece)
            if share.taken_bytes > limit:
                break
    except FOREIGN:
        # An error's status has said what matters; a success without its body has not.
        if is_success(answer.status):
            raise
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def is_success(status: int) -> bool:
    return 200 <= status < 300
