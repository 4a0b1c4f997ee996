"""Gateways that want to know who calls, keys in their database, and an identity provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from gateway.access.api_keys import NewKey, new_key
from gateway.clock import now_ms
from gateway.store.database import Database, open_database
from gateway.store.keys import KeyStore
from tests.access.issuer import Issuer, running_issuer
from tests.conftest import Gateway

MakeKey = Callable[..., NewKey]


def in_database(url: str, work: Callable[[KeyStore], Any]) -> Any:
    """Does something with the keys of a database, as `gateway keys` does beside a running gateway."""

    async def run() -> Any:
        database: Database = await open_database(url)
        try:
            return await work(KeyStore(database))
        finally:
            await database.aclose()

    return asyncio.run(run())


@pytest.fixture
def make_key(database_url: str) -> MakeKey:
    """A key with these scopes; `expires_in` is milliseconds from now."""

    def make(*scopes: str, expires_in: int | None = None) -> NewKey:
        now = now_ms()
        made = new_key("a test", scopes, now=now, expires_at=None if expires_in is None else now + expires_in)
        in_database(database_url, lambda store: store.add(made.stored))
        return made

    return make


@pytest.fixture
def start(start_gateway: Callable[..., Gateway], database_url: str) -> Callable[..., Gateway]:
    """Starts a gateway on the test's database that knows its callers."""
    return lambda **settings: start_gateway(**{"database_url": database_url, "authentication": "required", **settings})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture
def trusting(start_gateway: Callable[..., Gateway], issuer: Issuer) -> Gateway:
    """A gateway that takes the tokens of the issuer."""
    return start_gateway(authentication="required", **issuer.settings)


def ask(
    gateway: Gateway, credential: str | None, document: str = "{ __typename }", variables: Any = None, **headers: str
) -> httpx.Response:
    """With `Authorization: Bearer <credential>`, or without the header."""
    given = {"Authorization": f"Bearer {credential}"} if credential is not None else {}
    body = {"query": document, "variables": variables or {}}
    accept = {"Accept": "application/graphql-response+json"}
    return gateway.request("POST", "/graphql", json=body, headers={**accept, **given, **headers})


def data_of(reply: httpx.Response) -> Any:
    answer = reply.json()
    assert (reply.status_code, answer.get("errors")) == (200, None)
    return answer["data"]
