"""Health: alive means that the process answers, ready that it can serve; neither calls a provider."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Ready: TypeAlias = Callable[[], Awaitable[str | None]]
"""Says what is missing, or None."""


async def live(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    is_ready: Ready | None = getattr(request.app.state, "ready", None)
    missing = await is_ready() if is_ready else "still starting"
    if missing is None:
        return JSONResponse({"status": "ok"})
    return JSONResponse({"status": "not ready", "reason": missing}, status_code=503)
