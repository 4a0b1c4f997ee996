"""Lines of the log about requests and policies: what happened, to whom as a name only, how often at most."""

import hashlib
import secrets
import time
from dataclasses import dataclass

import structlog
from structlog.contextvars import bind_contextvars, get_contextvars

from gateway.clock import Monotonic
from gateway.domain.caller import ANYBODY, Caller
from gateway.domain.contact import Provider
from gateway.domain.errors import ErrorCode
from gateway.domain.exchange import CallKind
from gateway.http.result import GraphQLRequest, OperationKind
from gateway.http.traffic import Served, Traffic
from gateway.resilience.events import CircuitState, PolicyEvents
from gateway.telemetry.observer import OperationObserver

log = structlog.get_logger("gateway")

HELD_BACK_EVERY_SECONDS = 10.0
# A token's subject may be an email address; its name in the log leads nowhere, and ends with the process.
_NAMES = secrets.token_bytes(32)


def name_of(caller: Caller) -> str:
    """The id of an API key as `gateway keys list` shows it; of anybody else a name that stands for them."""
    if caller.id == ANYBODY.id or caller.id.startswith("key:"):
        return caller.id
    return "jwt:" + hashlib.blake2b(caller.id.encode(), key=_NAMES, digest_size=8).hexdigest()


class CallerNames(OperationObserver):
    """Lets every line of an operation tell whose it is."""

    def begin(self, request: GraphQLRequest, kind: OperationKind, name: str | None) -> None:
        bind_contextvars(caller=name_of(request.caller))


class RequestLines(Traffic):
    """A line for each request. What only looks whether the gateway is there is told at debug."""

    def left(self, served: Served) -> None:
        known = {"status": served.status, "code": served.code, "ms": round(served.seconds * 1000, 1)}
        told = {name: value for name, value in known.items() if value is not None}
        asked = "kind" in get_contextvars() or (served.status or 0) >= 400
        (log.info if asked else log.debug)("request", **told)


@dataclass(slots=True)
class _Burst:
    told_at: float
    untold: int = 0


class PolicyLines(PolicyEvents):
    """A line for each change of a circuit, and for calls that are held back one in a while, with their number."""

    def __init__(self, clock: Monotonic = time.monotonic) -> None:
        self._clock = clock
        self._bursts: dict[tuple[Provider, CallKind, ErrorCode], _Burst] = {}

    def circuit_changed(self, provider: Provider, kind: CallKind, state: CircuitState) -> None:
        tell = log.info if state is CircuitState.CLOSED else log.warning
        tell("circuit_changed", provider=provider.value, operation=kind.value, state=state.value)

    def held_back(self, provider: Provider, kind: CallKind, code: ErrorCode) -> None:
        now, what = self._clock(), (provider, kind, code)
        burst = self._bursts.setdefault(what, _Burst(now - HELD_BACK_EVERY_SECONDS))
        burst.untold += 1
        if now - burst.told_at < HELD_BACK_EVERY_SECONDS:
            return
        known = {"provider": provider.value, "operation": kind.value, "code": code.value}
        log.warning("calls_held_back", **known, count=burst.untold)
        self._bursts[what] = _Burst(now)
