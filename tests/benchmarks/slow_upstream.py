"""The upstream's answers again, each provider with a delay of its own: for what waits on whom, not for what is fast.

python -m tests.benchmarks.slow_upstream PORT gately=20 klen=50 cometly=200
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Awaitable, Callable, Mapping

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.benchmarks.wire_bodies import ROUTES, gately_list, rendered
from tests.benchmarks.wire_bodies import Route as Answer

FIRST_NEW = 9_000_001
# More than a benchmark lasts, so that no connection is closed under a call.
KEEP_ALIVE_SECONDS = 600


def upstream(delays_ms: Mapping[str, float]) -> Starlette:
    """Every provider below a path of its name; who is not named in `delays_ms` answers at once."""
    new_ids = itertools.count(FIRST_NEW)
    routes = [_route(answer, delays_ms.get(answer.provider, 0), new_ids) for answer in ROUTES]

    async def listed(request: Request) -> Response:
        await asyncio.sleep(delays_ms.get("gately", 0) / 1000)
        return Response(gately_list(int(request.query_params["limit"])), media_type="application/json")

    return Starlette(routes=[*routes, Route("/gately/contacts", listed, methods=["GET"])])


def _route(answer: Answer, delay_ms: float, new_ids: itertools.count[int]) -> Route:
    async def answered(request: Request) -> Response:
        await asyncio.sleep(delay_ms / 1000)
        remote_id = request.path_params.get("id") or str(next(new_ids))
        return Response(rendered(answer.template, remote_id), answer.status, media_type="application/json")

    path = f"/{answer.provider}{answer.path}" + ("{id}" if answer.takes_id else "")
    endpoint: Callable[[Request], Awaitable[Response]] = answered
    return Route(path, endpoint, methods=[answer.method])


def read_delays(words: list[str]) -> dict[str, float]:
    """Of `provider=milliseconds`."""
    pairs = (word.partition("=") for word in words)
    return {provider: float(delay) for provider, _, delay in pairs}


if __name__ == "__main__":
    uvicorn.run(
        upstream(read_delays(sys.argv[2:])),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="error",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
