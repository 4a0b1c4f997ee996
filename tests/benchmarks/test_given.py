"""What a benchmark is given wrongly is told, and nothing is measured."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import bench, bench_self


@pytest.mark.parametrize("arguments", [bench.arguments, bench_self.arguments])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--only", "W1,W9"], "there is no W9; there are W1, W2"),
        (["--rounds", "0"], "must be a whole number from 1 on"),
        (["--seconds", "-3"], "must be a whole number from 1 on"),
        (["--concurrency", "many"], "must be a whole number from 1 on"),
        (["--works", "W1"], "unrecognized arguments"),
    ],
)
def test_it_is_told(
    arguments: Callable[[list[str]], Any], given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        arguments(given)
    assert said in capsys.readouterr().err


def test_a_peer_that_there_is_not_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        bench.arguments(["--peers", "apollo,nobody"])
    assert "there is no nobody; there are apollo" in capsys.readouterr().err


def test_the_gateway_on_another_python_is_a_row_of_its_own(tmp_path: Path) -> None:
    given = bench.arguments(["--python", sys.executable, "--python", sys.executable, "--peers", "none"])
    version = ".".join(map(str, sys.version_info[:3]))
    assert [other.version for other in given.python] == [version, version]
    servers = {name: prepare() for name, prepare in bench._servers(given, tmp_path, "http://127.0.0.1:1", 0)}
    assert list(servers) == ["gateway", "gateway, cache", f"gateway, {version}"]
    assert servers[f"gateway, {version}"].command == [Path(sys.executable).parent / "gateway", "serve"]


def test_a_python_without_a_gateway_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, said in (("python", "there is no gateway beside"), ("bin/python", "does not tell its version")):
        python = tmp_path / name
        if name != "python":
            python.parent.mkdir()
            python.with_name("gateway").touch()
        with pytest.raises(SystemExit, match="2"):
            bench.arguments(["--python", str(python)])
        assert said in capsys.readouterr().err


def test_works_come_in_their_own_order_and_peers_as_they_are_named() -> None:
    given = bench.arguments(["--only", "W3, W1", "--peers", "hive,apollo", "--rounds", "2"])
    assert (given.only, given.peers, given.rounds) == (["W1", "W3"], ["hive", "apollo"], 2)
    assert [bench.arguments(["--peers", one]).peers for one in ("all", "none")] == [["all"], ["none"]]
