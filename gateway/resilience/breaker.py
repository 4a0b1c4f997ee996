"""A provider whose calls fail is left alone for a while, and one probe asks whether it is back."""

from collections.abc import Callable
from math import ceil

from gateway.clock import Monotonic
from gateway.domain.contact import Provider
from gateway.domain.errors import (
    CircuitOpen,
    ProviderBroken,
    ProviderFailure,
    ProviderUnavailable,
    ProviderUnreachable,
    ReplyTimedOut,
    ReplyUnreadable,
)
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.resilience.circuit import Circuit, Switch, Ticket, Verdict
from gateway.resilience.events import CircuitState, PolicyEvents
from gateway.resilience.policy import Send
from gateway.resilience.settings import ResilienceSettings

PROBE_SECONDS = 1.0
"""After which it is worth asking again while somebody else's probe is under way."""

_SEVERITY = (CircuitState.CLOSED, CircuitState.HALF_OPEN, CircuitState.OPEN)
_FAILURES = (ProviderUnreachable, ProviderUnavailable, ReplyTimedOut, ProviderBroken, ReplyUnreadable)


class Breaker:
    """One circuit for each kind of call to one provider with one credential. Nothing of a call is kept but counts."""

    def __init__(
        self,
        provider: Provider,
        display_name: str,
        settings: ResilienceSettings,
        *,
        clock: Monotonic,
        events: PolicyEvents,
    ) -> None:
        self._provider = provider
        self._name = display_name
        self._events = events
        self._open_seconds = settings.breaker_open_seconds
        self._switches = {kind: Switch(settings, clock) for kind in CallKind}
        self._told = dict.fromkeys(CallKind, CircuitState.CLOSED)
        self._listeners: set[Callable[[], None]] = set()

    def circuit(self, kind: CallKind) -> Circuit:
        return self._switches[kind].circuit

    @property
    def worst(self) -> Circuit:
        """The circuit that holds the most back: an open one before a half-open one, the longest wait first."""
        circuits = [switch.circuit for switch in self._switches.values()]
        return max(circuits, key=lambda one: (_SEVERITY.index(one.state), one.probe_in_seconds))

    def listen(self, listener: Callable[[], None]) -> None:
        """`listener` is called at every change of a state until `ignore`; it must not block. That an open circuit has
        become half open nobody notices before the first probe; `probe_in_seconds` says when it will."""
        self._listeners.add(listener)

    def ignore(self, listener: Callable[[], None]) -> None:
        self._listeners.discard(listener)

    def guarded(self, provider: Provider, send: Send) -> Send:
        """The policy: it has to stand inside of the retries, so that each attempt counts."""

        async def guard(call: Call) -> Reply:
            kind = call.kind
            ticket = self._enter(kind)
            # Whatever else ends a call (it was cancelled, we made a mistake) says nothing about the provider.
            verdict = Verdict.NEUTRAL
            try:
                reply = await send(call)
                verdict = Verdict.FAILS if is_page(reply) else Verdict.WORKS
                return reply
            except ProviderFailure as failure:
                verdict = judge(failure)
                raise
            finally:
                self._switches[kind].leave(ticket, verdict)
                self._tell(kind)

        return guard

    def _enter(self, kind: CallKind) -> Ticket:
        ticket = self._switches[kind].enter()
        if ticket is None:
            self._events.held_back(self._provider, kind, CircuitOpen.code)
            raise self._refusal(self.circuit(kind))
        if ticket.probe:
            # Nothing else changes by a beginning.
            self._tell(kind)
        return ticket

    def _refusal(self, circuit: Circuit) -> CircuitOpen:
        is_open = circuit.state is CircuitState.OPEN
        seconds = circuit.probe_in_seconds if is_open else min(PROBE_SECONDS, self._open_seconds)
        rest = ceil(seconds)
        message = (
            f"{self._name} failed too often just now, so it is not called for a while;"
            f" try again in {rest} second{'' if rest == 1 else 's'}."
        )
        return CircuitOpen(self._provider, message, retry_after_ms=max(1, ceil(seconds * 1000)))

    def _tell(self, kind: CallKind) -> None:
        state = self.circuit(kind).state
        if state is self._told[kind]:
            return
        self._told[kind] = state
        self._events.circuit_changed(self._provider, kind, state)
        for listener in tuple(self._listeners):
            listener()


def is_page(reply: Reply) -> bool:
    """What some proxy puts in the place of an answer, whatever its status says. The connector finds it unreadable; that
    happens outside of all policies."""
    return reply.body.lstrip()[:1] == b"<"


def judge(failure: ProviderFailure) -> Verdict:
    """A refusal, a rate limit, even a redirect is an answer, so the provider works. An attempt that was cut short by
    the deadline of its operation is held against nobody: otherwise callers in a hurry could close a slow but healthy
    provider to everybody else."""
    status = failure.fault.upstream_status
    if failure.held_back or failure.cut_short:
        return Verdict.NEUTRAL
    if status is not None and 300 <= status < 500:
        return Verdict.WORKS
    return Verdict.FAILS if isinstance(failure, _FAILURES) else Verdict.NEUTRAL
