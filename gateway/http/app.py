"""The ASGI application: which path leads where, and what every request passes on its way there."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from gateway.http.allowed_hosts import AllowedHosts
from gateway.http.cross_origin import CrossOrigin
from gateway.http.endpoint import graphql
from gateway.http.front import Front
from gateway.http.graphiql import graphiql_assets
from gateway.http.health import live, ready
from gateway.http.incoming import Incoming
from gateway.http.refusal import RequestRefused, refusal_response
from gateway.http.security_headers import SecurityHeaders
from gateway.http.services import Services
from gateway.http.settings import HttpSettings
from gateway.http.traffic import Traffic
from gateway.http.websocket import graphql_over_websocket

_PATH: Final = "/graphql"

Running: TypeAlias = Callable[[], AbstractAsyncContextManager[Services]]


def create_app(
    running: Running,
    settings: HttpSettings,
    *,
    hosts: Iterable[str],
    production: bool,
    traffic: Traffic | None = None,
    pages: Iterable[BaseRoute] = (),
) -> Starlette:
    """`running` is entered at the start of the server and left at its end. `hosts` are those that it answers to,
    `pages` what it serves besides; without `traffic` nothing watches its requests."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with running() as services:
            app.state.services = services
            yield

    app = Starlette(routes=_routes(pages), lifespan=lifespan)
    # In the place of Starlette's own, which would answer whatever nobody expected before it comes to the front.
    app.middleware_stack = Front(
        ExceptionMiddleware(app.router, handlers={HTTPException: _not_here}),
        path=_PATH,
        endpoint=_ENDPOINT,
        hosts=AllowedHosts(hosts),
        cross_origin=CrossOrigin(settings.cors_origins),
        security=SecurityHeaders(production=production),
        traffic=traffic,
    )
    app.state.traffic = traffic or Traffic()
    # Its redirects would repeat whatever stands in the Host header.
    app.router.redirect_slashes = False
    return app


def _routes(pages: Iterable[BaseRoute]) -> list[BaseRoute]:
    return [
        Route("/", _home),
        # The front asks the endpoint itself; this is for other spellings of its path.
        Route(_PATH, _ENDPOINT),
        WebSocketRoute(_PATH, graphql_over_websocket),
        Route("/health/live", live),
        Route("/health/ready", ready),
        *pages,
        graphiql_assets(),
    ]


class _Endpoint:
    """Answers every method itself, in the form that GraphQL clients read."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Incoming(scope, receive)
        answer = _OPTIONS if request.method == "OPTIONS" else await graphql(request)
        await answer(scope, receive, send)


_ENDPOINT = _Endpoint()
_OPTIONS = Response(status_code=204, headers={"Allow": "GET, POST, OPTIONS"})


async def _home(_: Request) -> Response:
    return RedirectResponse(_PATH)


async def _not_here(_: Request, error: Exception) -> Response:
    """What the router and the files have to say, in the form that GraphQL clients read."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = {"Allow": "GET, HEAD", **(error.headers or {})}
        return refusal_response(RequestRefused(405, "METHOD_NOT_ALLOWED", "This address is only read.", allowed))
    return refusal_response(RequestRefused(404, "PATH_NOT_FOUND", "Nothing is here; the API is at /graphql."))
