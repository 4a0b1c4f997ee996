"""docs/http.md names the limits that there are."""

import re
from pathlib import Path

from gateway.http.settings import DocumentLimits

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def test_every_limit_stands_in_the_table() -> None:
    section = PAGE.split("## Limits")[1].split("## ")[0]
    named = set(re.findall(r"`((?:max|validation)[A-Za-z]+)`", section))

    limits = {_camel(name) for name in DocumentLimits.model_fields if name != "tell_cost"}
    assert named == limits | {"maxBodyBytes", "maxJsonDepth", "maxDigits"}
