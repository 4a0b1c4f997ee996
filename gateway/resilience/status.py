"""How each provider answered last, and whoever wants to know of changes.

Nothing is asked of a provider for this: it is what the calls of everybody tell by the way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from gateway.clock import utc_now
from gateway.domain.contact import Provider
from gateway.domain.errors import ErrorCode, Fault, ProviderFailure, ProviderUnavailable, RateLimited
from gateway.domain.exchange import Call, Reply
from gateway.resilience.events import CircuitState
from gateway.resilience.policy import Send

WallClock = Callable[[], datetime]
_ANY_JSON = msgspec.json.Decoder(msgspec.Raw)


class ProviderState(StrEnum):
    UNKNOWN = "UNKNOWN"
    UP = "UP"
    FAILING = "FAILING"
    LIMITED = "LIMITED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """`since` is when the state began; `limited_until` when a limit ends, None where the provider does not say.
    `circuit` is the one of its kinds of call that holds the most back."""

    provider: Provider
    state: ProviderState
    since: datetime
    fault: Fault | None = None
    limited_until: datetime | None = None
    circuit: CircuitState = CircuitState.CLOSED


class Watch:
    """Keeps the last state of one provider; nothing else of a call is remembered."""

    def __init__(self, provider: Provider, wall_clock: WallClock = utc_now) -> None:
        self._clock = wall_clock
        self._listeners: set[Callable[[], None]] = set()
        self._status = ProviderStatus(provider=provider, state=ProviderState.UNKNOWN, since=wall_clock())

    @property
    def present(self) -> ProviderStatus:
        """A limit that has run out leaves nothing that is known."""
        until = self._status.limited_until
        if until is not None and until <= self._clock():
            self._status = ProviderStatus(provider=self._status.provider, state=ProviderState.UNKNOWN, since=until)
        return self._status

    @property
    def seconds_to_change(self) -> float | None:
        """Until the present state ends by itself; None where it does not."""
        until = self.present.limited_until
        return None if until is None else (until - self._clock()).total_seconds()

    def watched(self, _: Provider, send: Send) -> Send:
        """The policy: it has to stand around one attempt, so that it sees every answer and every failure."""

        async def guarded(call: Call) -> Reply:
            try:
                reply = await send(call)
            except ProviderFailure as failure:
                # What the gateway itself ended says nothing about the provider.
                if not failure.held_back:
                    self._note(*_read_failure(failure))
                raise
            fault = _fault_of(reply, self._status.provider)
            if fault is not None or self._status.state is not ProviderState.UP:
                self._note(ProviderState.UP if fault is None else ProviderState.FAILING, fault)
            return reply

        return guarded

    def listen(self, listener: Callable[[], None]) -> None:
        """`listener` is called at every change until `ignore`; it must not block."""
        self._listeners.add(listener)

    def ignore(self, listener: Callable[[], None]) -> None:
        self._listeners.discard(listener)

    def _note(self, state: ProviderState, fault: Fault | None) -> None:
        if state is ProviderState.UP and self._status.state is ProviderState.UP:
            return
        before, now = self.present, self._clock()
        wait_ms = fault.retry_after_ms if fault and state is ProviderState.LIMITED else None
        until = None if wait_ms is None else now + timedelta(milliseconds=wait_ms)
        same_fault = (before.fault and before.fault.code) == (fault and fault.code)
        if before.state is state and same_fault and before.limited_until == until:
            return
        self._status = ProviderStatus(
            provider=before.provider,
            state=state,
            since=before.since if before.state is state else now,
            fault=fault,
            limited_until=until,
        )
        for listener in tuple(self._listeners):
            listener()


def _fault_of(reply: Reply, provider: Provider) -> Fault | None:
    """A page that some proxy puts in the place of an answer is a failure, whatever its status says."""
    try:
        _ANY_JSON.decode(reply.body)
    except (msgspec.DecodeError, RecursionError):
        if not reply.body.strip():
            return None
        return Fault(
            code=ErrorCode.PROVIDER_BAD_RESPONSE,
            message="The answer could not be read: the body is not JSON.",
            provider=provider,
            retryable=False,
            upstream_status=reply.status,
        )
    return None


def _read_failure(failure: ProviderFailure) -> tuple[ProviderState, Fault | None]:
    if isinstance(failure, (RateLimited, ProviderUnavailable)):
        return ProviderState.LIMITED, failure.fault
    status = failure.fault.upstream_status
    if status is not None and 400 <= status < 500:
        # It answered. What it did not like is our request, which says nothing about the provider.
        return ProviderState.UP, None
    return ProviderState.FAILING, failure.fault
