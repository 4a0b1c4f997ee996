"""A provider whose calls end when and how a test says, and somebody who hears what the policies tell."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from gateway.domain.contact import Provider
from gateway.domain.errors import ErrorCode
from gateway.domain.exchange import Call, CallKind, Reply
from gateway.resilience.events import CircuitState, PolicyEvents
from gateway.resilience.settings import ResilienceSettings

PROVIDER = Provider.COMETLY
NAME = "Cometly"
REPLY = Reply(status=200, headers={}, body=b"{}", latency_ms=1)


def settings(**chosen: Any) -> ResilienceSettings:
    return ResilienceSettings.model_construct(**chosen)


class Scripted:
    """Ends its calls with these, one after the other, and with REPLY when they are used up."""

    def __init__(self, ends: Sequence[Reply | Exception] = ()) -> None:
        self.calls: list[Call] = []
        self._ends = list(ends)

    async def __call__(self, call: Call) -> Reply:
        self.calls.append(call)
        end = self._ends.pop(0) if self._ends else REPLY
        if isinstance(end, Exception):
            raise end
        return end


class Held:
    """Calls stay under way until the test ends them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.cancelled = 0
        self._ends: list[asyncio.Future[Reply]] = []

    async def __call__(self, call: Call) -> Reply:
        self.calls.append(call)
        end: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._ends.append(end)
        try:
            return await end
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def end(self, number: int, how: Reply | Exception = REPLY) -> None:
        if isinstance(how, Exception):
            self._ends[number].set_exception(how)
        else:
            self._ends[number].set_result(how)


class Heard(PolicyEvents):
    """Each event as a tuple, its name first; every one has to be about PROVIDER."""

    def __init__(self) -> None:
        self.all: list[tuple[object, ...]] = []

    def _hear(self, provider: Provider, *event: object) -> None:
        assert provider is PROVIDER
        self.all.append(event)

    def waited(self, provider: Provider, kind: CallKind, seconds: float) -> None:
        self._hear(provider, "waited", kind, seconds)

    def retried(self, provider: Provider, kind: CallKind, code: ErrorCode) -> None:
        self._hear(provider, "retried", kind, code)

    def held_back(self, provider: Provider, kind: CallKind, code: ErrorCode) -> None:
        self._hear(provider, "held back", kind, code)

    def circuit_changed(self, provider: Provider, kind: CallKind, state: CircuitState) -> None:
        self._hear(provider, "circuit", kind, state)

    def shared(self, provider: Provider, kind: CallKind) -> None:
        self._hear(provider, "shared", kind)
