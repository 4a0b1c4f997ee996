"""A person opens GraphiQL in a browser, reads the documentation and runs an example."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from gateway.http.graphiql import DIST

EXAMPLES = Path(__file__).parents[2] / "gateway/http/graphiql_ui/examples"

# A browser that does nothing of its own accord: every request it makes is one that the page asked for.
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    missing = [
        *([] if chromium else ["chromium is not installed"]),
        *([] if DIST.exists() else ["the front-end is not built: make install"]),
    ]
    if missing and os.environ.get("CI"):
        pytest.fail("; ".join(missing))
    if missing:
        pytest.skip("; ".join(missing))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


class Watch:
    """What went wrong in the page without being seen, and whom it talked to."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.hosts: set[str | None] = set()
        page.on("console", self._hear)
        page.on("pageerror", self._catch)
        page.context.on("request", lambda request: self._note(request.url))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _catch(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _note(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme not in ("data", "blob"):
            self.hosts.add(address.hostname)


def open_graphiql(browser: Browser, gateway_url: str) -> tuple[Page, Watch]:
    """The page as somebody sees it who was never there, and what it does from its first moment."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    watch = Watch(page)
    page.goto(gateway_url)
    expect(page).to_have_title("Contact Gateway")
    expect(page.get_by_role("tab")).to_have_count(len(list(EXAMPLES.glob("*.graphql"))))
    return page, watch


def save_screenshot(page: Page, tmp_path: Path) -> None:
    picture = page.screenshot(path=tmp_path / "graphiql.png")
    if folder := os.environ.get("GATEWAY_SCREENSHOT_DIR"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "graphiql.png").write_bytes(picture)


def test_an_example_runs_in_the_browser(browser: Browser, gateway_url: str, tmp_path: Path) -> None:
    page, watch = open_graphiql(browser, gateway_url)

    page.get_by_role("button", name="Show Documentation Explorer").click()
    page.get_by_role("link", name="Mutation", exact=True).click()
    expect(page.get_by_role("link", name="createContact", exact=True)).to_be_visible()

    page.get_by_role("tab", name="PartialFailure").click()
    # GraphiQL takes over the operation's name a moment after its text, and shows nowhere when it has.
    page.wait_for_timeout(2000)
    with page.expect_response(lambda response: response.request.method == "POST") as answered:
        page.get_by_role("button", name="Execute query").click()

    payload = answered.value.json()["data"]["createContact"]
    assert payload["status"] == "PARTIAL"
    assert {result["provider"]: result["outcome"] for result in payload["results"]} == {
        "GATELY": "NOT_APPLIED",
        "COMETLY": "APPLIED",
        "KLEN": "APPLIED",
    }
    shown = page.get_by_label("Result Window")
    expect(shown).to_contain_text('"status": "PARTIAL"')
    expect(shown).to_contain_text('"code": "RATE_LIMITED"')
    save_screenshot(page, tmp_path)

    assert watch.hosts == {"127.0.0.1"}
    assert watch.complaints == []


def test_the_first_example_opens_with_its_variables_and_keeps_them(browser: Browser, gateway_url: str) -> None:
    """GraphiQL alone would show and keep none: https://github.com/graphql/graphiql/issues/3392."""
    page, watch = open_graphiql(browser, gateway_url)
    variables = page.get_by_label("Variables", exact=True)

    expect(variables).to_contain_text("mary.somerville@example.com")
    page.get_by_role("tab", name="ReadContact").click()
    expect(variables).not_to_contain_text("mary.somerville@example.com")
    page.get_by_role("tab", name="CreateContact").click()
    expect(variables).to_contain_text("mary.somerville@example.com")
    page.reload()
    expect(variables).to_contain_text("mary.somerville@example.com")
    assert watch.complaints == []
