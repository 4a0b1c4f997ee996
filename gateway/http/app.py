"""The ASGI application: which path leads where."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.http.endpoint import graphql
from gateway.http.graphiql import graphiql_assets
from gateway.http.health import live, ready
from gateway.http.services import Services

Running: TypeAlias = Callable[[], AbstractAsyncContextManager[Services]]


def create_app(running: Running) -> Starlette:
    """`running` is entered at the start of the server and left at its end."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with running() as services:
            app.state.services = services
            yield

    # The endpoint answers every method itself, in the form that GraphQL clients read.
    endpoint = Route("/graphql", graphql, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
    return Starlette(
        routes=[
            Route("/", _home),
            endpoint,
            Route("/health/live", live),
            Route("/health/ready", ready),
            graphiql_assets(),
        ],
        lifespan=lifespan,
    )


async def _home(_: Request) -> Response:
    return RedirectResponse("/graphql")
