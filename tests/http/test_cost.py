"""What the HTTP face costs a small query, in calls: they are the same on every machine, however busy it is."""

import asyncio
import cProfile
import pstats
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.http.app import create_app
from gateway.http.result import GraphQLRequest, GraphQLResult
from gateway.http.services import Services
from gateway.http.settings import HttpSettings
from tests.http.lines import Line
from tests.http.sockets import post

REQUESTS = 20
# 412 with docs/adr/0025, those of asyncio's own loop included: 372, and 40 of the turn in which an answer goes out, one
# for all that a turn has made; 923 before docs/adr/0018. Beyond that somebody should know what it is for.
MOST_CALLS = 425


def test_a_small_query_costs_few_calls() -> None:
    async def execute(_: GraphQLRequest) -> GraphQLResult:
        return GraphQLResult(body={"data": {"__typename": "Query"}})

    async def ready() -> None:
        return None

    settings = HttpSettings()
    services = Services(execute=execute, ready=ready, settings=settings)

    @asynccontextmanager
    async def running() -> AsyncIterator[Services]:
        yield services

    async def calls() -> float:
        app = create_app(running, settings, hosts=(), production=True)
        async with app.router.lifespan_context(app):
            line = Line(app)
            request = post(b'{"query": "{ __typename }"}', b"Accept: application/json", b"User-Agent: test")
            assert (await line.ask(request)).startswith(b"HTTP/1.1 200 OK\r\n")
            with cProfile.Profile() as profile:
                for _ in range(REQUESTS):
                    await line.ask(request)
            return float(pstats.Stats(profile).total_calls) / REQUESTS

    assert 100 < asyncio.run(calls()) < MOST_CALLS
