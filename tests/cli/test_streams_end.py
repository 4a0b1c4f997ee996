"""SIGTERM ends what would never end by itself: open WebSockets and event streams."""

import asyncio
import json
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import websockets

from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from tests.cli.conftest import Started

WATCH = {"query": "subscription { providerStatusChanged(providers: [KLEN]) { state } }"}
CREATE = """mutation { createContact(input: {
  providers: [KLEN], firstName: "Ines", emails: [{address: "slow.klen@fault.test"}]
}) { status } }"""
PROTOCOLS: Any = ["graphql-transport-ws"]


def test_sigterm_ends_sockets_and_streams_at_once(start: Started, simulators: RunningSandbox) -> None:
    process = start("serve", **simulators.environment())
    host = urlsplit(process.address(r"GraphQL and GraphiQL: (.*)/graphql")).netloc

    async def test() -> None:
        async with (
            websockets.connect(f"ws://{host}/graphql", subprotocols=PROTOCOLS, proxy=None) as socket,
            httpx.AsyncClient(timeout=20) as client,
            client.stream(
                "POST", f"http://{host}/graphql", json=WATCH, headers={"Accept": "text/event-stream"}
            ) as stream,
        ):
            await socket.send('{"type": "connection_init"}')
            await socket.recv()
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": WATCH}))
            await socket.recv()
            lines = stream.aiter_lines()
            while not (await anext(lines)).startswith("data"):
                pass

            process.popen.send_signal(signal.SIGTERM)

            with pytest.raises(websockets.ConnectionClosed) as ended:
                await asyncio.wait_for(socket.recv(), 10)
            assert ended.value.rcvd
            assert ended.value.rcvd.code == 1001
            assert [line async for line in lines if line] == []

    asyncio.run(test())
    began = time.monotonic()
    assert (process.wait(), process.stderr) == (0, "")
    assert time.monotonic() - began < 5


def test_a_mutation_over_a_socket_is_finished_before_the_process_ends(
    start: Started, simulators: RunningSandbox, tmp_path: Path
) -> None:
    sandbox: Sandbox = simulators.sandbox
    before = len(sandbox.klen.contacts)
    process = start("serve", **simulators.environment())
    host = urlsplit(process.address(r"GraphQL and GraphiQL: (.*)/graphql")).netloc

    async def test() -> None:
        async with websockets.connect(f"ws://{host}/graphql", subprotocols=PROTOCOLS, proxy=None) as socket:
            await socket.send('{"type": "connection_init"}')
            await socket.recv()
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": CREATE}}))
            while len(sandbox.klen.contacts) == before:  # noqa: ASYNC110  (another thread changes it)
                await asyncio.sleep(0.01)
            process.popen.send_signal(signal.SIGTERM)
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 10)

    asyncio.run(test())
    assert (process.wait(), process.stderr) == (0, "")
    with closing(sqlite3.connect(tmp_path / "contact-gateway.db")) as database:
        outcomes = database.execute("SELECT outcome FROM operation_targets").fetchall()
    assert outcomes == [("APPLIED",)]
