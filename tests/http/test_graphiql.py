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

from gateway.http.graphiql import (
    DIST,
    NONCE_PLACEHOLDER,
    NOT_BUILT_PAGE,
    graphiql_assets,
    graphiql_page,
)

SCRIPT = "console.log('hello')"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A front-end as the build leaves it: a page, and beside it the folder of what the page loads."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-Bx7d0q2k.js").write_text(SCRIPT)
    (tmp_path / "index.html").write_text(f'<!doctype html><meta property="csp-nonce" nonce="{NONCE_PLACEHOLDER}">')
    return tmp_path


def get(dist: Path, path: str, **headers: str) -> httpx.Response:
    async def page(_request: Request) -> Response:
        return graphiql_page(dist)

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=[Route("/graphql", page), graphiql_assets(dist)]))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(send())


def read_policy(answer: httpx.Response) -> dict[str, list[str]]:
    directives = (directive.split() for directive in answer.headers["content-security-policy"].split(";"))
    return {name: sources for name, *sources in directives}


def test_the_page_may_do_what_graphiql_needs_and_nothing_else(built: Path) -> None:
    policy = read_policy(get(built, "/graphql"))
    (own, nonce) = policy["style-src"]

    assert own == "'self'"
    assert re.fullmatch(r"'nonce-[\w-]{22}'", nonce)
    assert policy == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", nonce],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }


def test_every_page_has_a_nonce_of_its_own(built: Path) -> None:
    answers = [get(built, "/graphql") for _ in range(3)]
    nonces = [read_policy(answer)["style-src"][1].removeprefix("'nonce-").removesuffix("'") for answer in answers]

    assert len(set(nonces)) == 3
    for answer, nonce in zip(answers, nonces, strict=True):
        assert answer.text == f'<!doctype html><meta property="csp-nonce" nonce="{nonce}">'


PAGE_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "vary": "Accept",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def test_the_page_is_not_kept_not_framed_and_not_told_to_others(built: Path) -> None:
    answer = get(built, "/graphql")

    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in PAGE_HEADERS} == PAGE_HEADERS


def test_a_page_that_was_never_built_says_how_to_build_it(tmp_path: Path) -> None:
    answer = get(tmp_path, "/graphql")

    assert answer.status_code == 503
    assert answer.text == NOT_BUILT_PAGE
    assert "make install" in answer.text
    assert {name: answer.headers[name] for name in PAGE_HEADERS} == PAGE_HEADERS
    assert read_policy(answer) == {
        "default-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }


def test_a_hashed_file_is_kept_for_a_year(built: Path) -> None:
    answer = get(built, "/graphiql/assets/index-Bx7d0q2k.js")

    assert answer.status_code == 200
    assert answer.text == SCRIPT
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("name", ["index-Bx7d0q2k.js", "missing.js"])
def test_a_file_is_for_our_own_page_only(built: Path, name: str) -> None:
    """Workers of the editor are among the files; each obeys the policy that its own file comes with."""
    answer = get(built, f"/graphiql/assets/{name}")

    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
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
def test_the_built_page_loads_only_our_own_files_and_holds_nothing_inline() -> None:
    answer = get(DIST, "/graphql")
    page = answer.text
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page)

    assert loaded, "the page loads nothing"
    for path in loaded:
        assert get(DIST, path).status_code == 200, path
    assert all(text == "" for text in re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL))
    assert "<style" not in page
    assert not re.search(r"\s(style|on\w+)=", page)
    nonce = re.findall(r'<meta property="csp-nonce" nonce="([^"]*)" />', page)
    assert [f"'nonce-{value}'" for value in nonce] == read_policy(answer)["style-src"][1:]
    assert "<title>Contact Gateway</title>" in page
