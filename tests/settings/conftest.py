"""An empty folder and an environment without any setting of ours."""

import os
from pathlib import Path

import pytest

PREFIXES = ("GATEWAY_", "GATELY_", "COMETLY_", "KLEN_")


@pytest.fixture(autouse=True)
def nothing_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
