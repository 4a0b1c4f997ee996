"""`make audit` fails for what is known to be vulnerable, and never pretends to have looked."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.audit.audit import verdict

ROOT = Path(__file__).parents[2]
SOUND = {"name": "sound", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1", "2.0"]}]}
HOPELESS = {"name": "hopeless", "version": "3", "vulns": [{"id": "GHSA-2", "fix_versions": []}]}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found on PyPI and could not be audited: unknown (1.0)"}


def told(*packages: dict[str, Any]) -> tuple[str, bool]:
    given = verdict(json.dumps({"dependencies": packages, "fixes": []}), "No known vulnerabilities found")
    return given.line, given.passes


def test_packages_without_a_finding_pass() -> None:
    assert told(SOUND, SOUND) == ("2 packages without a known vulnerability.", True)


@pytest.mark.parametrize("others", [[], [SOUND], [UNKNOWN], [SOUND, UNKNOWN]])
def test_a_finding_fails_and_says_where_it_is_mended(others: list[dict[str, Any]]) -> None:
    assert told(*others, BAD, HOPELESS) == (
        "bad 1.0: PYSEC-1, fixed in 1.1, 2.0\nhopeless 3: GHSA-2, fixed in no version yet",
        False,
    )


def test_a_service_that_knows_no_package_has_audited_nothing() -> None:
    line, passes = told(UNKNOWN, UNKNOWN)

    assert (line, passes) == ("NOT AUDITED: the service that answers knows none of the 2 packages.", True)


def test_one_that_knows_some_is_told_with_the_rest() -> None:
    line, passes = told(SOUND, UNKNOWN)

    assert passes
    assert line.startswith("1 packages without a known vulnerability. NOT AUDITED")
    assert line.endswith(": unknown.")


@pytest.mark.parametrize(
    "errors",
    [
        "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed",
        "requests.exceptions.ConnectionError: HTTPSConnectionPool: Max retries exceeded (NameResolutionError)",
        "requests.exceptions.ReadTimeout: Read timed out.",
        "requests.exceptions.HTTPError: 503 Server Error: Service Unavailable",
    ],
)
def test_a_service_that_cannot_be_reached_is_said_in_one_line(errors: str) -> None:
    given = verdict("", f"Traceback (most recent call last):\n{errors}\n")

    assert given.passes
    assert given.line == "NOT AUDITED: the service that knows vulnerabilities cannot be reached."


@pytest.mark.parametrize("output", ["", "[]", "{}", "no JSON"])
def test_any_other_failure_of_the_tool_fails(output: str) -> None:
    given = verdict(output, "ERROR:pip_audit._cli:requirement file is not a file")

    assert not given.passes
    assert "requirement file" in given.line


def test_the_check_audits_and_looks_for_insecure_code() -> None:
    makefile = (ROOT / "Makefile").read_text()
    check = re.search(r"^check: ([a-z -]*)", makefile, re.MULTILINE)
    audit = re.search(r"^audit:.*\n\t(.*)", makefile, re.MULTILINE)

    assert check
    assert {"audit", "lint"} <= set(check[1].split())
    assert audit
    assert "tests.audit.audit constraints.txt" in audit[1]
