"""The servers that the gateway is measured against: what starts each of them. peers/README.md tells what they do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.server_process import ServerProcess

PEERS = Path(__file__).with_name("peers")
MODULES = PEERS / "node_modules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """`prepare` writes what the peer needs into its folder, given the upstream's URL and the peer's port, and returns
    the command."""

    name: str
    title: str
    prepare: Callable[[Path, str, int], list[str | Path]]

    def server(self, folder: Path, upstream: str, core: int) -> ServerProcess:
        own = folder / self.name
        own.mkdir()
        server = ServerProcess(name=self.name, command=[], folder=own, core=core, working_folder=PEERS / self.name)
        server.command = self.prepare(own, upstream, server.port)
        server.environment = {"NODE_ENV": "production", "UPSTREAM": upstream, "PORT": str(server.port)}
        return server


def node() -> str:
    """The Node of the environment variable NODE, as the Makefile gives it, else of the path."""
    return os.environ.get("NODE") or shutil.which("node") or "node"


def _script(name: str) -> Callable[[Path, str, int], list[str | Path]]:
    def prepare(folder: Path, upstream: str, port: int) -> list[str | Path]:
        return [node(), PEERS / name / "server.mjs"]

    return prepare


ALL: tuple[Peer, ...] = (
    Peer(name="apollo", title="Apollo Server 5 with dataloader", prepare=_script("apollo")),
    Peer(name="mercurius", title="Mercurius with graphql-jit", prepare=_script("mercurius")),
)
