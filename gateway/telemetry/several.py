"""Several who want to hear of the same events, as one."""

from gateway.domain.contact import Provider
from gateway.domain.errors import ErrorCode
from gateway.domain.exchange import CallKind
from gateway.http.traffic import Served, Traffic
from gateway.resilience.events import CircuitState, Outcome, PolicyEvents


class SeveralEvents(PolicyEvents):
    def __init__(self, *listeners: PolicyEvents) -> None:
        self._listeners = listeners

    def attempted(self, provider: Provider, kind: CallKind, seconds: float, outcome: Outcome) -> None:
        for listener in self._listeners:
            listener.attempted(provider, kind, seconds, outcome)

    def waited(self, provider: Provider, kind: CallKind, seconds: float) -> None:
        for listener in self._listeners:
            listener.waited(provider, kind, seconds)

    def retried(self, provider: Provider, kind: CallKind, code: ErrorCode) -> None:
        for listener in self._listeners:
            listener.retried(provider, kind, code)

    def held_back(self, provider: Provider, kind: CallKind, code: ErrorCode) -> None:
        for listener in self._listeners:
            listener.held_back(provider, kind, code)

    def circuit_changed(self, provider: Provider, kind: CallKind, state: CircuitState) -> None:
        for listener in self._listeners:
            listener.circuit_changed(provider, kind, state)

    def shared(self, provider: Provider, kind: CallKind) -> None:
        for listener in self._listeners:
            listener.shared(provider, kind)

    def cached(self, provider: Provider, *, stale: bool) -> None:
        for listener in self._listeners:
            listener.cached(provider, stale=stale)


class SeveralTraffic(Traffic):
    def __init__(self, *listeners: Traffic) -> None:
        self._listeners = listeners

    def came(self) -> None:
        for listener in self._listeners:
            listener.came()

    def left(self, served: Served) -> None:
        for listener in self._listeners:
            listener.left(served)
