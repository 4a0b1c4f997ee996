"""`gateway demo` and `gateway sandbox`: the three simulators, and what is said about them."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway.http.server import serve_app, until_told_to_end
from gateway.listening import address
from gateway.main import build_app, build_connectors, telemetry_of
from gateway.sandbox.magic import MAGIC
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import Ports, PortUnavailable, RunningSandbox, running
from gateway.settings import GatewaySettings, WrongSettings

_ANY_PORTS = (0, 0, 0)


async def serve_demo(settings: GatewaySettings, listener: socket.socket, out: Console) -> None:
    """A gateway over simulators, until SIGINT or SIGTERM.

    Raises:
        WrongSettings
    """
    async with _simulators(_ANY_PORTS) as simulators:
        os.environ.update(simulators.environment())
        telemetry = telemetry_of(settings)
        application = build_app(settings, build_connectors(settings, telemetry), telemetry)
        say_where = partial(_say_where, address(settings, listener), simulators, out)
        await serve_app(application, settings, listener, say_where)


async def serve_sandbox(port: int, out: Console) -> None:
    """The simulators alone, at three ports in a row; 0 for any.

    Raises:
        WrongSettings: for a port that cannot be opened.
    """
    async with _simulators((port, port + 1, port + 2) if port else _ANY_PORTS) as simulators:
        _say_simulators(simulators, out)
        out.print("\nA gateway talks to them with these settings:\n")
        for name, value in simulators.environment().items():
            out.print(f"export {name}='{value}'", markup=False, highlight=False)
        await until_told_to_end()


@asynccontextmanager
async def _simulators(ports: Ports) -> AsyncIterator[RunningSandbox]:
    try:
        async with running(Sandbox(), ports=ports) as simulators:
            yield simulators
    except PortUnavailable as error:
        raise WrongSettings(str(error)) from None


def _say_where(address: str, simulators: RunningSandbox, out: Console) -> None:
    out.print(f"\n[bold]GraphiQL[/bold]  {address}/graphql\n")
    _say_simulators(simulators, out)
    query = '{"query":"{ contacts(first: 3) { nodes { name emails { address } } } }"}'
    out.print("\n[bold]Try[/bold]\n")
    out.print(f"curl -s {address}/graphql -H 'Content-Type: application/json' -d '{query}'", markup=False)
    out.print("\n[bold]Break a provider[/bold]: create a contact with the address")
    out.print("<word>.<gately|cometly|klen>@fault.test, for example 429.gately@fault.test\n", markup=False)
    out.print(_magic_table())
    out.print("\nNothing is kept. Ctrl+C ends it.\n")


def _say_simulators(simulators: RunningSandbox, out: Console) -> None:
    urls: dict[str, Any] = {"Gately": simulators.gately, "Cometly": simulators.cometly, "Klen AI": simulators.klen}
    for name, simulator in urls.items():
        out.print(f"{name:8}  {simulator.base_url}   faults: {simulator.control_url}/faults", highlight=False)


def _magic_table() -> Table:
    table = Table("word", "what that provider does", box=None)
    for word, magic in MAGIC.items():
        table.add_row(word, magic.description)
    return table
