"""The composition root: settings in, application out. Only the command line imports it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from gateway.connectors.base import Connector
from gateway.connectors.registry import REGISTRY
from gateway.contacts.directory import Directory
from gateway.contacts.linking import Linking
from gateway.contacts.listing import ContactLists
from gateway.contacts.locks import RecordLocks
from gateway.contacts.reading import Reading
from gateway.contacts.writing import Writing
from gateway.domain.contact import Provider
from gateway.http.app import Services, create_app
from gateway.settings import GatewaySettings, WrongSettings, api_key, read_provider_settings
from gateway.store.database import LINKS, open_database
from gateway.store.links import LinkStore
from gateway.upstream.upstream import Timeouts
from resolvers.context import UseCases
from resolvers.execution import executor
from resolvers.schema import build_schema


def build_connectors(settings: GatewaySettings) -> dict[Provider, Connector]:
    """One connector for each provider whose key is set; their settings come from the environment.

    Raises:
        WrongSettings: naming the variable.
    """
    timeouts = Timeouts(
        connect_seconds=settings.connect_timeout_seconds, attempt_seconds=settings.attempt_timeout_seconds
    )
    connectors: dict[Provider, Connector] = {}
    for entry in REGISTRY:
        provider_settings = read_provider_settings(entry, settings.mode)
        key = api_key(provider_settings)
        if key is not None:
            connectors[entry.provider] = entry.build(provider_settings, key, timeouts)
    return connectors


def build_directory(settings: GatewaySettings, connectors: Mapping[Provider, Connector]) -> Directory:
    return Directory(
        connectors,
        precedence=settings.precedence,
        capabilities={entry.provider: entry.capabilities for entry in REGISTRY},
    )


def build_app(settings: GatewaySettings, connectors: Mapping[Provider, Connector]) -> Starlette:
    """The whole gateway; it opens the database when it starts and closes everything when it ends."""

    @asynccontextmanager
    async def running() -> AsyncIterator[Services]:
        engine = await _open(settings.database_url)
        directory = build_directory(settings, connectors)
        schema = build_schema(
            query_seconds=settings.query_deadline_seconds,
            mutation_seconds=settings.mutation_deadline_seconds,
        )
        try:
            execute = executor(schema, _use_cases(directory, LinkStore(engine)))
            yield Services(execute=execute, ready=lambda: _missing(engine))
        finally:
            await directory.aclose()
            await engine.dispose()

    return create_app(running)


def _use_cases(directory: Directory, links: LinkStore) -> UseCases:
    return UseCases(
        directory=directory,
        reading=Reading(directory, links),
        lists=ContactLists(directory, links),
        writing=Writing(directory, links, RecordLocks()),
        linking=Linking(directory, links),
    )


async def _open(url: str) -> AsyncEngine:
    try:
        return await open_database(url)
    except (SQLAlchemyError, ValueError, TypeError):
        message = "cannot be opened or created; give the path of a file in a folder that can be written to"
        raise WrongSettings(f"GATEWAY_DATABASE_URL: {message}.") from None


async def _missing(engine: AsyncEngine) -> str | None:
    try:
        async with engine.connect() as connection:
            await connection.execute(select(LINKS.c.provider).limit(1))
    except SQLAlchemyError:
        return "the database does not answer"
    return None
