"""A gateway on a real socket over the sandbox, for what only a socket shows."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from tests.http.live import Live, serving


@pytest.fixture
def serve(
    running_sandbox: RunningSandbox, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Live]]:
    """Serves with these settings, until the test ends."""
    monkeypatch.chdir(tmp_path)
    for name, value in running_sandbox.environment().items():
        monkeypatch.setenv(name, value)
    with ExitStack() as servers:
        yield lambda *change, **settings: servers.enter_context(serving(tmp_path, *change, **settings))


@pytest.fixture(scope="module")
def lasting_live(running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in running_sandbox.environment().items():
            patch.setenv(name, value)
        with serving(folder) as live:
            yield live


@pytest.fixture
def live(lasting_live: Live, sandbox: Sandbox) -> Live:
    """One with the default settings, for all tests of a file."""
    return lasting_live


@pytest.fixture
def nothing_in_the_log(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Neither a stack nor an error, whatever the client does."""
    yield
    # Here, in the teardown, `caplog.records` are those of the teardown alone.
    told = [record.getMessage() for record in caplog.get_records("call") if record.levelname in ("ERROR", "CRITICAL")]
    printed = capsys.readouterr()
    assert (told, printed.out, printed.err) == ([], "", "")


def run(test: Any) -> Any:
    return asyncio.run(test)
