"""`gateway demo`: no keys, seeded contacts, and everything that it prints works when it is tried."""

import json
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gateway.sandbox.magic import MAGIC
from tests.cli.conftest import PATIENCE_SECONDS, Process, Started

ADDRESS = r"GraphiQL\s+(http://127\.0\.0\.1:\d+/graphql)"


@contextmanager
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, verify=False, timeout=30) as opened:
        yield opened


@pytest.fixture(scope="module")
def demo(start_shared: Started) -> Process:
    """Started by somebody who has real settings in the environment: a demo heeds none of them."""
    return start_shared(
        "demo", GATELY_API_KEY="gately_sk_live_real", GATELY_BASE_URL="http://192.0.2.1/api", GATEWAY_MODE="production"
    )


def test_it_answers_from_three_seeded_providers(demo: Process) -> None:
    address = demo.address(ADDRESS)
    query = "{ contacts(first: 3) { nodes { records { provider } } } providers { configured } }"

    with client() as caller:
        answer = caller.post(address, json={"query": query})

    assert answer.json()["data"] == {
        "contacts": {"nodes": [{"records": [{"provider": name}]} for name in ("GATELY", "KLEN", "COMETLY")]},
        "providers": [{"configured": True}] * 3,
    }


def test_a_browser_is_shown_graphiql_at_the_printed_address(demo: Process) -> None:
    with client() as browser:
        page = browser.get(demo.address(ADDRESS), headers={"Accept": "text/html"})

    assert page.headers["content-type"].startswith("text/html")
    assert "graphiql" in page.text.lower()


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_printed_curl_line_works_as_it_stands(demo: Process) -> None:
    demo.address(ADDRESS)
    line = demo.printed(r"(?m)^curl .*$")[0]

    words = [shlex.split(line)[0], "--noproxy", "*", *shlex.split(line)[1:]]
    answer = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)

    assert len(json.loads(answer.stdout)["data"]["contacts"]["nodes"]) == 3
    assert answer.stderr == ""


def test_every_magic_word_is_printed_and_a_magic_address_breaks_its_provider(demo: Process) -> None:
    mutation = """mutation { createContact(input: {
      name: "Eva Sommer", emails: [{address: "429.gately@fault.test"}]
    }) { status results { provider outcome ... on ProviderWriteFailure { error { code retryAfterMs } } } } }"""

    with client() as caller:
        answer = caller.post(demo.address(ADDRESS), json={"query": mutation}).json()

    demo.printed(r"Ctrl\+C ends it")
    printed = set(re.findall(r"(?m)^\s*(\S+)  +\S", demo.stdout))
    assert set(MAGIC) <= printed
    assert "429.gately@fault.test" in demo.stdout
    assert answer["data"]["createContact"] == {
        "status": "PARTIAL",
        "results": [
            {
                "provider": "GATELY",
                "outcome": "NOT_APPLIED",
                "error": {"code": "RATE_LIMITED", "retryAfterMs": 30_000},
            },
            {"provider": "KLEN", "outcome": "APPLIED"},
            {"provider": "COMETLY", "outcome": "APPLIED"},
        ],
    }


def test_the_printed_control_addresses_take_faults(demo: Process) -> None:
    address = demo.address(ADDRESS)
    demo.printed(r"Ctrl\+C ends it")
    faults = re.findall(r"faults: (http://\S+)", demo.stdout)
    query = "{ contacts(first: 3, providers: [KLEN]) { sources { state error { code } } } }"

    with client() as caller:
        assert [caller.get(url).json() for url in faults] == [{"faults": []}] * 3
        assert caller.post(faults[2], json={"kind": "status", "status": 403}).status_code == 201
        answer = caller.post(address, json={"query": query}).json()
        caller.delete(faults[2])

    assert answer["data"]["contacts"]["sources"] == [{"state": "FAILED", "error": {"code": "PROVIDER_FORBIDDEN"}}]


def test_it_ends_when_told_to_and_leaves_nothing_behind(start: Started, tmp_path: Path) -> None:
    process = start("demo")
    process.address(ADDRESS)

    assert (process.end(signal.SIGTERM), process.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
