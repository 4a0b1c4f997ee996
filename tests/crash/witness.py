"""What the simulators themselves saw: every request with its time and with the fault that struck it."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.sandbox.exchange import Received
from gateway.sandbox.faults import Fault
from gateway.sandbox.simulator import Simulator
from tests.crash.plan import Weather, label

EMAIL = re.compile(r"crash-\d+-\d+@crash\.test")


@dataclass(frozen=True, slots=True)
class Seen:
    """`at` is a reading of time.monotonic."""

    at: float
    provider: str
    operation: str | None
    request: str
    text: str
    fault: str | None

    def __str__(self) -> str:
        return f"{self.at:10.3f} {self.provider:8} {self.request} {self.text[:200]} fault={self.fault}"


class Witness:
    """Has the weather put its faults into the simulators' registries, one request at a time."""

    def __init__(self, simulators: Iterable[Simulator], weather: Weather) -> None:
        self._weather = weather
        self.seen: list[Seen] = []
        self._changed = threading.Condition()
        self._creations = 0
        for simulator in simulators:
            self._watch(simulator)

    def _watch(self, simulator: Simulator) -> None:
        strike = simulator.strike

        def watched(received: Received) -> Fault | None:
            if drawn := self._weather.fault(simulator.provider, simulator.operation_of(received)):
                simulator.faults.add(drawn)
            fault = strike(received)
            self._note(simulator, received, fault)
            return fault

        simulator.strike = watched  # type: ignore[method-assign]

    def _note(self, simulator: Simulator, received: Received, fault: Fault | None) -> None:
        query = " ".join(f"{name}={value}" for name, value in received.query.items() if name != "api_key")
        operation = simulator.operation_of(received)
        seen = Seen(
            time.monotonic(),
            simulator.provider,
            operation,
            f"{received.method} {received.path}",
            f"{query} {received.body.decode('utf-8', 'replace')}".strip(),
            label(fault) if fault else None,
        )
        with self._changed:
            self.seen.append(seen)
            self._creations += operation == "create"
            self._changed.notify_all()

    def wait_for_creation(self, seconds: float) -> None:
        """Until the next one comes in, and not longer than this."""
        with self._changed:
            before = self._creations
            self._changed.wait_for(lambda: self._creations > before, timeout=seconds)

    def about(self, email: str) -> list[Seen]:
        return [one for one in list(self.seen) if email in one.text]

    def creations(self) -> dict[tuple[str, str], list[Seen]]:
        """By email address and provider, oldest first."""
        found: dict[tuple[str, str], list[Seen]] = {}
        for one in list(self.seen):
            if one.operation == "create" and (email := EMAIL.search(one.text)):
                found.setdefault((email[0], one.provider), []).append(one)
        return found

    def faults(self) -> dict[str, Counter[str]]:
        """How often each kind struck, for creations and for everything that reads."""
        struck: dict[str, Counter[str]] = {"creations": Counter(), "look-ups": Counter()}
        for one in list(self.seen):
            if one.fault:
                struck["creations" if one.operation == "create" else "look-ups"][one.fault] += 1
        return struck
