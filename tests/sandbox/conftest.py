"""One sandbox on real sockets for all tests of this folder, put back to its seed before each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gateway.sandbox.sandbox import COMETLY_KEY, GATELY_KEY, GATELY_PROJECT_ID, KLEN_KEY, Sandbox
from gateway.sandbox.server import RunningSandbox, running_in_thread
from tests.sandbox.fake_time import START, FakeTime

# Everything is plain HTTP on loopback: no proxy of the environment, and no certificates to load for each test.
_LOCAL: dict[str, Any] = {"trust_env": False, "verify": False}


@pytest.fixture(scope="session")
def session_time() -> FakeTime:
    return FakeTime()


@pytest.fixture(scope="session")
def served(session_time: FakeTime) -> Iterator[RunningSandbox]:
    with running_in_thread(Sandbox(clock=session_time, sleep=session_time.sleep)) as running:
        yield running


@pytest.fixture
def time(session_time: FakeTime) -> FakeTime:
    session_time.now = START
    session_time.naps.clear()
    return session_time


@pytest.fixture
def sandbox(served: RunningSandbox, time: FakeTime) -> Sandbox:
    served.sandbox.reset()
    return served.sandbox


@pytest.fixture
def gately(served: RunningSandbox, sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {GATELY_KEY}", "X-Project-ID": GATELY_PROJECT_ID}
    with httpx.Client(base_url=served.gately.base_url, headers=headers, **_LOCAL) as client:
        yield client


@pytest.fixture
def cometly(served: RunningSandbox, sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {
        "Authorization": f"Bearer {COMETLY_KEY}",
        "Accept": "application/json",
        "Content-Type": "application/json",
    }
    with httpx.Client(base_url=served.cometly.base_url, headers=headers, **_LOCAL) as client:
        yield client


@pytest.fixture
def klen(served: RunningSandbox, sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {KLEN_KEY}"}
    with httpx.Client(base_url=served.klen.base_url, headers=headers, **_LOCAL) as client:
        yield client


@pytest.fixture
def clients(gately: httpx.Client, cometly: httpx.Client, klen: httpx.Client) -> dict[str, httpx.Client]:
    return {"gately": gately, "cometly": cometly, "klen": klen}
