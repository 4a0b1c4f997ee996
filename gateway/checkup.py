"""`gateway check`: one cheap question to every configured provider."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from gateway.connectors.base import Connector, PageRequest
from gateway.connectors.registry import REGISTRY
from gateway.domain.contact import Provider
from gateway.domain.errors import ProviderFailure
from gateway.resilience.operation import operation
from gateway.settings import GatewaySettings


@dataclass(frozen=True, slots=True)
class Checkup:
    name: str
    state: str
    detail: str

    @property
    def failed(self) -> bool:
        return self.state == "failed"


async def check_providers(settings: GatewaySettings, connectors: Mapping[Provider, Connector]) -> list[Checkup]:
    """One line per provider; one that is not configured has not failed."""
    with operation(deadline_seconds=settings.query_deadline_seconds):
        checks = await asyncio.gather(*(_check(entry.provider, connectors) for entry in REGISTRY))
    for connector in connectors.values():
        await connector.aclose()
    return list(checks)


async def _check(provider: Provider, connectors: Mapping[Provider, Connector]) -> Checkup:
    name = next(entry.capabilities.display_name for entry in REGISTRY if entry.provider is provider)
    connector = connectors.get(provider)
    if connector is None:
        return Checkup(name, "not configured", "no API key is set")
    try:
        await connector.list_page(PageRequest(limit=1))
    except ProviderFailure as failure:
        return Checkup(name, "failed", f"{failure.code}: {failure}")
    return Checkup(name, "ok", "answers, and takes the credentials")


def checkup_table(results: list[Checkup]) -> Table:
    table = Table("provider", "state", "detail")
    for result in results:
        table.add_row(result.name, result.state, result.detail)
    return table
