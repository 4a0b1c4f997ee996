"""What is off costs nothing: it is not imported, and nothing of it stands around a call or an operation."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys
from gateway.main import build_app, build_connectors, telemetry_of
from gateway.settings import read_gateway_settings
from gateway.telemetry.telemetry import Telemetry

settings = read_gateway_settings()
telemetry = telemetry_of(settings)
connectors = build_connectors(settings, telemetry)
app = build_app(settings, connectors, telemetry)
policies = [connector._upstream.policies for connector in connectors.values()]
execute = object()
print(json.dumps({
    "imported": sorted({name.split(".")[0] for name in sys.modules} & {"opentelemetry", "prometheus_client", "redis"}),
    "observing": [one.__module__ for each in policies for one in each if "telemetry" in one.__module__],
    "executes": telemetry.observing(execute) is execute,
    "watching": app.middleware_stack.traffic is not None,
    "paths": [route.path for route in app.routes],
}))
"""


def seen(folder: Path, **settings: str) -> dict[str, object]:
    environment = {"PATH": "/usr/bin:/bin", "KLEN_API_KEY": "key", **settings}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_nothing_is_there(tmp_path: Path) -> None:
    told = seen(tmp_path)

    assert told == {
        "imported": [],
        "observing": [],
        "executes": True,
        "watching": False,
        "paths": ["/", "/graphql", "/graphql", "/health/live", "/health/ready", "/graphiql/assets"],
    }


def test_metrics_alone_bring_no_traces(tmp_path: Path) -> None:
    told = seen(tmp_path, GATEWAY_METRICS="on")

    assert (told["imported"], told["observing"], told["executes"]) == (["prometheus_client"], [], False)
    assert told["watching"] is True


def test_traces_alone_bring_no_metrics(tmp_path: Path) -> None:
    told = seen(tmp_path, GATEWAY_TRACES="otlp")

    assert (told["imported"], told["observing"], told["executes"]) == (
        ["opentelemetry"],
        ["gateway.telemetry.traces"],
        False,
    )
