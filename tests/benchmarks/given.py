"""What is given on the command line of a benchmark: argparse tells what is wrong with it."""

from __future__ import annotations

from argparse import ArgumentTypeError

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


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
