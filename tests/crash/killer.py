"""Kills the gateway again and again with SIGKILL, and looks at what each kill interrupted."""

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.crash.clients import Turns
from tests.crash.database import Outside, Recorded
from tests.crash.plan import Plan
from tests.crash.served import Served
from tests.crash.witness import Witness

# Many kills at any time at all; the others where something is certain to be going on.
_MOMENTS = {"at any time": 5, "after a creation came in": 4, "while it recovers": 2, "while it starts": 1}


@dataclass
class Killer:
    """`keys` are the contacts' email addresses by their idempotency keys."""

    plan: Plan
    gateways: Sequence[Served]
    outside: Outside
    witness: Witness
    turns: Turns
    keys: Mapping[str, str]
    until: float
    kills: int = 0
    ended_at: float = float("inf")
    moments: Counter[str] = field(default_factory=Counter)
    interrupted: Counter[str] = field(default_factory=Counter)
    lost: dict[tuple[str, str], float] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def run(self) -> None:
        chance = self.plan.chance("killer")
        try:
            for _ in range(self.plan.kills):
                if time.monotonic() > self.until or self.turns.over:
                    return
                self._kill_once(chance.choice(self.gateways), chance)
                self.turns.next_round()
        finally:
            self.turns.end()
            for gateway in self.gateways:
                gateway.wait_until_ready()

    def _kill_once(self, gateway: Served, chance: random.Random) -> None:
        (moment,) = chance.choices(list(_MOMENTS), list(_MOMENTS.values()))
        self._wait_for(moment, gateway, chance)
        process_id = gateway.kill()
        killed_at = time.monotonic()
        self.kills += 1
        self.moments[moment] += 1
        self.complaints += [f"after kill {self.kills}: {complaint}" for complaint in self.outside.complaints()]
        for operation in self.outside.operations():
            if operation.process_id == process_id:
                self._note(operation, killed_at)
        gateway.start()

    def _wait_for(self, moment: str, gateway: Served, chance: random.Random) -> None:
        if moment == "while it starts":
            time.sleep(chance.uniform(0, 1.5))
            return
        gateway.wait_until_ready()
        if moment == "while it recovers":
            time.sleep(chance.uniform(0, 0.3))
            return
        time.sleep(chance.uniform(0, 1.5))
        if moment == "after a creation came in":
            self.witness.wait_for_creation(1.0)
            time.sleep(chance.uniform(0, 0.04))

    def _note(self, operation: Recorded, killed_at: float) -> None:
        email = self.keys[operation.key]
        for share in operation.shares:
            if share.outcome == "UNKNOWN":
                self.lost[email, share.provider] = killed_at
        self.interrupted[self._stage(operation, email)] += 1

    def _stage(self, operation: Recorded, email: str) -> str:
        unknown = [share for share in operation.shares if share.outcome == "UNKNOWN"]
        under_way = [share for share in unknown if share.unknown_since is None]
        if not self.witness.about(email):
            return "recorded, before the first byte"
        if len(under_way) == len(operation.shares):
            return "sent, no answer noted"
        if under_way:
            return "between two answers"
        if unknown or operation.finished:
            return "while looking, or on sending again"
        return "after the last answer, before links and end were noted"
