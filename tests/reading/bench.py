"""Time that a test lets pass, and providers whose answers it holds back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from gateway.clock import Clocks
from gateway.domain.contact import Provider
from gateway.resilience.operation import current_operation
from tests.later import by_sleeping

LONGEST_WAIT_SECONDS = 10


class FakeTime:
    """Seconds that stand still until `advance`; whoever sleeps wakes up then."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._sleepers: list[tuple[float, Callable[[], object]]] = []

    @property
    def clocks(self) -> Clocks:
        return Clocks(monotonic=lambda: self.now, sleep=self._sleep, call_later=by_sleeping(self._sleep))

    async def _sleep(self, seconds: float) -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        self._sleepers.append((self.now + seconds, lambda: loop.call_soon_threadsafe(over.set)))
        await over.wait()

    def advance(self, seconds: float) -> None:
        self.now += seconds
        due = [wake for at, wake in self._sleepers if at <= self.now]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self.now]
        for wake in due:
            wake()


class HeldConnector:
    """A provider whose answers, while it is held, have been given and do not arrive until it is let go."""

    def __init__(self, connector: Any) -> None:
        self._connector = connector
        self._let_go: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._holds = False
        self.asked = 0
        self.answered = threading.Event()
        self.arrived = threading.Event()
        self.broken_off = threading.Event()
        self.seconds_left: list[float | None] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    async def read(self, remote_id: str) -> Any:
        return await self._held(self._connector.read(remote_id))

    async def list_page(self, request: Any) -> Any:
        return await self._held(self._connector.list_page(request))

    async def find_by_email(self, address: str) -> Any:
        return await self._held(self._connector.find_by_email(address))

    def hold(self) -> None:
        self._holds = True
        self.answered.clear()
        self.arrived.clear()

    def let_go(self) -> None:
        """And waits until what was held has arrived."""
        self._holds = False
        assert self._loop is not None
        assert self._let_go is not None
        self._loop.call_soon_threadsafe(self._let_go.set)
        assert self.arrived.wait(LONGEST_WAIT_SECONDS)
        # What follows in the same turn of the loop is done then.
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop).result()

    def wait_for_answer(self) -> None:
        assert self.answered.wait(LONGEST_WAIT_SECONDS)

    async def _held(self, call: Any) -> Any:
        self.asked += 1
        answer = await call
        if not self._holds:
            self.arrived.set()
            return answer
        self._loop, self._let_go = asyncio.get_running_loop(), self._let_go or asyncio.Event()
        self.answered.set()
        try:
            await self._let_go.wait()
        except asyncio.CancelledError:
            self.broken_off.set()
            raise
        self.seconds_left.append(current_operation().seconds_left)
        self.arrived.set()
        return answer


class Providers:
    """The connectors of one gateway, each of which can be held."""

    def __init__(self) -> None:
        self.connectors: dict[Provider, HeldConnector] = {}

    def around(self, connectors: dict[Provider, Any]) -> dict[Provider, Any]:
        self.connectors = {provider: HeldConnector(connector) for provider, connector in connectors.items()}
        return self.connectors

    def wait_for_arrival(self, *names: str) -> None:
        """What these providers, that are not held, answered first is there."""
        for name in names:
            assert self[name].arrived.wait(LONGEST_WAIT_SECONDS)

    def forget(self) -> None:
        for connector in self.connectors.values():
            connector.arrived.clear()

    def __getitem__(self, name: str) -> HeldConnector:
        return self.connectors[Provider[name]]
