"""The command line: serve, demo, sandbox, schema, documents, keys, check."""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gateway.checkup import check_providers, checkup_table
from gateway.documents import check_documents, list_documents
from gateway.http.manifest import WrongManifest
from gateway.http.server import run, serve_app, until_told_to_end
from gateway.key_commands import keys
from gateway.logs import configure_logs
from gateway.main import build_app, build_connectors, telemetry_of
from gateway.sandbox.magic import MAGIC
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import PortUnavailable, RunningSandbox, running
from gateway.settings import GatewaySettings, WrongSettings, read_gateway_settings
from resolvers.schema import print_schema

SCHEMA_FILE = Path("schema.graphql")
SANDBOX_PORT = 8801

app = typer.Typer(no_args_is_help=True, add_completion=False, help="One GraphQL endpoint over three contact APIs.")
app.add_typer(keys)
out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)


@app.command()
def serve() -> None:
    """Serves the gateway with the settings of the environment."""
    with _clear_errors():
        settings = read_gateway_settings()
        configure_logs(settings.log_format, settings.log_level)
        telemetry = telemetry_of(settings)
        connectors = build_connectors(settings, telemetry)
        if not connectors:
            raise WrongSettings(
                "No provider is configured. Give at least one of GATELY_API_KEY, COMETLY_API_KEY and KLEN_API_KEY,"
                " or try `gateway demo`."
            )
        with _listening(settings) as listener:
            names = ", ".join(connector.capabilities.display_name for connector in connectors.values())
            what = "GraphQL and GraphiQL" if settings.shows(settings.graphiql) else "GraphQL"
            text = f"{what}: {_address(settings, listener)}/graphql\nProviders: {names}"
            application = build_app(settings, connectors, telemetry)
            run(serve_app(application, settings, listener, lambda: out.print(text)))


@app.command()
def demo() -> None:
    """Serves the gateway over three simulated providers: no keys, seeded contacts, nothing kept."""
    with _clear_errors(), tempfile.TemporaryDirectory(prefix="contact-gateway-") as folder:
        settings = read_gateway_settings(
            database_url=f"sqlite+aiosqlite:///{folder}/demo.db",
            mode="development",
            authentication="off",
            # The simulators carry out at once or never, and nobody wants to watch for a minute.
            settling_seconds=5,
        )
        configure_logs(settings.log_format, settings.log_level)
        with _listening(settings) as listener:
            run(_demo(settings, listener))


@app.command()
def sandbox(
    port: Annotated[
        int, typer.Option(min=0, max=65533, help="Gately's port; Cometly and Klen AI take the next two.")
    ] = SANDBOX_PORT,
) -> None:
    """Serves only the three simulators."""
    with _clear_errors():
        run(_sandbox(port))


@app.command()
def schema(
    check: Annotated[bool, typer.Option("--check", help="Compare with schema.graphql instead of printing.")] = False,
) -> None:
    """Prints the GraphQL schema."""
    printed = print_schema()
    if not check:
        sys.stdout.write(printed)
    elif not SCHEMA_FILE.exists() or SCHEMA_FILE.read_text() != printed:
        err.print("schema.graphql is not what the code says; run `make schema` and commit it.")
        raise typer.Exit(1)


@app.command()
def documents(
    files: Annotated[list[Path], typer.Argument(help="Manifests of Apollo, Relay or GraphQL Code Generator.")],
    check: Annotated[bool, typer.Option("--check", help="Hold them against schema and limits instead.")] = False,
) -> None:
    """Lists the documents of manifests."""
    with _clear_errors():
        try:
            problems = check_documents(read_gateway_settings(), files) if check else []
            lines = [] if check else list_documents(files)
        except WrongManifest as wrong:
            problems, lines = list(wrong.problems), []
        for console, texts in ((out, lines), (err, problems)):
            for text in texts:
                console.print(text, markup=False, highlight=False)
        if problems:
            raise typer.Exit(1)


@app.command()
def check() -> None:
    """Reads the settings and asks every configured provider one cheap question."""
    with _clear_errors():
        settings = read_gateway_settings()
        results = asyncio.run(check_providers(settings, build_connectors(settings)))
        out.print(checkup_table(results))
        if any(result.failed for result in results):
            raise typer.Exit(1)


@contextmanager
def _clear_errors() -> Iterator[None]:
    """What is wrong with the set-up ends the command with one message."""
    try:
        yield
    except (WrongSettings, PortUnavailable) as error:
        err.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@contextmanager
def _listening(settings: GatewaySettings) -> Iterator[socket.socket]:
    """A bound socket, so that a port that is taken is known before anything starts."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Naming TCP lets asyncio switch Nagle's algorithm off, which would hold a body back behind its headers.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        # Who calls the address as soon as it is printed waits for the server instead of being refused.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        raise WrongSettings(
            f"GATEWAY_HOST and GATEWAY_PORT: cannot listen on {where} ({error.strerror}). Give a free one."
        ) from None
    try:
        yield listener
    finally:
        listener.close()


def _address(settings: GatewaySettings, listener: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.getsockname()[1]}"


async def _demo(settings: GatewaySettings, listener: socket.socket) -> None:
    async with running(Sandbox()) as simulators:
        os.environ.update(simulators.environment())
        telemetry = telemetry_of(settings)
        application = build_app(settings, build_connectors(settings, telemetry), telemetry)
        say_where = partial(_say_where, _address(settings, listener), simulators)
        await serve_app(application, settings, listener, say_where)


async def _sandbox(port: int) -> None:
    ports = (port, port + 1, port + 2) if port else (0, 0, 0)
    async with running(Sandbox(), ports=ports) as simulators:
        _say_simulators(simulators)
        out.print("\nA gateway talks to them with these settings:\n")
        for name, value in simulators.environment().items():
            out.print(f"export {name}='{value}'", markup=False, highlight=False)
        await until_told_to_end()


def _say_where(address: str, simulators: RunningSandbox) -> None:
    out.print(f"\n[bold]GraphiQL[/bold]  {address}/graphql\n")
    _say_simulators(simulators)
    query = '{"query":"{ contacts(first: 3) { nodes { name emails { address } } } }"}'
    out.print("\n[bold]Try[/bold]\n")
    out.print(f"curl -s {address}/graphql -H 'Content-Type: application/json' -d '{query}'", markup=False)
    out.print("\n[bold]Break a provider[/bold]: create a contact with the address")
    out.print("<word>.<gately|cometly|klen>@fault.test, for example 429.gately@fault.test\n", markup=False)
    out.print(_magic_table())
    out.print("\nNothing is kept. Ctrl+C ends it.\n")


def _say_simulators(simulators: RunningSandbox) -> None:
    urls: dict[str, Any] = {"Gately": simulators.gately, "Cometly": simulators.cometly, "Klen AI": simulators.klen}
    for name, simulator in urls.items():
        out.print(f"{name:8}  {simulator.base_url}   faults: {simulator.control_url}/faults", highlight=False)


def _magic_table() -> Table:
    table = Table("word", "what that provider does", box=None)
    for word, magic in MAGIC.items():
        table.add_row(word, magic.description)
    return table
