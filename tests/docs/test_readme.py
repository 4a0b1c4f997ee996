"""What README claims is what the gateway does."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from gateway.connectors.registry import REGISTRY
from gateway.domain.errors import ErrorCode
from gateway.sandbox.magic import MAGIC
from gateway.settings import GatewaySettings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def _table(heading):
    """The cells of the table below a heading, without its head."""
    section = README.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows[2:]]


def test_every_query_gets_the_answer_that_stands_below_it(gateway):
    pairs = re.findall(r"```graphql\n(.*?)```\s+```json\n(.*?)```", README, re.DOTALL)
    assert len(pairs) == README.count("```graphql") == 3
    for document, answer in pairs:
        shown = json.loads(answer)
        given = gateway.answer(document)
        if "extensions" not in shown:
            del given["extensions"]
        assert given == shown


def test_the_settings_table_is_what_the_code_reads():
    read = {}
    for settings in [*(entry.settings for entry in REGISTRY), GatewaySettings]:
        prefix = settings.model_config["env_prefix"]
        for name, field in settings.model_fields.items():
            default = field.get_default(call_default_factory=True)
            read[f"{prefix}{name.upper()}"] = (_written(default), field.description)
    assert {row[0].strip("`"): (row[1].strip("`"), row[2]) for row in _table("## Settings")} == read


def _written(default):
    if default is None:
        return ""
    if isinstance(default, tuple):
        return ",".join(default)
    if isinstance(default, float) and default.is_integer():
        return str(int(default))
    return str(default)


def test_the_error_table_names_every_code_once():
    named = [row[0] for row in _table("## Error codes")]
    assert named[: len(ErrorCode)] == [code.value for code in ErrorCode]
    assert len(set(named)) == len(named)


def test_the_codes_outside_the_enum_are_those_that_the_source_says():
    modules = (
        "resolvers/errors.py",
        "resolvers/execution.py",
        "resolvers/refused.py",
        "resolvers/limits/parsing.py",
        "gateway/access/answers.py",
    )
    sources = [*(ROOT / module for module in modules), *(ROOT / "gateway/http").glob("*.py")]
    text = "\n".join(source.read_text() for source in sources)
    said = set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', text)) - {code.value for code in ErrorCode}
    # A single word is a code where a request is refused with it.
    said |= set(re.findall(r'RequestRefused\(\d+, "([A-Z]+)"', text)) - {code.value for code in ErrorCode}
    named = {code for row in _table("## Error codes")[len(ErrorCode) :] for code in row[0].split(", ")}
    assert named == said


def test_the_magic_words_are_those_of_the_sandbox():
    rows = _table("### Addresses that break a provider")
    assert {row[0].strip("`"): row[1] for row in rows} == {word: magic.description for word, magic in MAGIC.items()}


# Every page but those about a provider and the decisions, which speak of what is not here.
DOCUMENTS = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_and_path_leads_somewhere(document):
    text = (ROOT / document).read_text()
    folder = (ROOT / document).parent
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (folder / link).exists()] == []


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        named = set(re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)", (ROOT / document).read_text(), re.MULTILINE))
        assert {one or other for one, other in named} <= targets


def test_another_python_gets_an_environment_of_its_own():
    (command,) = re.findall(r"`make test (PYTHON=\S+ VENV=\S+)`", README)
    given = ["PYTHON=python3.99", "VENV=.venv-3.99"]
    assert [word.partition("=")[0] for word in command.split()] == ["PYTHON", "VENV"]
    done = subprocess.run(["make", "-n", "test", *given], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "python3.99 -m venv .venv-3.99" in done.stdout
    assert ".venv-3.99/bin/python -m pytest" in done.stdout
    assert ".venv/" not in done.stdout


def test_the_commands_are_those_of_the_command_line():
    from gateway.cli import app

    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    commands |= {group.typer_instance.info.name for group in app.registered_groups}
    assert {row[0].strip("`").split()[1] for row in _table("## Commands")} == commands


def test_the_commands_about_keys_work_as_they_are_written(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from gateway.cli import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEWAY_DATABASE_URL", "sqlite:///keys.db")
    section = README.split("## Who may call\n", 1)[1].split("\n#", 1)[0]
    create, show, revoke = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].splitlines()

    made = CliRunner().invoke(app, shlex.split(create)[1:])
    assert re.fullmatch(r"cgw_[0-9a-f]{16}_[0-9a-f]{64}\n", made.stdout)
    key_id = made.stdout.split("_")[1]
    assert key_id in CliRunner().invoke(app, shlex.split(show)[1:]).stdout
    *words, _ = shlex.split(revoke)[1:]
    assert CliRunner().invoke(app, [*words, key_id]).exit_code == 0


def test_the_scopes_are_those_that_there_are():
    from gateway.access.scopes import SCOPES

    named = {name.strip("` ") for row in _table("## Who may call") for name in row[0].split(",")}
    assert named <= set(SCOPES)
    assert {":".join(scope.split(":")[:2]) for scope in SCOPES} <= named


def test_what_is_said_of_time_is_what_the_code_does():
    from gateway.access.api_keys import REMEMBERED_SECONDS
    from gateway.access.key_set import Pace

    assert f"A revoked key counts for {REMEMBERED_SECONDS:.0f} more seconds at most" in README
    assert (Pace().fresh, "for five more minutes at most" in README.replace("\n", " ")) == (300, True)
