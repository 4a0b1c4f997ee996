"""Whether a server gives the exact answers of a work: only who does is measured."""

from __future__ import annotations

import json
from typing import Any

from tests.benchmarks.server_process import ServerProcess
from tests.benchmarks.works import Work

SHOWN_CHARACTERS = 300


def problem(server: ServerProcess, work: Work) -> str | None:
    """The first wrong answer among the first, second and last body, in a few words."""
    for number in sorted({0, min(1, work.distinct - 1), work.distinct - 1}):
        if said := difference(server.ask(work.body(number)), work.answer(number)):
            return said
    return None


def difference(answer: Any, expected: dict[str, Any]) -> str | None:
    """Extensions beside the data are not compared."""
    if not isinstance(answer, dict) or "errors" in answer:
        return f"answers {json.dumps(answer)[:SHOWN_CHARACTERS]}"
    return _differs(answer.get("data"), expected, "data")


def _differs(one: Any, other: Any, path: str) -> str | None:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return next((said for key in other if (said := _differs(one[key], other[key], f"{path}.{key}"))), None)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next((said for place, (a, b) in pairs if (said := _differs(a, b, f"{path}[{place}]"))), None)
    # In Python 1 == True, and a client would mind.
    if type(one) is type(other) and one == other:
        return None
    return f"{path} is {json.dumps(one)[:SHOWN_CHARACTERS]} instead of {json.dumps(other)[:SHOWN_CHARACTERS]}"
