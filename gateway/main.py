"""The composition root: settings in, application out. Only the command line imports it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette

from gateway.access.api_keys import ApiKeys
from gateway.access.authentication import Authentication
from gateway.access.settings import NO_CREDENTIAL_COUNTS, is_required
from gateway.access.tokens import tokens_of
from gateway.clock import now_ms
from gateway.connectors.base import Connector
from gateway.connectors.registry import REGISTRY
from gateway.contacts.directory import Directory
from gateway.contacts.lingering import Lingering
from gateway.contacts.linking import Linking
from gateway.contacts.listing import ContactLists
from gateway.contacts.reading import Reading
from gateway.contacts.record_cache import RecordCaches
from gateway.contacts.write_side import write_side
from gateway.domain.contact import Provider
from gateway.http.allowed_hosts import answered_hosts
from gateway.http.app import create_app
from gateway.http.manifest import CheckDocument, WrongManifest, read_manifest, refusals, sha256
from gateway.http.services import Authenticate, Services, anybody
from gateway.http.trusted_documents import KnownDocuments, known_documents
from gateway.resilience.status import StatusBoard
from gateway.settings import GatewaySettings, WrongSettings, api_key, read_provider_settings
from gateway.store.database import Database, open_database
from gateway.store.keys import KeyStore
from gateway.store.links import LinkStore
from gateway.store.revisions import NewerDatabaseFound
from gateway.store.tables import LINKS
from gateway.upstream.upstream import Conditions, Timeouts
from resolvers.context import UseCases
from resolvers.document_check import document_check
from resolvers.execution import Executor, Rules
from resolvers.schema import build_schema


def build_connectors(settings: GatewaySettings) -> dict[Provider, Connector]:
    """One connector for each provider whose key is set; their settings come from the environment.

    Raises:
        WrongSettings: naming the variable.
    """
    timeouts = Timeouts(
        connect_seconds=settings.connect_timeout_seconds, attempt_seconds=settings.attempt_timeout_seconds
    )
    conditions = Conditions(timeouts=timeouts, settings=settings)
    connectors: dict[Provider, Connector] = {}
    for entry in REGISTRY:
        provider_settings = read_provider_settings(entry, settings.mode)
        key = api_key(provider_settings)
        if key is not None:
            connectors[entry.provider] = entry.build(provider_settings, key, conditions)
    return connectors


def build_directory(settings: GatewaySettings, connectors: Mapping[Provider, Connector]) -> Directory:
    return Directory(
        connectors,
        precedence=settings.precedence,
        capabilities={entry.provider: entry.capabilities for entry in REGISTRY},
    )


def execution_rules(settings: GatewaySettings) -> Rules:
    return Rules(
        limits=settings,
        query_seconds=settings.query_deadline_seconds,
        mutation_seconds=settings.mutation_deadline_seconds,
        introspection=settings.shows(settings.introspection),
    )


def build_app(
    settings: GatewaySettings, connectors: Mapping[Provider, Connector], conditions: Conditions | None = None
) -> Starlette:
    """The whole gateway; it opens the database when it starts and closes everything when it ends."""

    @asynccontextmanager
    async def running() -> AsyncIterator[Services]:
        rules = execution_rules(settings)
        schema = build_schema()
        documents = _known_documents(settings, document_check(schema, rules))
        database = await open_or_say_why(settings.database_url)
        directory = build_directory(settings, connectors)
        try:
            async with (
                _authenticate(settings, database) as authenticate,
                _use_cases(settings, directory, database, conditions or Conditions()) as use_cases,
            ):
                executor = Executor(schema, use_cases, rules)
                yield Services(
                    execute=documents.watching(executor),
                    ready=lambda: _missing(database),
                    settings=settings,
                    graphiql=settings.shows(settings.graphiql),
                    documents=documents,
                    authenticate=authenticate,
                )
                await executor.finished()
        finally:
            await directory.aclose()
            await database.aclose()

    guarded = is_required(settings, mode=settings.mode, host=settings.host)
    hosts = answered_hosts(settings.allowed_hosts, listens_on=settings.host, guarded=guarded)
    return create_app(running, settings, hosts=hosts, production=settings.mode == "production")


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
    async with tokens_of(settings) as tokens:
        yield Authentication(ApiKeys(store), tokens)


@asynccontextmanager
async def _use_cases(
    settings: GatewaySettings, directory: Directory, database: Database, conditions: Conditions
) -> AsyncIterator[UseCases]:
    """The use cases, and the caretaker at work beside them."""
    links, lingering = LinkStore(database), Lingering(conditions.clocks)
    caches = RecordCaches(directory.configured, settings, clocks=conditions.clocks, events=conditions.events)
    writes = write_side(settings, directory, database, caches)
    at_work = asyncio.create_task(writes.caretaker.run())
    try:
        yield UseCases(
            directory=directory,
            reading=Reading(directory, links, caches),
            lists=ContactLists(directory, links),
            writing=writes.writing,
            previewing=writes.previewing,
            linking=Linking(directory, links),
            statuses=StatusBoard(directory.watches),
            lingering=lingering,
        )
    finally:
        await lingering.aclose()
        at_work.cancel()
        with suppress(asyncio.CancelledError):
            await at_work


def _known_documents(settings: GatewaySettings, check: CheckDocument) -> KnownDocuments:
    try:
        return known_documents(settings, check)
    except WrongManifest as error:
        raise WrongSettings(f"GATEWAY_TRUSTED_DOCUMENTS_FILES: {error}") from None


def list_documents(files: Iterable[Path]) -> list[str]:
    """A line for each document of these manifests.

    Raises:
        WrongManifest
    """
    return [f"sha256:{sha256(listed.text)}  {listed.place}" for listed in read_manifest(files).documents]


def check_documents(settings: GatewaySettings, files: Iterable[Path]) -> list[str]:
    """Everything for which a gateway with these settings would refuse these manifests.

    Raises:
        WrongManifest
    """
    return refusals(read_manifest(files), document_check(build_schema(), execution_rules(settings)))


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
        async with database.reading() as connection:
            await connection.execute(select(LINKS.c.provider).limit(1))
    except SQLAlchemyError:
        return "the database does not answer"
    return None
