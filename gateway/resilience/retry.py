"""A call that failed is sent again where that can do no harm, and only while there is time for it."""

from dataclasses import dataclass
from functools import partial

from tenacity import AsyncRetrying, RetryCallState

from gateway.clock import Clocks
from gateway.domain.contact import Provider
from gateway.domain.errors import DeadlineExceeded, ProviderFailure, WriteOutcome
from gateway.domain.exchange import Call, Reply
from gateway.resilience.events import PolicyEvents
from gateway.resilience.operation import current_operation
from gateway.resilience.policy import Policy, Send
from gateway.resilience.settings import ResilienceSettings

LONGEST_WAIT_SECONDS = 30.0
"""Where no deadline says how long a pause may be, as on the command line."""


def retried(
    settings: ResilienceSettings, clocks: Clocks, events: PolicyEvents, *, attempt_seconds: float = 0.0
) -> Policy:
    """The policy: up to `settings.retries` attempts after the first one, a pause before each. A write is sent again
    only where a whole attempt (`attempt_seconds`) has time: cut off by the deadline, it would turn what surely did not
    happen into what nobody knows."""

    def around(provider: Provider, send: Send) -> Send:
        return _Retried(settings, clocks, events, attempt_seconds, provider, send).guarded

    return around


@dataclass(frozen=True, slots=True)
class _Retried:
    settings: ResilienceSettings
    clocks: Clocks
    events: PolicyEvents
    attempt_seconds: float
    provider: Provider
    send: Send

    async def guarded(self, call: Call) -> Reply:
        # Without tenacity, which takes longer than all other policies together and is needed by few.
        try:
            return await self.send(call)
        except ProviderFailure as failure:
            if not may_be_repeated(call, failure):
                raise
            return await self._repeated(call, [failure])

    async def _repeated(self, call: Call, first: list[ProviderFailure]) -> Reply:
        async def attempt() -> Reply:
            if first:
                # Taken out, since its frames lead back to here.
                raise first.pop()
            return await self.send(call)

        # One for each call: what tenacity notes of an iteration lies in the object.
        retrying = AsyncRetrying(
            retry=partial(self._is_worth_it, call),
            wait=self._pause,
            stop=partial(self._is_enough, call),
            before_sleep=partial(self._tell, call),
            sleep=self._sleep,
            reraise=True,
        )
        reply: Reply = await retrying(attempt)
        return reply

    def _is_worth_it(self, call: Call, state: RetryCallState) -> bool:
        failure = _failure(state)
        return failure is not None and may_be_repeated(call, failure)

    def _pause(self, state: RetryCallState) -> float:
        return pause_seconds(_failure(state), state.attempt_number, self.settings, self.clocks.jitter())

    def _is_enough(self, call: Call, state: RetryCallState) -> bool:
        needed = self.attempt_seconds if call.kind.writes else 0.0
        return state.attempt_number > self.settings.retries or not _fits(state.upcoming_sleep, needed)

    def _tell(self, call: Call, state: RetryCallState) -> None:
        if failure := _failure(state):
            self.events.retried(self.provider, call.kind, failure.code)

    async def _sleep(self, seconds: float) -> None:
        with current_operation().tally.of(self.provider).waiting(self.clocks.monotonic):
            await self.clocks.sleep(seconds)


def may_be_repeated(call: Call, failure: ProviderFailure) -> bool:
    """A write is repeated only when it surely did not happen, whatever else is said of its failure."""
    if not failure.retryable or failure.held_back or isinstance(failure, DeadlineExceeded):
        return False
    if call.kind.writes and failure.outcome is not WriteOutcome.NOT_APPLIED:
        return False
    status = failure.fault.upstream_status
    # No 4xx but 429. That leaves out 408 too, which the caller is told to be retryable (design section 6): a provider
    # that waited for our request as long as it cares to would be made to wait again.
    return status is None or not 400 <= status < 500 or status == 429


def pause_seconds(failure: ProviderFailure | None, attempt: int, settings: ResilienceSettings, share: float) -> float:
    """Full jitter: from 0 up to a limit that doubles with each attempt; or longer, where the provider asks for it."""
    longest: float = settings.retry_backoff_seconds * 2 ** (attempt - 1)
    backoff = share * min(settings.retry_backoff_max_seconds, longest)
    wait_ms = failure.fault.retry_after_ms if failure else None
    # A provider that asks for no time at all, or for one that has been (its clock is another one), gets some.
    return backoff if wait_ms is None else max(backoff, wait_ms / 1000)


def _fits(pause: float, needed: float) -> bool:
    """Whether an attempt that needs so much time could still begin after the pause. If not, the failure at hand is
    worth more to the caller than one of ours would be, and it comes at once."""
    running = current_operation()
    if running.payer.calls_left <= 0:
        return False
    left = running.seconds_left
    return pause <= LONGEST_WAIT_SECONDS if left is None else pause < left and pause + needed <= left


def _failure(state: RetryCallState) -> ProviderFailure | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, ProviderFailure) else None
