"""A person opens GraphiQL in a browser, reads the documentation, writes and runs operations.

The browser enforces the page's Content-Security-Policy; each thing that it refuses is a complaint of `Watch`.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Route,
    WebSocketRoute,
    expect,
    sync_playwright,
)

from gateway.http.graphiql import DIST

# On a busy machine the editor's workers take longer than the usual five seconds to colour a text.
expect.set_options(timeout=20_000)

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


# Style elements and attributes that the policy refuses change the look without an error.
TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) =>
    tellViolation([effectiveDirective, blockedURI, sample].join(" ").trim()))"""


class Watch:
    """What went wrong in the page without being seen, and whom it talked to."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.hosts: set[str | None] = set()
        page.expose_function("tellViolation", self._refuse)
        page.add_init_script(TELL_VIOLATIONS)
        page.on("console", self._hear)
        page.on("pageerror", self._catch)
        page.context.on("request", lambda request: self._note(request.url))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _refuse(self, violation: str) -> None:
        self.complaints.append(violation)

    def _catch(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _note(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme not in ("data", "blob"):
            self.hosts.add(address.hostname)


def open_graphiql(browser: Browser, gateway_url: str, page: Page | None = None) -> tuple[Page, Watch]:
    """The page as somebody sees it who was never there, and what it does from its first moment."""
    page = page or browser.new_page(viewport={"width": 1600, "height": 1000})
    watch = Watch(page)
    page.goto(gateway_url)
    expect(page).to_have_title("Contact Gateway")
    expect(page.get_by_role("tab")).to_have_count(len(list(EXAMPLES.glob("*.graphql"))))
    return page, watch


def origin(page: Page) -> str:
    address = urlsplit(page.url)
    return f"{address.scheme}://{address.netloc}"


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

    # Referrer-Policy must not hide it: it tells the endpoint that the request comes from its own page.
    assert answered.value.request.all_headers()["origin"] == origin(page)
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
    # GraphiQL keeps it half a second after the last change; who reloads before that finds the tab of before.
    wait_until_kept(page, "ReadContact")
    page.get_by_role("tab", name="CreateContact").click()
    expect(variables).to_contain_text("mary.somerville@example.com")
    wait_until_kept(page, "CreateContact")
    page.reload()
    expect(variables).to_contain_text("mary.somerville@example.com")
    assert watch.complaints == []


def test_no_tab_can_be_chosen_before_there_is_an_editor_for_its_text(browser: Browser, gateway_url: str) -> None:
    """It would stand above the operation of another tab, and Execute would send that one."""
    page, held = browser.new_page(viewport={"width": 1600, "height": 1000}), list[Route]()
    # Playwright puts an attribute on the function that it is given, which a built-in one would not take.
    page.route("**/assets/monaco-editor-*.js", lambda route: held.append(route))
    with page.expect_request("**/assets/monaco-editor-*.js"):
        page.goto(gateway_url)
    expect(page.get_by_text("Contact Gateway")).to_be_visible()
    expect(page.get_by_role("tab")).to_have_count(0)
    expect(page.get_by_role("button", name="New tab")).to_have_count(0)
    for route in held:
        route.continue_()
    page.get_by_role("tab", name="Providers").click()
    expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("Says which providers are configured")


def wait_until_kept(page: Page, title: str) -> None:
    """Until the browser's storage has this tab as the open one."""
    # Expected: page.wait_for_function. Actual: it needs eval, which the page forbids.
    kept = None
    for _ in range(200):
        kept = page.evaluate("() => JSON.parse(localStorage.getItem('graphiql:tabState') ?? 'null')")
        if kept is not None and kept["tabs"][kept["activeTabIndex"]]["title"] == title:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{title} was never kept: {kept}")


def boxes(elements: Locator) -> list[tuple[float, float, float, float]]:
    """Left, top, width and height of each element, in CSS pixels."""
    measured: list[list[float]] = elements.evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(box => [box.x, box.y, box.width, box.height])"
    )
    return [(left, top, width, height) for left, top, width, height in measured]


def tops(elements: Locator) -> list[float]:
    return sorted(top for _, top, _, _ in boxes(elements))


def settles(page: Page, measured: Callable[[], object], expected: object) -> None:
    """The editor draws in several steps, and tells nobody when it is done."""
    for _ in range(100):
        if measured() == expected:
            break
        page.wait_for_timeout(50)
    assert measured() == expected


def guide_lefts(editor: Locator) -> list[float]:
    """Where the vertical lines stand that show the levels of indentation; those of one level stand in one column."""
    text_left = boxes(editor.locator(".view-line").first)[0][0]
    return sorted({left - text_left for left, _, _, _ in boxes(editor.locator(".core-guide"))})


