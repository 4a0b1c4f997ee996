"""GraphiQL for people: one page at the endpoint's own address, and its scripts, all from our origin.

The front-end is an npm project in `graphiql_ui`; `make install` builds it into `DIST`. What the browser lets the page
do is decided here: nothing inline, nothing from elsewhere (docs/adr/0007-graphiql-without-unsafe-inline.md).
"""

import os
import secrets
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

DIST: Final = Path(__file__).parent / "graphiql_ui" / "dist"

# Must be the `base` of graphiql_ui/vite.config.ts: the page names its scripts by this path.
ASSETS_PATH: Final = "/graphiql/assets"

# Stands in graphiql_ui/index.html, in the one element that the page's script reads the nonce from.
NONCE_PLACEHOLDER: Final = "REPLACED-BY-A-NONCE"

# `'self'` in connect-src covers a WebSocket to our own host too (CSP Level 3, "Does url match expression in origin").
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self'",
    # The nonce is for style elements that Monaco makes; style attributes are never allowed (graphiql_ui/src/styles.ts).
    "style-src 'self' 'nonce-{nonce}'",
    # The stylesheets of GraphiQL and Monaco hold small pictures and fonts as data: addresses.
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)

PAGE_HEADERS: Final = {
    # A kept page would use its nonce again, and ask for scripts of an older build.
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    # What a page that handles contacts never needs. Writing to the clipboard stays: GraphiQL copies queries.
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # For browsers that do not know frame-ancestors.
    "X-Frame-Options": "DENY",
    # Programs that GET the same address get GraphQL.
    "Vary": "Accept",
}

ASSET_HEADERS: Final = {
    # For whoever opens a file by itself, and for the editor's workers: they compute, and fetch nothing.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
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

NOT_BUILT_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def graphiql_page(dist: Path = DIST) -> Response:
    """The page with a nonce of its own, or a readable 503 when the front-end was never built."""
    try:
        page = (dist / "index.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        return _html(NOT_BUILT_PAGE, NOT_BUILT_POLICY, status=503)
    nonce = secrets.token_urlsafe(16)
    policy = "; ".join(CONTENT_SECURITY_POLICY).format(nonce=nonce)
    return _html(page.replace(NONCE_PLACEHOLDER, nonce), policy)


def _html(page: str, policy: str, *, status: int = 200) -> Response:
    return HTMLResponse(page, status_code=status, headers={**PAGE_HEADERS, "Content-Security-Policy": policy})


def graphiql_assets(dist: Path = DIST) -> Mount:
    """The route to everything that the page loads; 404 for all of it when the front-end was never built."""
    return Mount(ASSETS_PATH, app=HashedFiles(directory=dist / "assets", check_dir=False), name="graphiql-assets")


class HashedFiles(StaticFiles):
    """Files whose names hold a hash of their content, so that a browser never needs to ask for one twice."""

    async def check_config(self) -> None:
        """Accept a missing folder: StaticFiles would answer 500, and the page already says what to do."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            return await super().get_response(path, scope)
        except HTTPException as refused:
            raise HTTPException(refused.status_code, headers={**(refused.headers or {}), **ASSET_HEADERS}) from None

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers.update(ASSET_HEADERS)
        return response
