"""GraphiQL for people: one page at the endpoint's own address, and its scripts, all from our origin.

The front-end is an npm project in `graphiql_ui`; `make install` builds it into `DIST`.
"""

import os
from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

DIST: Final = Path(__file__).parent / "graphiql_ui" / "dist"

# Must be the `base` of graphiql_ui/vite.config.ts: the page names its scripts by this path.
ASSETS_PATH: Final = "/graphiql/assets"

PAGE_HEADERS: Final = {
    # The page names its scripts by their hashes, so a page kept too long asks for scripts of an older build.
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    # Programs that GET the same address get GraphQL.
    "Vary": "Accept",
}

NOT_BUILT_PAGE: Final = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Contact Gateway</title>
  </head>
  <body>
    <h1>GraphiQL is not built</h1>
    <p>Run <code>make install</code> in the project's folder, then reload this page.</p>
    <p>The API itself works: POST a GraphQL request to this address.</p>
  </body>
</html>
"""


def graphiql_page(dist: Path = DIST) -> Response:
    """The page, or a readable 503 when the front-end was never built."""
    try:
        page = (dist / "index.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        return HTMLResponse(NOT_BUILT_PAGE, status_code=503, headers=PAGE_HEADERS)
    return HTMLResponse(page, headers=PAGE_HEADERS)


def graphiql_assets(dist: Path = DIST) -> Mount:
    """The route to everything that the page loads; 404 for all of it when the front-end was never built."""
    return Mount(ASSETS_PATH, app=HashedFiles(directory=dist / "assets", check_dir=False), name="graphiql-assets")


class HashedFiles(StaticFiles):
    """Files whose names hold a hash of their content, so that a browser never needs to ask for one twice."""

    async def check_config(self) -> None:
        """Accept a missing folder: StaticFiles would answer 500, and the page already says what to do."""

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
