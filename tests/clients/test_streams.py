"""Real clients over both ways that subscriptions come: each queries, writes, watches a provider fail, and leaves."""

import json
import sys
import threading
import time

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.clients.conftest import NODE, LiveGateway, Start

CLIENTS = {
    name: [NODE, "streams.mjs", name]
    for name in ("graphql-ws", "graphql-sse", "urql over graphql-ws", "urql over events", "apollo over graphql-ws")
}
CLIENTS["gql over graphql-ws"] = [sys.executable, "streams.py"]


@pytest.mark.parametrize("client", CLIENTS)
def test_it_queries_writes_watches_and_leaves(
    start: Start, sandbox: Sandbox, live_gateway: LiveGateway, client: str
) -> None:
    process = start(*CLIENTS[client])
    assert process.stdout
    # A client that hangs is ended, so that there is a line to read.
    patience = threading.Timer(60, process.kill)
    patience.start()
    printed = process.stdout.readline()
    patience.cancel()

    assert printed.startswith("{"), printed + process.stdout.read()
    assert json.loads(printed) == {
        "queried": {"contacts": {"sources": [{"provider": "GATELY", "state": "OK"}]}},
        "mutated": {"createContact": {"status": "PARTIAL"}},
        "events": [
            {"provider": "GATELY", "state": "UP", "fault": None},
            {"provider": "GATELY", "state": "FAILING", "fault": {"code": "PROVIDER_ERROR"}},
        ],
    }
    ends = time.monotonic() + 10
    while live_gateway.listeners:
        assert time.monotonic() < ends, "the subscription goes on"
        time.sleep(0.01)
    assert process.poll() is None
