"""The composition root: settings in, application out. Only the command line imports it."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette

from gateway.access.api_keys import ApiKeys
from gateway.access.authentication import Authentication
from gateway.access.settings import NO_CREDENTIAL_COUNTS, is_required
from gateway.clock import Clocks, now_ms
from gateway.conditions import build_conditions
from gateway.connectors.base import Connector
from gateway.connectors.registry import REGISTRY
from gateway.contacts.caretaker import Caretaker
from gateway.contacts.changes import Changes
from gateway.contacts.directory import Directory
from gateway.contacts.lingering import Lingering
from gateway.contacts.linking import Linking
from gateway.contacts.listing import ContactLists
from gateway.contacts.reading import Reading
from gateway.contacts.record_cache import RecordCaches
from gateway.contacts.write_side import write_side
from gateway.documents import execution_rules, known_or_say_why
from gateway.domain.contact import Provider
from gateway.http.allowed_hosts import answered_hosts
from gateway.http.app import create_app
from gateway.http.ending import Ending
from gateway.http.services import Authenticate, Services, anybody
from gateway.resilience.rate_budgets import BudgetStanding
from gateway.resilience.standing import StatusBoard
from gateway.settings import GatewaySettings, WrongSettings, api_key, read_provider_settings
from gateway.store.database import Database, open_database
from gateway.store.keys import KeyStore
from gateway.store.links import LinkStore
from gateway.store.tables import LINKS
from gateway.store.versions import NewerDatabaseFound
from gateway.telemetry.telemetry import SILENT, Telemetry, build_telemetry
from gateway.upstream.proxy import UnusableProxy
from resolvers.context import UseCases
from resolvers.document_check import document_check
from resolvers.execution import Executor
from resolvers.schema import build_schema

if TYPE_CHECKING:
    from gateway.access.tokens import Tokens


def telemetry_of(settings: GatewaySettings) -> Telemetry:
    """For the connectors and the application of one gateway alike."""
    return build_telemetry(settings, version=version("contact-gateway"), logs_requests=settings.logs_requests)


def build_connectors(
    settings: GatewaySettings,
    telemetry: Telemetry = SILENT,
    clocks: Clocks | None = None,
    changes: Changes | None = None,
) -> dict[Provider, Connector]:
    """One connector for each provider whose key is set; their settings come from the environment. `changes` where other
    processes write to the same records.

    Raises:
        WrongSettings: naming the variable.
    """
    conditions = build_conditions(settings, telemetry.events, clocks or Clocks(), changes)
    connectors: dict[Provider, Connector] = {}
    for entry in REGISTRY:
        provider_settings = read_provider_settings(entry, settings.mode)
        key = api_key(provider_settings)
        if key is not None:
            url = provider_settings.base_url
            observed = replace(conditions, observers=telemetry.around_attempts(url.host, url.port))
            try:
                connectors[entry.provider] = entry.build(provider_settings, key, observed)
            except UnusableProxy as error:
                raise WrongSettings(str(error)) from error
    return connectors


def build_directory(settings: GatewaySettings, connectors: Mapping[Provider, Connector]) -> Directory:
    return Directory(
        connectors,
        precedence=settings.precedence,
        capabilities={entry.provider: entry.capabilities for entry in REGISTRY},
    )


def build_app(
    settings: GatewaySettings,
    connectors: Mapping[Provider, Connector],
    telemetry: Telemetry = SILENT,
    clocks: Clocks | None = None,
    changes: Changes | None = None,
) -> Starlette:
    """The whole gateway; it opens the database when it starts and closes everything when it ends. `changes` where other
    processes write to the same records."""
    chosen = clocks or Clocks()
    return create_app(
        lambda: _running(settings, connectors, telemetry, chosen, changes or Changes(chosen.monotonic)),
        settings,
        hosts=_hosts(settings),
        production=settings.mode == "production",
        traffic=telemetry.traffic,
        pages=telemetry.pages,
    )


@asynccontextmanager
async def _running(
    settings: GatewaySettings,
    connectors: Mapping[Provider, Connector],
    telemetry: Telemetry,
    clocks: Clocks,
    changes: Changes,
) -> AsyncIterator[Services]:
    rules, schema = execution_rules(settings), build_schema()
    documents = known_or_say_why(settings, document_check(schema, rules))
    database = await open_or_say_why(settings.database_url)
    directory = build_directory(settings, connectors)
    telemetry.watch_budgets(partial(_budgets, directory))
    database.watch_writes(changes.note)
    try:
        async with (
            _authenticate(settings, database) as authenticate,
            _use_cases(settings, directory, database, telemetry, clocks, changes) as use_cases,
        ):
            executor, ending = Executor(schema, use_cases, rules), Ending(settings.shutdown_seconds)
            yield Services(
                execute=telemetry.observing(documents.watching(executor)),
                ready=lambda: _missing(database),
                settings=settings,
                graphiql=settings.shows(settings.graphiql),
                documents=documents,
                authenticate=authenticate,
                ending=ending,
            )
            ending.set()
            await ending.bound(executor.finished())
    finally:
        for close in (directory.aclose, database.aclose, telemetry.aclose):
            await close()


def _hosts(settings: GatewaySettings) -> tuple[str, ...]:
    guarded = is_required(settings, mode=settings.mode, host=settings.host)
    return answered_hosts(settings.allowed_hosts, listens_on=settings.host, guarded=guarded)


@asynccontextmanager
async def _authenticate(settings: GatewaySettings, database: Database) -> AsyncIterator[Authenticate]:
    """
    Raises:
        WrongSettings: when callers have to show a credential and there is none that would count.
    """
    if not is_required(settings, mode=settings.mode, host=settings.host):
        yield anybody
        return
    store = KeyStore(database)
    if settings.jwt_jwks_url is None and not await store.has_valid(now=now_ms()):
        raise WrongSettings(NO_CREDENTIAL_COUNTS)
    async with _tokens(settings) as tokens:
        yield Authentication(ApiKeys(store), tokens)


def _tokens(settings: GatewaySettings) -> AbstractAsyncContextManager["Tokens | None"]:
    if settings.jwt_jwks_url is None:
        return nullcontext()
    # What checks signatures is loaded only where there are any.
    from gateway.access.tokens import tokens_of

    return tokens_of(settings)


@asynccontextmanager
async def _use_cases(
    settings: GatewaySettings,
    directory: Directory,
    database: Database,
    telemetry: Telemetry,
    clocks: Clocks,
    changes: Changes,
) -> AsyncIterator[UseCases]:
    """The use cases, and the caretaker at work beside them."""
    links, lingering = LinkStore(database), Lingering(clocks)
    caches = RecordCaches(directory.configured, settings, clocks=clocks, events=telemetry.events, changes=changes)
    writes = write_side(settings, directory, database, caches, telemetry.concluded)
    async with _at_work(writes.caretaker), aclosing(lingering):
        yield UseCases(
            directory=directory,
            reading=Reading(directory, links, caches),
            lists=ContactLists(directory, links),
            writing=writes.writing,
            previewing=writes.previewing,
            linking=Linking(directory, links),
            statuses=StatusBoard(directory.standings),
            changes=changes,
            lingering=lingering,
        )


def _budgets(directory: Directory) -> Iterator[tuple[Provider, BudgetStanding]]:
    for provider, standing in directory.standings.items():
        yield from ((provider, budget) for budget in (standing.budgets.present() if standing.budgets else ()))


@asynccontextmanager
async def _at_work(caretaker: Caretaker) -> AsyncIterator[None]:
    work = asyncio.create_task(caretaker.run())
    try:
        yield
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


async def open_or_say_why(url: str) -> Database:
    """
    Raises:
        WrongSettings: in the place of a database that cannot be used.
    """
    try:
        return await open_database(url)
    except NewerDatabaseFound:
        message = "the database was written by a newer version of the gateway; run that version, or give another one"
    except (SQLAlchemyError, ValueError, TypeError):
        # What the driver says is not repeated: of a URL that is read wrongly it may hold the password.
        message = (
            "cannot be opened or created; give the path of a file in a folder that can be written to"
            if url.startswith("sqlite")
            else "the server cannot be reached, or refuses the user, the password, the database or making tables;"
            " give postgresql://user:password@host:5432/database"
        )
    raise WrongSettings(f"GATEWAY_DATABASE_URL: {message}.")


async def _missing(database: Database) -> str | None:
    try:
        await database.read(lambda connection: connection.execute(select(LINKS.c.provider).limit(1)).first())
    except SQLAlchemyError:
        return "the database does not answer"
    return None
