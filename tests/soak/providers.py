"""The three simulators of the soak, in a process of their own: one healthy, one flapping, one hanging.

Prints the gateway's environment as a line of JSON, obeys lines on its standard input (`storm`, `calm`, `end`), and
prints in the end what has arrived.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from gateway.sandbox.cometly.switches import CometlySwitches
from gateway.sandbox.exchange import Received
from gateway.sandbox.faults import Fault
from gateway.sandbox.klen.switches import KlenSwitches
from gateway.sandbox.sandbox import Sandbox, Switches
from gateway.sandbox.server import running
from gateway.sandbox.simulator import Simulator

WINDOW_SECONDS = 60.0
# Published: docs/providers. Klen AI counts per key, Cometly per Space and endpoint.
LIMITS = {"klen": {"*": 60}, "cometly": {"create": 60, "list": 15, "read": 15, "update": 60}, "gately": {}}
FAILURES_TO_OPEN = 5
# Between a call's beginning in the gateway and its arrival here, on a busy machine.
TOLERANCE_SECONDS = 0.5
FLAPS = (
    Fault(kind="status", status=500),
    Fault(kind="status", status=503, retry_after_seconds=1),
    Fault(kind="drop_before"),
    Fault(kind="drop_after"),
    Fault(kind="html"),
    Fault(kind="status", status=429, retry_after_seconds=2),
)


@dataclass
class Witness:
    """When each request arrived, by provider and operation."""

    arrivals: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    refused: Counter[str] = field(default_factory=Counter)

    def watch(self, simulator: Simulator) -> None:
        recorded, times = simulator.record, self.arrivals[simulator.provider]

        def record(received: Received, fault: Fault | None) -> None:
            times[simulator.operation_of(received) or "other"].append(asyncio.get_running_loop().time())
            recorded(received, fault)
            # The log of whole requests would grow for as long as this runs.
            simulator.requests.clear()

        simulator.record = record  # type: ignore[method-assign]
        spend = simulator.budgets.spend

        def counted(budget: str, *, limit: int) -> Any:
            spent = spend(budget, limit=limit)
            self.refused[simulator.provider] += spent.retry_after_seconds is not None
            return spent

        simulator.budgets.spend = counted  # type: ignore[method-assign]

    def most_in_a_window(self, provider: str, operation: str) -> int:
        return most_in_a_window(self._times(provider, operation))

    def _times(self, provider: str, operation: str) -> list[float]:
        by_operation = self.arrivals[provider]
        # To the limits a look-up is a list, since it is the same endpoint.
        names = by_operation if operation == "*" else [operation, *(["find"] if operation == "list" else [])]
        return sorted(time for name in names for time in by_operation.get(name, []))


def most_in_a_window(times: list[float], seconds: float = WINDOW_SECONDS) -> int:
    """The most of these moments, in order, that lie in any half-open window of that length."""
    return max((bisect_left(times, time + seconds) - place for place, time in enumerate(times)), default=0)


def most_once_open(times: list[float], *, open_seconds: float, attempt_seconds: float) -> int:
    """The most of these calls in one breaker window, which is a probe that hangs and the time until the next one;
    counted from when the circuit is open, since it takes some failures to open it."""
    if len(times) < FAILURES_TO_OPEN:
        return 0
    opened = times[FAILURES_TO_OPEN - 1] + attempt_seconds + TOLERANCE_SECONDS
    probes = [time for time in times if time >= opened]
    return most_in_a_window(probes, open_seconds + attempt_seconds - TOLERANCE_SECONDS)


async def main(seed: int, open_seconds: float, attempt_seconds: float) -> None:
    switches = Switches(klen=KlenSwitches(rate_limit=True), cometly=CometlySwitches(rate_limit=True))
    sandbox, witness, draw = Sandbox(switches), Witness(), random.Random(seed)
    for simulator in sandbox.simulators:
        witness.watch(simulator)
    loop = asyncio.get_running_loop()
    async with running(sandbox) as served:
        _say(served.environment())
        flapping: asyncio.Task[None] | None = None
        storm_began = loop.time()
        while (order := (await asyncio.to_thread(sys.stdin.readline)).strip()) != "end":
            if order == "storm":
                storm_began = loop.time()
                sandbox.cometly.faults.add(Fault(kind="hang"))
                flapping = asyncio.create_task(_flap(sandbox.klen, draw))
            elif order == "calm" and flapping:
                flapping.cancel()
                sandbox.klen.faults.clear()
                sandbox.cometly.faults.clear()
                calm_began = loop.time()
                times = witness.arrivals["cometly"]
                hung = {name: [t for t in at if storm_began <= t < calm_began] for name, at in times.items()}
            elif not order:
                return
        _say(
            {
                "windows": {
                    f"{provider} {operation}": [witness.most_in_a_window(provider, operation), limit]
                    for provider, limits in LIMITS.items()
                    for operation, limit in limits.items()
                },
                "refused": witness.refused,
                "arrivals": {name: sum(map(len, kinds.values())) for name, kinds in witness.arrivals.items()},
                "hung": {
                    name: [len(at), most_once_open(at, open_seconds=open_seconds, attempt_seconds=attempt_seconds)]
                    for name, at in hung.items()
                },
                "doubled": _doubled(sandbox),
                "created": _created(sandbox),
            }
        )


async def _flap(simulator: Simulator, draw: random.Random) -> None:
    """Some seconds of a fault, some seconds without."""
    while True:
        await asyncio.sleep(draw.uniform(2, 8))
        simulator.faults.add(draw.choice(FLAPS))
        await asyncio.sleep(draw.uniform(2, 8))
        simulator.faults.clear()


def _addresses(simulator: Simulator) -> Counter[str]:
    """Of the contacts that the soak created."""
    found: Counter[str] = Counter()
    for contact in simulator.describe_contacts():
        mentioned = {one for one in json.dumps(contact).split('"') if one.endswith("@soak.test")}
        found.update(mentioned)
    return found


def _doubled(sandbox: Sandbox) -> list[str]:
    return [
        f"{simulator.provider} {address}"
        for simulator in sandbox.simulators
        for address, count in _addresses(simulator).items()
        if count > 1
    ]


def _created(sandbox: Sandbox) -> dict[str, int]:
    return {simulator.provider: len(_addresses(simulator)) for simulator in sandbox.simulators}


def _say(something: Any) -> None:
    sys.stdout.write(json.dumps(something) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
