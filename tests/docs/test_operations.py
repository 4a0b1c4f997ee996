"""docs/operations.md names the metrics, the events and the numbers that there are."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.metrics import MetricWrapperBase

from gateway.domain.errors import ErrorCode
from gateway.http import ending
from gateway.settings import GatewaySettings
from gateway.telemetry import lines, traces
from gateway.telemetry.codes import CODES
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.settings import TelemetrySettings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table(text: str, heading: str) -> list[list[str]]:
    section = text.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row[1:-1].split("|")] for row in rows[2:]]


def names_of(family: Metric) -> str:
    """As they are exported: a counter's name ends in _total, that of the build in _info."""
    return family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")


def labels_of(metrics: Metrics, family: Metric) -> set[str]:
    collectors = [one for one in metrics.registry._collector_to_names if isinstance(one, MetricWrapperBase)]
    for one in collectors:
        if one._name == family.name and family.type != "info":
            return set(one._labelnames)
    return {"version"} if family.type == "info" else {"provider", "budget"}


def test_the_table_of_metrics_is_what_is_exported() -> None:
    metrics = Metrics("1")
    exported = {names_of(family): labels_of(metrics, family) for family in metrics.registry.collect()}

    told = {
        row[0].strip("`"): {label.strip() for label in row[1].split(",") if label} for row in table(TEXT, "## Metrics")
    }
    assert told == exported


def test_the_metrics_that_are_named_in_the_text_exist() -> None:
    exported = {names_of(family) for family in Metrics("1").registry.collect()}
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)*_(?:total|seconds|calls|state))\b", TEXT))

    assert {one for one in named if f"contact_gateway_{one.removeprefix('contact_gateway_')}" not in exported} == set()


def test_every_event_is_one_that_is_logged() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8") for name in ("gateway", "resolvers") for path in (ROOT / name).rglob("*.py")
    )
    named = {event.strip("` ") for row in table(TEXT, "## Logs") for event in row[0].split(",")}

    assert {event for event in named if f'"{event}"' not in sources} == set()


def test_the_codes_that_are_counted_are_those_of_readme() -> None:
    named = {code for row in table(README, "## Error codes") for code in row[0].split(", ")}

    assert {str(code) for code in CODES} == named
    assert {str(code) for code in ErrorCode} <= named


def test_every_setting_that_is_named_exists() -> None:
    settings = {f"GATEWAY_{name.upper()}" for name in GatewaySettings.model_fields}
    # A code.
    named = set(re.findall(r"GATEWAY_[A-Z_]+", TEXT)) - {"GATEWAY_STOPPING"}

    assert named <= settings
    seen_from_outside = {f"GATEWAY_{name.upper()}" for name in TelemetrySettings.model_fields}
    assert seen_from_outside <= {row[0].strip("`") for row in table(README, "## Settings")}


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"every {lines.HELD_BACK_EVERY_SECONDS:.0f} s at most" in TEXT
    assert (traces._FLUSH_SECONDS, "they get five seconds" in TEXT) == (5.0, True)
    assert (ending._LAST_SECONDS, "has two to put itself down" in TEXT) == (2.0, True)
