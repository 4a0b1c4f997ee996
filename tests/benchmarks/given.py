"""What is given on the command line of a benchmark: argparse tells what is wrong with it."""

from __future__ import annotations

import subprocess
from argparse import ArgumentTypeError
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import peers
from tests.benchmarks.report import named
from tests.benchmarks.works import WORKS

_TITLES = {work.name: work.title for work in WORKS}
_PEERS = [peer.name for peer in peers.ALL]


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("must be a whole number from 1 on")
    return int(text)


def work_names(text: str) -> list[str]:
    try:
        return named(_TITLES, _words(text))
    except ValueError as unknown:
        raise ArgumentTypeError(str(unknown)) from None


def peer_names(text: str) -> list[str]:
    given = _words(text)
    if given not in (["all"], ["none"]) and (unknown := [name for name in given if name not in _PEERS]):
        raise ArgumentTypeError(f"there is no {unknown[0]}; there are {', '.join(_PEERS)}, or all, or none")
    return given


@dataclass(frozen=True, slots=True)
class OtherPython:
    """A virtual environment with another Python, in which the gateway is installed too."""

    version: str
    script: Path


def other_python(text: str) -> OtherPython:
    script = Path(text).absolute().parent / "gateway"
    if not script.exists():
        raise ArgumentTypeError(f"there is no gateway beside {text}: make install PYTHON=... VENV=... puts it there")
    try:
        said = subprocess.run([text, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as failure:
        raise ArgumentTypeError(f"{text} does not tell its version: {failure}") from None
    return OtherPython(said.removeprefix("Python ").strip(), script)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