def test_the_editor_looks_as_if_inline_styles_were_allowed(browser: Browser, gateway_url: str) -> None:
    """Monaco places and colours by inline styles: without them the page works, but grey, and its marks are nowhere."""
    page, watch = open_graphiql(browser, gateway_url)
    editor = page.locator(".graphiql-query-editor")
    token = editor.locator(".view-line span span")
    comment, field = token.get_by_text("twice").first, token.get_by_text("results", exact=True)
    expect(token.get_by_text("mutation", exact=True)).to_have_css("color", "rgb(0, 0, 255)")
    expect(comment).to_have_css("color", "rgb(0, 128, 0)")
    expect(field).to_have_css("color", "rgb(134, 59, 0)")
    lines = boxes(editor.locator(".view-line"))
    assert [top - lines[0][1] for _, top, _, _ in lines] == [20 * line for line in range(len(lines))]
    indentation = 2 * boxes(field)[0][2] / len("results")
    levels = pytest.approx([level * indentation for level in range(5)], abs=0.5)
    settles(page, lambda: guide_lefts(editor), levels)

    # Lines that come into view are drawn by another way than the first ones.
    editor.hover()
    page.mouse.wheel(0, 260)
    numbers = editor.locator(".margin-view-overlays .line-numbers")
    expect(numbers.get_by_text("33", exact=True)).to_be_attached()
    settles(page, lambda: guide_lefts(editor), levels)
    settles(page, lambda: tops(numbers) == tops(editor.locator(".view-line")), True)

    field.dblclick()
    marked = editor.locator(".selected-text")
    expect(marked).to_have_count(1)
    settles(page, lambda: boxes(marked)[0] == pytest.approx(boxes(field)[0], abs=2), True)
    assert watch.complaints == []


def test_what_is_typed_is_completed_and_shown_letter_by_letter(browser: Browser, gateway_url: str) -> None:
    page, watch = open_graphiql(browser, gateway_url)
    editor = page.locator(".graphiql-query-editor")
    editor.locator(".view-line").first.click()

    page.keyboard.press("Control+A")
    page.keyboard.type("{ con")
    page.keyboard.press("Control+Space")
    offers = page.locator(".suggest-widget.visible .monaco-list-row")
    expect(offers.locator(".label-name")).to_have_text(["contact", "contactsByEmail", "contacts"])

    def stand_below_the_line() -> bool:
        ((left, first, _, height), *below) = boxes(offers)
        (_, line_top, _, line_height) = boxes(editor.locator(".view-line"))[0]
        in_rows = [(box[0], box[1]) for box in below] == [(left, first + height), (left, first + 2 * height)]
        return in_rows and 0 <= first - line_top - line_height < 5

    settles(page, stand_below_the_line, True)
    page.keyboard.press("Enter")
    expect(editor.locator(".view-line")).to_have_text("{ contact}")

    # Looks like what the editor itself draws with, and must stay text.
    page.keyboard.type('(id: "1") # <b style="top:9px" class="x"> style="left:0"')
    expect(editor.locator(".view-line")).to_contain_text('(id: "1") # <b style="top:9px" class="x"> style="left:0"')
    assert watch.complaints == []


def test_menus_dialogs_and_themes_are_styled(browser: Browser, gateway_url: str) -> None:
    page, watch = open_graphiql(browser, gateway_url)
    editor = page.locator(".graphiql-query-editor")
    field = editor.locator(".view-line span span").get_by_text("results", exact=True)
    expect(field).to_have_css("color", "rgb(134, 59, 0)")

    field.click(button="right")
    expect(page.get_by_role("menuitem", name="Command Palette")).to_have_css("display", "flex")
    page.keyboard.press("Escape")
    field.click()
    page.keyboard.press("F1")
    page.keyboard.type("Developer: Inspect Tokens")
    page.keyboard.press("Enter")
    expect(page.locator(".tokens-inspect-separator").first).to_have_css("clear", "both")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Open settings dialog").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    page.keyboard.press("Escape")
    expect(field).not_to_have_css("color", "rgb(134, 59, 0)")
    assert watch.complaints == []


def test_a_stranger_s_style_in_html_text_stays_without_effect(browser: Browser, gateway_url: str) -> None:
    page, watch = open_graphiql(browser, gateway_url)

    page.evaluate("""document.body.insertAdjacentHTML("beforeend", `
        <p id="stranger" style="color: rgb(1, 2, 3)" onclick="0">Hello</p>
        <style>#stranger { opacity: 0.5 }</style>`)""")

    expect(page.locator("#stranger")).not_to_have_css("color", "rgb(1, 2, 3)")
    expect(page.locator("#stranger")).to_have_css("opacity", "1")
    refused = {complaint for complaint in watch.complaints if complaint.endswith(" inline")}
    assert refused == {"style-src-attr inline", "style-src-elem inline", "script-src-attr inline"}


