"""Health: alive means that the process answers, ready that it can serve; neither calls a provider."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.http.services import Services


async def live(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    services: Services | None = getattr(request.app.state, "services", None)
    missing = await _missing(services) if services else "still starting"
    if missing is None:
        return JSONResponse({"status": "ok"})
    return JSONResponse({"status": "not ready", "reason": missing}, status_code=503)


async def _missing(services: Services) -> str | None:
    return "shutting down" if services.ending.is_set() else await services.ready()
