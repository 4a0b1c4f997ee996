"""A provider that gives prepared answers, for what no simulator can be made to say."""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.connectors.base import Connector
from gateway.connectors.cometly.connector import CometlyConnector
from gateway.connectors.cometly.slots import Slots
from gateway.connectors.gately.connector import GatelyConnector
from gateway.connectors.klen.connector import KlenConnector
from gateway.domain.contact import Provider
from gateway.domain.exchange import Call, Reply

NOW = datetime(2031, 7, 1, 12, 0, tzinfo=timezone.utc)
FIXTURES = Path(__file__).parents[1] / "fixtures" / "providers"
SLOTS = Slots({"tier": "profile_field_1", "seats": "profile_field_16", "renewal": "profile_field_26"})


class CannedUpstream:
    """Answers with the bodies in their order and keeps the calls."""

    def __init__(self, *bodies: bytes) -> None:
        self._bodies = list(bodies)
        self.calls: list[Call] = []

    async def send(self, call: Call) -> Reply:
        self.calls.append(call)
        return Reply(status=200, headers={}, body=self._bodies.pop(0), latency_ms=1)

    async def aclose(self) -> None:
        return None


def answered_by(provider: Provider, *bodies: bytes) -> Connector:
    """A connector whose calls get these bodies; its clock stands still."""
    upstream: Any = CannedUpstream(*bodies)
    match provider:
        case Provider.GATELY:
            return GatelyConnector(upstream, clock=lambda: NOW)
        case Provider.COMETLY:
            return CometlyConnector(upstream, slots=SLOTS, time_zone=ZoneInfo("UTC"), clock=lambda: NOW)
        case Provider.KLEN:
            return KlenConnector(upstream, clock=lambda: NOW)


def documented(provider: Provider, name: str) -> bytes:
    """The payload of the provider's documentation, as bytes."""
    return (FIXTURES / provider / f"{name}.json").read_bytes()


def changed(body: bytes, *path: str | int, to: Any) -> bytes:
    """The payload with one value in it changed."""
    value = json.loads(body)
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return json.dumps(value).encode()
