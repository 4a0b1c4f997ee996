"""One gateway for all GraphQL tests, emptied before each: building the schema takes longer than most tests."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.main import build_app, build_connectors
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from gateway.settings import read_gateway_settings
from tests.conftest import BARE, Gateway, resting_caretakers
from tests.graphql.ids import ADA_CONTACTS
from tests.graphql.traffic import Traffic


@pytest.fixture(scope="session")
def lasting_gateway(
    running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, Path]]:
    """The gateway and the file of its database."""
    folder = tmp_path_factory.mktemp("graphql")
    with pytest.MonkeyPatch.context() as patch, resting_caretakers():
        patch.chdir(folder)
        for name, value in running_sandbox.environment().items():
            patch.setenv(name, value)
        database = folder / "gateway.db"
        settings = read_gateway_settings(database_url=f"sqlite:///{database}", **BARE)
        gateway = Gateway(build_app(settings, build_connectors(settings)))
    yield gateway, database
    gateway.close()


@pytest.fixture
def gateway(lasting_gateway: tuple[Gateway, Path], sandbox: Sandbox) -> Gateway:
    """A gateway over all three simulators, with an empty database."""
    gateway, database = lasting_gateway
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM links")
        connection.execute("DELETE FROM aliases")
    return gateway


@pytest.fixture
def traffic(sandbox: Sandbox) -> Traffic:
    return Traffic(sandbox)


@pytest.fixture
def link(gateway: Gateway, traffic: Traffic) -> Callable[..., Any]:
    """Links contacts or records by their ids and returns the contact's id."""

    def link(*ids: str) -> str:
        data = gateway.data(
            "mutation($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { id } } }", ids=list(ids)
        )
        traffic.forget()
        linked: str = data["linkContacts"]["contact"]["id"]
        return linked

    return link


@pytest.fixture
def ada(link: Callable[..., str]) -> str:
    """Ada Winter's three seeded records as one contact."""
    return link(*ADA_CONTACTS.values())
