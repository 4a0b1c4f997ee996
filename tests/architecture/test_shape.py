"""How the code is cut: small modules and functions with telling names, packages without code of their own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_MODULE_LINES, MAX_FUNCTION_LINES = 250, 40
# A longer module stands here with its reason.
LONGER_MODULES = {
    "gateway/domain/errors.py": "everything that can go wrong stands in one tree, drawn above it",
    "gateway/http/connection.py": "one connection has one state, and every method here changes it",
}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "tools"}


def modules() -> list[Path]:
    found = [path for name in ("gateway", "resolvers") for path in (ROOT / name).rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in found if "node_modules" not in path.parts)


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


PACKAGES = [path for path in modules() if path.name == "__init__.py"]
every_module = pytest.mark.parametrize("path", modules(), ids=str)


@pytest.mark.parametrize("path", PACKAGES, ids=str)
def test_a_packages_init_holds_a_docstring_and_nothing_else(path: Path) -> None:
    module = tree(path)

    assert ast.get_docstring(module)
    assert len(module.body) == 1


def test_every_folder_with_modules_is_a_package() -> None:
    assert {path.parent for path in modules()} == {path.parent for path in PACKAGES}


@every_module
def test_a_module_begins_with_one_sentence_about_itself(path: Path) -> None:
    docstring = ast.get_docstring(tree(path)) or ""
    first = docstring.split("\n\n")[0]

    assert first.endswith("."), f"{path}: {first!r}"


@every_module
def test_a_module_is_named_after_something(path: Path) -> None:
    assert not EMPTY_NAMES & set(path.with_suffix("").parts)


@every_module
def test_a_module_is_short_or_has_a_reason_not_to_be(path: Path) -> None:
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())

    assert lines <= MAX_MODULE_LINES or path.as_posix() in LONGER_MODULES, f"{path} has {lines} lines"


def test_every_long_module_is_still_long() -> None:
    short = [name for name in LONGER_MODULES if len((ROOT / name).read_text().splitlines()) <= MAX_MODULE_LINES]

    assert short == []


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function with its lines of code, its docstring left out."""
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = node.body[0]
        has_docstring = ast.get_docstring(node, clean=False) is not None
        docstring = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
        yield node.name, (node.end_lineno or 0) - node.lineno + 1 - docstring


@every_module
def test_a_function_is_short(path: Path) -> None:
    assert [(name, lines) for name, lines in functions(path) if lines > MAX_FUNCTION_LINES] == []


@every_module
def test_whoever_switches_a_check_off_says_which_and_why(path: Path) -> None:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    switched_off = [line for line in lines if any(mark in line for mark in ("# noqa", "type: ignore", "pragma: no"))]

    bare = [
        line
        for line in switched_off
        if "noqa:" not in line and "ignore[" not in line and "pragma: no cover" not in line
    ]
    assert bare == []
