"""The installed `gateway` script as a process of its own, always bounded in time and always ended.

What only reads settings and says what is wrong runs within the tests' own process: that is the same code, and quick.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import app
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox, running_in_thread

SCRIPT = Path(sys.executable).parent / "gateway"
PATIENCE_SECONDS = 30
ADDRESS = r"GraphQL and GraphiQL: (http://127\.0\.0\.1:(\d+))/graphql\n"
"""What `gateway serve` prints once it answers: the address, and in it the port."""


def until(happens: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


@dataclass
class Process:
    """A running command; what it prints is collected by two threads, so that it never waits for a reader."""

    popen: subprocess.Popen[str]
    _lines: dict[str, list[str]] = field(default_factory=lambda: {"stdout": [], "stderr": []})
    _heard: threading.Condition = field(default_factory=threading.Condition)
    _readers: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, stream in (("stdout", self.popen.stdout), ("stderr", self.popen.stderr)):
            assert stream is not None
            reader = threading.Thread(target=self._read, args=(name, stream), daemon=True)
            reader.start()
            self._readers.append(reader)

    def _read(self, name: str, stream: IO[str]) -> None:
        for line in stream:
            with self._heard:
                self._lines[name].append(line)
                self._heard.notify_all()
        stream.close()
        with self._heard:
            self._heard.notify_all()

    @property
    def stdout(self) -> str:
        return "".join(self._lines["stdout"])

    @property
    def stderr(self) -> str:
        return "".join(self._lines["stderr"])

    def printed(self, pattern: str) -> re.Match[str]:
        """Waits until standard output holds this."""

        def found() -> re.Match[str] | None:
            return re.search(pattern, self.stdout)

        with self._heard:
            self._heard.wait_for(lambda: found() or self.popen.poll() is not None, timeout=PATIENCE_SECONDS)
        match = found()
        assert match, f"never printed {pattern!r}\n{self.stdout}\n{self.stderr}"
        return match

    def address(self, pattern: str) -> str:
        """The printed address, once it takes connections."""
        address = self.printed(pattern)[1]
        url = urlsplit(address)
        assert url.hostname
        assert url.port
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            assert self.popen.poll() is None, self.stderr
            try:
                socket.create_connection((url.hostname, url.port), timeout=PATIENCE_SECONDS).close()
            except ConnectionRefusedError:
                continue
            return address
        raise AssertionError(f"{address} never took a connection")

    def refuses(self) -> bool:
        """Whether it takes no connection any more at the address that `gateway serve` printed."""
        port = int(self.printed(ADDRESS)[2])
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS).close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            # It stopped listening in that very moment: the next one tells.
            pass
        return False

    def end(self, signal_number: int) -> int:
        """Sends the signal and returns the exit code."""
        self.popen.send_signal(signal_number)
        return self.wait()

    def wait(self) -> int:
        code = self.popen.wait(timeout=PATIENCE_SECONDS)
        for reader in self._readers:
            reader.join(timeout=PATIENCE_SECONDS)
        return code

    def close(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.wait()


class Started:
    """Processes that are ended with the test (or the tests) that started them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack

    def __call__(self, *words: str, **environment: str) -> Process:
        """Starts `gateway <words>` with these environment variables and no others of ours."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        popen = subprocess.Popen(
            [SCRIPT, *words],
            cwd=self._folder,
            env={**inherited, "GATEWAY_PORT": "0", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        process = Process(popen)
        self._stack.callback(process.close)
        return process


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Started]:
    """For processes of one test, in an empty folder."""
    with ExitStack() as stack:
        yield Started(tmp_path, stack)


@pytest.fixture(scope="module")
def start_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """For a process that several tests of a file look at: starting one takes seconds."""
    with ExitStack() as stack:
        yield Started(tmp_path_factory.mktemp("shared"), stack)


@pytest.fixture(scope="module")
def simulators() -> Iterator[RunningSandbox]:
    with running_in_thread(Sandbox()) as served:
        yield served


@pytest.fixture
def sandbox(simulators: RunningSandbox) -> Sandbox:
    """As it was when it started, without faults and requests."""
    simulators.sandbox.reset()
    return simulators.sandbox


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Runs a command that ends by itself within this process, with these environment variables and no others."""
    for name in [name for name in os.environ if name.startswith(("GATEWAY_", "GATELY_", "COMETLY_", "KLEN_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gateway.cli.configure_logs", lambda *_: None)
    monkeypatch.setattr("uvicorn.Server.serve", _never)
    handler = signal.getsignal(signal.SIGTERM)

    def run(*words: str, **environment: str) -> Result:
        result = CliRunner().invoke(app, words, env={"GATEWAY_PORT": "0", **environment})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    yield run
    signal.signal(signal.SIGTERM, handler)


async def _never(*_: object, **__: object) -> None:
    raise AssertionError("it started, although it should have refused to")
