"""`gateway sandbox`, `gateway schema` and `gateway check`."""

import re
import shlex
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from gateway.sandbox.server import RunningSandbox
from tests.cli.conftest import Started

PUBLISHED = (Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8")


def rows(table: str) -> dict[str, str]:
    """The table that check prints: provider to state."""
    return dict(re.findall(r"(?m)^\W*(Gately|Cometly|Klen AI)\W+(ok|failed|not configured)\b", table))


class TestSandbox:
    def test_the_settings_that_it_prints_make_a_gateway_work(self, start: Started) -> None:
        sandbox = start("sandbox", "--port", "0")
        sandbox.printed(r"export KLEN_BASE_URL=.*\n")
        words = [shlex.split(line)[1] for line in sandbox.stdout.splitlines() if line.startswith("export ")]
        printed = dict(word.split("=", 1) for word in words)

        check = start("check", **printed)

        assert (check.wait(), check.stderr) == (0, "")
        assert rows(check.stdout) == {"Gately": "ok", "Klen AI": "ok", "Cometly": "ok"}
        assert len(printed) == 9
        assert (sandbox.end(signal.SIGINT), sandbox.stderr) == (0, "")

    def test_a_taken_port_is_one_message(self, run: Callable[..., Result]) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            result = run("sandbox", "--port", str(port))

        assert (result.exit_code, result.stdout) == (1, "")
        assert str(port) in result.stderr
        assert result.stderr.count("\n") == 1


class TestSchema:
    def test_it_prints_the_published_schema(self, start: Started) -> None:
        process = start("schema")

        assert (process.wait(), process.stderr) == (0, "")
        assert process.stdout == PUBLISHED

    @pytest.mark.parametrize(
        ("content", "code"),
        [(PUBLISHED, 0), (PUBLISHED.replace("postal", "other", 1), 1), (PUBLISHED + "\n", 1), ("", 1), (None, 1)],
        ids=["the same", "another word", "another line", "an empty file", "no file"],
    )
    def test_a_check_compares_it_with_the_file(
        self, run: Callable[..., Result], tmp_path: Path, content: str | None, code: int
    ) -> None:
        if content is not None:
            (tmp_path / "schema.graphql").write_text(content, encoding="utf-8")

        result = run("schema", "--check")

        assert (result.exit_code, result.stdout) == (code, "")
        assert ("make schema" in result.stderr) is bool(code)


class TestCheck:
    @pytest.fixture
    def environment(self, simulators: RunningSandbox) -> dict[str, str]:
        simulators.sandbox.reset()
        return simulators.environment()

    def test_a_refused_key_is_told_and_ends_with_1(
        self, start: Started, environment: dict[str, str], simulators: RunningSandbox
    ) -> None:
        wrong = {**environment, "KLEN_API_KEY": "klen_wrong_key"}
        del wrong["COMETLY_API_KEY"]

        process = start("check", **wrong)

        assert (process.wait(), process.stderr) == (1, "")
        assert rows(process.stdout) == {"Gately": "ok", "Klen AI": "failed", "Cometly": "not configured"}
        assert "PROVIDER_UNAUTHENTICATED" in process.stdout
        assert "klen_wrong_key" not in process.stdout

    def test_it_asks_one_cheap_question_each(
        self, run: Callable[..., Result], environment: dict[str, str], simulators: RunningSandbox
    ) -> None:
        result = run("check", **environment)

        assert result.exit_code == 0
        asked = [[(one.method, one.operation) for one in each.requests] for each in simulators.sandbox.simulators]
        assert asked == [[("GET", "list")]] * 3

    def test_a_provider_that_is_not_there_is_told(
        self, run: Callable[..., Result], environment: dict[str, str]
    ) -> None:
        result = run("check", **{**environment, "GATELY_BASE_URL": "http://127.0.0.1:9/api/v1"})

        assert (result.exit_code, result.stderr) == (1, "")
        assert rows(result.stdout) == {"Gately": "failed", "Klen AI": "ok", "Cometly": "ok"}
        assert "PROVIDER_UNREACHABLE" in result.stdout

    def test_wrong_settings_end_it_with_one_message(self, run: Callable[..., Result]) -> None:
        result = run("check", COMETLY_TIMEZONE="Mars/Base", COMETLY_API_KEY="secret-key")

        assert (result.exit_code, result.stdout) == (1, "")
        assert "COMETLY_TIMEZONE" in result.stderr
        assert result.stderr.count("\n") == 1

    def test_who_is_not_configured_has_not_failed(self, run: Callable[..., Result]) -> None:
        result = run("check")

        assert result.exit_code == 0
        assert rows(result.stdout) == dict.fromkeys(["Gately", "Klen AI", "Cometly"], "not configured")
