"""One provider's connector with every policy, over its simulator, both in one loop whose time is virtual."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from gateway.connectors.base import Connector, PageRequest
from gateway.connectors.registry import REGISTRY
from gateway.domain.changes import Draft, Patch, WantedEmail
from gateway.domain.contact import Provider
from gateway.domain.exchange import CallKind
from gateway.resilience.settings import ResilienceSettings
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import running
from gateway.sandbox.simulator import Simulator
from gateway.settings import api_key, read_provider_settings
from gateway.upstream.upstream import Conditions
from tests.failures.outcomes import REMOTE_IDS
from tests.matrix.virtual_time import this_loop

EMAILS = (WantedEmail(address="ines@aalto.test", primary=True, position=0),)
DRAFT = Draft(name="Ines Aalto", first_name="Ines", last_name="Aalto", emails=EMAILS)
# Each provider takes its change without being read first.
PATCHES = {
    Provider.GATELY: Patch(company="Aalto Oy"),
    Provider.KLEN: Patch(company="Aalto Oy"),
    Provider.COMETLY: Patch(emails=EMAILS),
}
# What the simulators call them.
OPERATIONS = {kind: kind.value for kind in CallKind} | {CallKind.FIND_BY_EMAIL: "find"}


@dataclass(frozen=True, slots=True)
class Bench:
    connector: Connector
    simulator: Simulator
    sandbox: Sandbox

    @property
    def provider(self) -> Provider:
        return self.connector.capabilities.provider

    def ask(self, kind: CallKind) -> Awaitable[Any]:
        """Carries out one operation of this kind."""
        remote_id = REMOTE_IDS[self.provider.name]
        asked: dict[CallKind, Callable[[], Awaitable[Any]]] = {
            CallKind.CREATE: lambda: self.connector.create(DRAFT),
            CallKind.READ: lambda: self.connector.read(remote_id),
            CallKind.LIST: lambda: self.connector.list_page(PageRequest(limit=2)),
            CallKind.FIND_BY_EMAIL: lambda: self.connector.find_by_email("ada.winter@northwind.example"),
            CallKind.UPDATE: lambda: self.connector.update(remote_id, PATCHES[self.provider]),
            CallKind.DELETE: lambda: self.connector.delete(remote_id),
        }
        return asked[kind]()

    def received(self, kind: CallKind) -> int:
        """How many calls of this kind have arrived."""
        return [request.operation for request in self.simulator.requests].count(OPERATIONS[kind])


@asynccontextmanager
async def bench(provider: Provider, **settings: Any) -> AsyncIterator[Bench]:
    """With the default numbers, but for those given. At the end nothing may be left running."""
    loop = this_loop()
    sandbox = Sandbox(clock=loop.wall)
    async with running(sandbox) as served:
        before = asyncio.all_tasks()
        connector = _build(provider, served.environment(), settings)
        try:
            yield Bench(connector, getattr(sandbox, provider.value), sandbox)
        finally:
            await connector.aclose()
        # For the simulator to notice that nobody waits for its answer.
        await asyncio.sleep(1)
        assert asyncio.all_tasks() - before == set()


def _build(provider: Provider, environment: dict[str, str], settings: dict[str, Any]) -> Connector:
    entry = next(entry for entry in REGISTRY if entry.provider is provider)
    with patch.dict(os.environ, environment):
        own = read_provider_settings(entry, "development")
    key = api_key(own)
    assert key is not None
    chosen = ResilienceSettings.model_construct(**settings)
    return entry.build(own, key, Conditions(settings=chosen, clocks=this_loop().clocks))
