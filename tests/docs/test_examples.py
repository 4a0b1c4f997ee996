"""The examples that stand in README are the files that tests/clients runs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
# Found by their first line, a comment that begins with the name of the file.
BLOCKS = {
    found["name"]: found["block"]
    for found in re.finditer(
        r"^```\w+\n(?P<block>(?://|#) (?P<name>[\w.]+): .*?)^```$",
        (ROOT / "README.md").read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
}


def test_every_example_stands_in_readme() -> None:
    files = {path.name for path in EXAMPLES.iterdir() if path.is_file() and not path.name.startswith("run.")}
    assert set(BLOCKS) == files


@pytest.mark.parametrize("name", ["apollo.mjs", "urql.mjs", "client.py"])
def test_an_example_in_readme_is_the_file_that_is_run(name: str) -> None:
    assert BLOCKS.get(name) == (EXAMPLES / name).read_text(encoding="utf-8")
