"""Asks whether a vulnerability is known in any package of constraints.txt: `make audit`.

pip-audit calls it a success when the service knows none of the packages, as a mirror of packages does: its own line
then reads "No known vulnerabilities found". Here it is said what was audited, and a service that cannot be reached
fails nobody's check.
"""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_UNREACHABLE = re.compile(
    r"could not connect|connection ?error|proxyerror|max retries|timed? ?out|5\d\d server error|name resolution",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    line: str
    passes: bool


def verdict(output: str, errors: str) -> Verdict:
    """From what pip-audit wrote as JSON, and beside it."""
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        if _UNREACHABLE.search(errors):
            return Verdict("NOT AUDITED: the service that knows vulnerabilities cannot be reached.", passes=True)
        return Verdict(f"pip-audit failed: {errors.strip() or output.strip()}", passes=False)
    found = [_finding(package, known) for package in packages for known in package.get("vulns", ())]
    if found:
        return Verdict("\n".join(found), passes=False)
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if len(skipped) == len(packages):
        return Verdict(
            f"NOT AUDITED: the service that answers knows none of the {len(packages)} packages.", passes=True
        )
    rest = f" NOT AUDITED, because the service does not know them: {', '.join(skipped)}." if skipped else ""
    return Verdict(f"{len(packages) - len(skipped)} packages without a known vulnerability.{rest}", passes=True)


def _finding(package: dict[str, Any], known: dict[str, Any]) -> str:
    fixed = ", ".join(known.get("fix_versions", ())) or "no version yet"
    return f"{package['name']} {package['version']}: {known['id']}, fixed in {fixed}"


def main(constraints: Path) -> int:
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--progress-spinner=off", "--format=json"]
    ended = subprocess.run(
        [*command, f"--requirement={constraints}"], capture_output=True, encoding="utf-8", timeout=600
    )
    told = verdict(ended.stdout, ended.stderr)
    print(told.line)  # noqa: T201  # it is a command
    return 0 if told.passes else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
