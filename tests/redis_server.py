"""A Redis server for the tests: one that is given, one that runs here, or one of their own while they run.

Keys stand below a prefix of the test's own and are gone afterwards.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.ports import lasting_port

T = TypeVar("T")

# Read when the tests are collected: some of them run without any variable of ours.
GIVEN = os.environ.get("GATEWAY_TEST_REDIS_URL")
HERE = "127.0.0.1"
USUAL_PORT = 6379
START_SECONDS = 20


class NoServer(Exception):
    """There is none and none can be started; the text says why."""


@contextmanager
def running() -> Iterator[str]:
    """The URL of one that answers.

    Raises:
        NoServer: saying why.
    """
    if GIVEN:
        # Its text is not repeated: it may hold a password.
        if not answers(GIVEN):
            raise NoServer("the one of GATEWAY_TEST_REDIS_URL does not answer")
        yield GIVEN
        return
    usual = f"redis://{HERE}:{USUAL_PORT}/0"
    if answers(usual):
        yield usual
        return
    with own_server() as started:
        yield started.url


@contextmanager
def or_skipped(server: AbstractContextManager[T]) -> Iterator[T]:
    """In CI it has to be there: tests that nobody runs are none."""
    try:
        with server as running_server:
            yield running_server
    except NoServer as reason:
        if os.environ.get("CI"):
            pytest.fail(f"no Redis: {reason}", pytrace=False)
        pytest.skip(f"no Redis: {reason}")


def answers(url: str) -> bool:
    try:
        with Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
            return bool(client.ping())
    except (RedisError, ValueError):
        return False


class OwnServer:
    """One of a test's own, which it may kill and start again at the same port."""

    def __init__(self) -> None:
        self._binary = shutil.which("redis-server")
        if self._binary is None:
            raise NoServer(f"none answers on {HERE}:{USUAL_PORT}, and there is no redis-server to start")
        self._port = lasting_port()
        self._folder = TemporaryDirectory(prefix="gateway-redis-")
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://{HERE}:{self._port}/0"

    def start(self) -> None:
        assert self._binary is not None
        options = ["--bind", HERE, "--port", f"{self._port}", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [self._binary, *options], cwd=self._folder.name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        give_up_at = time.monotonic() + START_SECONDS
        while not answers(self.url):
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                raise NoServer("redis-server was started and does not answer")
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        self._folder.cleanup()


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """
    Raises:
        NoServer: saying why.
    """
    server = OwnServer()
    try:
        server.start()
        yield server
    finally:
        server.close()
