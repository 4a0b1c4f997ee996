"""Which package may import which: the contracts of import-linter, and the registry as the only list of providers."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROVIDER = re.compile(r"gately|cometly|klen", re.IGNORECASE)
KLEN_ALONE = re.compile(r"klen", re.IGNORECASE)


def modules() -> list[Path]:
    found = [path for name in ("gateway", "resolvers") for path in (ROOT / name).rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in found if "node_modules" not in path.parts)


def test_the_import_contracts_are_kept(tmp_path: Path) -> None:
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"Contracts: \d+ kept, 0 broken\.", result.stdout)


# Modules that may name a provider in their code, each with its reason.
MAY_NAME_A_PROVIDER = {
    "gateway/domain/contact.py": "the enum of providers, whose values stand in ids",
    "gateway/connectors/registry.py": "the only list of providers",
    "resolvers/enums.py": "the descriptions of the enum's values",
    "gateway/cli.py": "which keys could be given",
    "gateway/demonstration.py": "the addresses of the three simulators",
    "gateway/settings.py": "an example of precedence in a message",
}
# Modules that may name Klen AI, for the fields that the API has for Klen AI alone.
MAY_NAME_KLEN = {
    "gateway/contacts/targets.py": "says that those fields go nowhere else",
    "gateway/connectors/screening.py": "leaves the saying to the former",
    "gateway/domain/changes.py": "holds those fields",
    "gateway/domain/normalise.py": "reads those fields",
    "gateway/domain/echo.py": "judges those fields",
    "gateway/domain/proof.py": "judges those fields",
    "resolvers/inputs.py": "the input of those fields, and what Klen AI insists on",
    "resolvers/contact.py": "describes where notes come from",
    "resolvers/providers.py": "an example of a field's path in a description",
    "resolvers/queries.py": "describes what each provider searches",
}


def names_in_code(path: Path) -> list[str]:
    """Names and texts that hold a provider's name; docstrings and comments are prose."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    found: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in prose:
                found.append(text)
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                found.append(name)
            case ast.Import(names=names):
                found += [alias.name for alias in names]
            case ast.ImportFrom(module=module, names=names):
                found += [module or "", *(alias.name for alias in names)]
    return [text for text in found if PROVIDER.search(text)]


def is_a_providers_own(path: Path) -> bool:
    own_folders = {("gateway", "connectors", name) for name in ("gately", "cometly", "klen")}
    return path.parts[:3] in own_folders or path.parts[:2] == ("gateway", "sandbox")


@pytest.mark.parametrize("path", [path for path in modules() if not is_a_providers_own(path)], ids=str)
def test_no_other_module_lists_providers(path: Path) -> None:
    name = path.as_posix()
    named = names_in_code(path)

    if name in MAY_NAME_A_PROVIDER:
        return
    if name in MAY_NAME_KLEN:
        named = [text for text in named if not KLEN_ALONE.search(text) and "Gately" not in text]
    assert named == [], f"{name} names a provider: ask the registry instead"


@pytest.mark.parametrize("name", [*MAY_NAME_A_PROVIDER, *MAY_NAME_KLEN])
def test_every_exception_is_still_needed(name: str) -> None:
    assert names_in_code(Path(name)) != []