def test_the_page_may_open_a_socket_to_its_own_address_only(browser: Browser, gateway_url: str) -> None:
    page, watch = open_graphiql(browser, gateway_url)
    open_socket = """url => new Promise(resolve => {
        const socket = new WebSocket(url, "graphql-transport-ws");
        socket.onopen = () => resolve("open");
        socket.onerror = () => resolve("error");
    })"""

    assert page.evaluate(open_socket, "ws://localhost:9/graphql") == "error"
    assert page.evaluate(open_socket, page.url.replace("http://", "ws://")) == "open"

    refused = [complaint for complaint in watch.complaints if complaint.startswith("connect-src")]
    assert refused == ["connect-src ws://localhost:9/graphql"]


def write_operation(page: Page, text: str, headers: str) -> None:
    page.locator(".graphiql-query-editor .view-line").first.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    page.get_by_role("button", name="Headers").click()
    page.get_by_label("Headers", exact=True).click()
    page.keyboard.insert_text(headers)
    page.wait_for_timeout(2000)  # see test_an_example_runs_in_the_browser


def test_a_subscription_goes_by_websocket_to_the_same_address(browser: Browser, gateway_url: str) -> None:
    received: list[dict[str, Any]] = []
    addresses: list[str] = []

    def serve(socket: WebSocketRoute) -> None:
        addresses.append(socket.url)

        def answer(text: str | bytes) -> None:
            message = json.loads(text)
            received.append(message)
            if message["type"] == "connection_init":
                socket.send(json.dumps({"type": "connection_ack"}))
            if message["type"] == "subscribe":
                data = {"data": {"providerStatusChanged": {"provider": "KLEN"}}}
                socket.send(json.dumps({"type": "next", "id": message["id"], "payload": data}))

        socket.on_message(answer)

    page, watch = open_graphiql(browser, gateway_url)
    page.route_web_socket("**/*", serve)
    document = "subscription Status { providerStatusChanged { provider } }"
    write_operation(page, document, '{ "Authorization": "Bearer key" }')
    page.get_by_role("button", name="Execute query").click()

    expect(page.get_by_label("Result Window")).to_contain_text('"provider": "KLEN"')
    page.get_by_role("button", name="Stop query").click()
    page.wait_for_timeout(500)
    assert addresses == [page.url.replace("http://", "ws://")]
    assert [message["type"] for message in received] == ["connection_init", "subscribe", "complete"]
    assert received[0]["payload"] == {"Authorization": "Bearer key"}
    assert received[1]["payload"]["query"] == document
    assert watch.complaints == []


def test_without_introspection_the_page_still_runs_operations(browser: Browser, gateway_url: str) -> None:
    def refuse(route: Route) -> None:
        if "IntrospectionQuery" in (route.request.post_data or ""):
            route.fulfill(json={"errors": [{"message": "Introspection is off."}]})
        else:
            route.fallback()

    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.route("**/graphql", refuse)
    page, watch = open_graphiql(browser, gateway_url, page)

    page.get_by_role("button", name="Show Documentation Explorer").click()
    expect(page.locator(".graphiql-doc-explorer")).to_contain_text("Error fetching schema")
    page.get_by_role("tab", name="Providers").click()
    keyword = page.locator(".graphiql-query-editor .view-line span span").get_by_text("query", exact=True)
    expect(keyword).to_have_css("color", "rgb(0, 0, 255)")
    page.wait_for_timeout(2000)  # see test_an_example_runs_in_the_browser
    page.get_by_role("button", name="Execute query").click()
    expect(page.get_by_label("Result Window")).to_contain_text("GATELY")
    assert watch.complaints == []


def test_an_answer_in_parts_is_shown_as_one(browser: Browser, gateway_url: str, tmp_path: Path) -> None:
    page, watch = open_graphiql(browser, gateway_url)
    rest = "... @defer { pageInfo { hasNextPage } sources { provider state } }"
    document = f"query Page {{ contacts(first: 3) {{ edges @stream(initialCount: 0) {{ node {{ name }} }} {rest} }} }}"
    write_operation(page, document, "{}")
    with page.expect_response(lambda response: response.request.method == "POST") as answered:
        page.get_by_role("button", name="Execute query").click()

    assert answered.value.headers["content-type"].startswith("multipart/mixed")
    shown = page.get_by_label("Result Window")
    expect(shown).to_contain_text('"hasNextPage": true')
    # Who they are depends on what other tests have written at this gateway.
    expect(shown).to_contain_text(re.compile(r'("node":\s*\{\s*"name".*){3}', re.DOTALL))
    expect(shown).to_contain_text('"state": "OK"')
    save_screenshot(page, tmp_path)
    assert watch.complaints == []
