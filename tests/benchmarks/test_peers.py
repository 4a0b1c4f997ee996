"""What is said of the peers, and what has to be there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import peers, tools

LOCK = json.loads((peers.PEERS / "package-lock.json").read_text(encoding="utf-8"))
PACKAGE = json.loads((peers.PEERS / "package.json").read_text(encoding="utf-8"))


def test_the_lock_names_no_registry() -> None:
    assert [name for name, package in LOCK["packages"].items() if "resolved" in package] == []


def test_every_version_is_pinned() -> None:
    for versions in (PACKAGE["dependencies"], PACKAGE["optionalDependencies"]):
        assert [version for version in versions.values() if not version[0].isdigit()] == []


@pytest.mark.parametrize("peer", peers.ALL, ids=lambda peer: peer.name)
def test_the_readme_tells_of_every_peer(peer: peers.Peer) -> None:
    assert f"| `{peer.name}` |" in (peers.PEERS / "README.md").read_text(encoding="utf-8")


def test_what_is_missing_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "find", lambda program: None if program in ("wrk", "nginx") else program)

    assert tools.complaints(None)[-1] == "Not installed: wrk, nginx-light. On Debian: apt-get install wrk nginx-light"


def test_peers_that_are_not_installed_are_told_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tools, "find", str)

    assert tools.complaints(tmp_path)[-1:] == []
    assert tools.complaints(tmp_path / "none")[-1].startswith("The peers are not installed")
