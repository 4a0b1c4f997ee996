"""What the browser is served for GraphiQL, built and not built."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.http.graphiql import DIST, NOT_BUILT_PAGE, graphiql_assets, graphiql_page

SCRIPT = "console.log('hello')"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A front-end as the build leaves it: a page, and beside it the folder of what the page loads."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-Bx7d0q2k.js").write_text(SCRIPT)
    (tmp_path / "index.html").write_text("<!doctype html><title>Contact Gateway</title>")
    return tmp_path


def get(dist: Path, path: str, **headers: str) -> httpx.Response:
    async def page(_request: Request) -> Response:
        return graphiql_page(dist)

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=[Route("/graphql", page), graphiql_assets(dist)]))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(send())


def test_the_page_is_checked_again_on_every_visit(built: Path) -> None:
    answer = get(built, "/graphql")

    assert answer.status_code == 200
    assert answer.text == "<!doctype html><title>Contact Gateway</title>"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["vary"] == "Accept"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_page_that_was_never_built_says_how_to_build_it(tmp_path: Path) -> None:
    answer = get(tmp_path, "/graphql")

    assert answer.status_code == 503
    assert answer.text == NOT_BUILT_PAGE
    assert "make install" in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_a_hashed_file_is_kept_for_a_year(built: Path) -> None:
    answer = get(built, "/graphiql/assets/index-Bx7d0q2k.js")

    assert answer.status_code == 200
    assert answer.text == SCRIPT
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_unchanged_file_is_not_sent_again(built: Path) -> None:
    path = "/graphiql/assets/index-Bx7d0q2k.js"
    etag = get(built, path).headers["etag"]

    answer = get(built, path, **{"If-None-Match": etag})

    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("name", ["missing.js", "../index.html", "%2e%2e/index.html", ""])
def test_nothing_but_the_built_files_is_served(built: Path, name: str) -> None:
    answer = get(built, f"/graphiql/assets/{name}")

    assert answer.status_code == 404
    # A missing file may exist after the next build: a browser must not remember that it did not.
    assert "cache-control" not in answer.headers


def test_files_of_a_page_that_was_never_built_are_not_found(tmp_path: Path) -> None:
    assert get(tmp_path, "/graphiql/assets/index-Bx7d0q2k.js").status_code == 404


@pytest.mark.skipif(not DIST.exists(), reason="the front-end is not built: make install")
def test_the_built_page_loads_only_our_own_files_and_holds_no_script() -> None:
    page = get(DIST, "/graphql").text
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page)

    assert loaded, "the page loads nothing"
    for path in loaded:
        assert get(DIST, path).status_code == 200, path
    assert all(text == "" for text in re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL))
    assert "<style" not in page
    assert "<title>Contact Gateway</title>" in page
