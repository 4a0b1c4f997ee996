"""A server under test as a process of its own, on one core or several, with its output in a file."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from tests.ports import lasting_port

READY_SECONDS = 60.0
PROBE = {"query": "{ __typename }"}
ACCEPT = {"Accept": "application/graphql-response+json, application/json"}


class ServerFailed(Exception):
    """It did not start or does not answer; the text ends with what it said."""


@dataclass(kw_only=True)
class ServerProcess:
    """Answers GraphQL at `url`. `core` may be a list as taskset takes it, such as 0,1; `environment` comes on top of
    the few variables that every process needs."""

    name: str
    command: Sequence[str | Path]
    folder: Path
    core: int | str
    environment: Mapping[str, str] = field(default_factory=dict)
    working_folder: Path | None = None
    port: int = field(default_factory=lasting_port)
    token: str | None = None
    start_up_seconds: float = 0.0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ServerFailed(f"{self.name} was not started")
        return self._process.pid

    def __enter__(self) -> ServerProcess:
        """
        Raises:
            ServerFailed: when it does not answer in time.
        """
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        began = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["taskset", "-c", str(self.core), *self.command],
                cwd=self.working_folder or self.folder,
                env={**inherited, **self.environment},
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_until_ready()
        except ServerFailed:
            self.close()
            raise
        self.start_up_seconds = time.monotonic() - began
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, body: str) -> Any:
        """
        Raises:
            ServerFailed: when what comes is not JSON.
        """
        headers = {"Content-Type": "application/json", **ACCEPT}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        reply = httpx.post(self.url, content=body, headers=headers, timeout=30, trust_env=False)
        try:
            return reply.json()
        except ValueError:
            raise ServerFailed(f"{self.name} answered {reply.status_code}: {reply.text[:500]}") from None

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    @property
    def _log(self) -> Path:
        return self.folder / f"{self.name.replace(' ', '-')}.log"

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-3000:]

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + READY_SECONDS
        with httpx.Client(trust_env=False, timeout=5, headers=ACCEPT) as client:
            while time.monotonic() < until:
                if self._process is None or self._process.poll() is not None:
                    raise ServerFailed(f"{self.name} ended by itself:\n{self._said()}")
                try:
                    # Any answer will do: a server that wants a credential is ready too.
                    client.post(self.url, json=PROBE)
                    return
                except httpx.TransportError:
                    time.sleep(0.01)
        raise ServerFailed(f"{self.name} was never ready:\n{self._said()}")
