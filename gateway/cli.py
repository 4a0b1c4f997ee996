"""The command line: serve, demo, sandbox, schema, documents, keys, check."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.documents import check_documents, list_documents
from gateway.http.manifest import WrongManifest
from gateway.http.server import run
from gateway.key_commands import keys
from gateway.listening import address, listening
from gateway.logs import configure_logs
from gateway.main import build_connectors
from gateway.serving import provider_names, serve_alone, serve_in_workers
from gateway.settings import MAX_WORKERS, WrongSettings, read_gateway_settings
from resolvers.schema import print_schema

SCHEMA_FILE = Path("schema.graphql")
SANDBOX_PORT = 8801

app = typer.Typer(no_args_is_help=True, add_completion=False, help="One GraphQL endpoint over three contact APIs.")
app.add_typer(keys)
out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)


@app.command()
def serve(
    workers: Annotated[
        int | None, typer.Option(min=1, max=MAX_WORKERS, help="Processes that serve; else GATEWAY_WORKERS, else 1.")
    ] = None,
) -> None:
    """Serves the gateway with the settings of the environment."""
    with _clear_errors():
        settings = read_gateway_settings(**({} if workers is None else {"workers": workers}))
        configure_logs(settings.log_format, settings.log_level)
        names = provider_names(settings)
        if not names:
            raise WrongSettings(
                "No provider is configured. Give at least one of GATELY_API_KEY, COMETLY_API_KEY and KLEN_API_KEY,"
                " or try `gateway demo`."
            )
        with listening(settings, settings.workers) as listeners:
            what = "GraphQL and GraphiQL" if settings.shows(settings.graphiql) else "GraphQL"
            text = f"{what}: {address(settings, listeners[0])}/graphql\nProviders: {', '.join(names)}"
            say_where = partial(out.print, text)
            if settings.workers == 1:
                serve_alone(settings, listeners[0], say_where)
            elif code := serve_in_workers(settings, listeners, say_where, _say_wrong):
                raise typer.Exit(code)


@app.command()
def demo() -> None:
    """Serves the gateway over three simulated providers: no keys, seeded contacts, nothing kept."""
    # What `gateway serve` has no use for would stay in its memory: so below too.
    from gateway.demonstration import serve_demo

    with _clear_errors(), tempfile.TemporaryDirectory(prefix="contact-gateway-") as folder:
        settings = read_gateway_settings(
            database_url=f"sqlite:///{folder}/demo.db",
            mode="development",
            authentication="off",
            # The simulators carry out at once or never, and nobody wants to watch for a minute.
            settling_seconds=5,
        )
        configure_logs(settings.log_format, settings.log_level)
        with listening(settings) as (listener,):
            run(serve_demo(settings, listener, out))


@app.command()
def sandbox(
    port: Annotated[
        int, typer.Option(min=0, max=65533, help="Gately's port; Cometly and Klen AI take the next two.")
    ] = SANDBOX_PORT,
) -> None:
    """Serves only the three simulators."""
    from gateway.demonstration import serve_sandbox

    with _clear_errors():
        run(serve_sandbox(port, out))


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
    from gateway.checkup import check_providers, checkup_table

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
    except WrongSettings as error:
        _say_wrong(str(error))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _say_wrong(text: str) -> None:
    err.print(text, style="red", markup=False, highlight=False)
