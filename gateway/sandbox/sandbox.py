"""The three simulated providers together: one object to start, seed, misbehave and reset."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gateway.sandbox.cometly.simulator import CometlySimulator, CometlySpace
from gateway.sandbox.cometly.switches import CometlySwitches
from gateway.sandbox.credentials import COMETLY_KEY, GATELY_KEY, GATELY_PROJECT_ID, KLEN_KEY
from gateway.sandbox.exchange import Clock, utc_now
from gateway.sandbox.gately.book import GatelyBook
from gateway.sandbox.gately.simulator import GatelySimulator
from gateway.sandbox.gately.switches import GatelySwitches
from gateway.sandbox.klen.simulator import KlenAccount, KlenSimulator
from gateway.sandbox.klen.switches import KlenSwitches
from gateway.sandbox.seed.cometly import cometly_stock
from gateway.sandbox.seed.gately import gately_stock
from gateway.sandbox.seed.klen import klen_stock
from gateway.sandbox.simulator import Simulator, Sleep

__all__ = [
    "COMETLY_KEY",
    "GATELY_KEY",
    "GATELY_PROJECT_ID",
    "KLEN_KEY",
    "CometlySwitches",
    "GatelySwitches",
    "KlenSwitches",
    "Sandbox",
    "Switches",
]


@dataclass(frozen=True, slots=True)
class Switches:
    """Every open point of the three documentations, set to the assumption unless told otherwise."""

    gately: GatelySwitches = field(default_factory=GatelySwitches)
    cometly: CometlySwitches = field(default_factory=CometlySwitches)
    klen: KlenSwitches = field(default_factory=KlenSwitches)


class Sandbox:
    """Three simulators in memory, independent of each other; `server` puts them on sockets.

    `clock` answers aware times and stamps contacts and rate windows; `sleep` makes
    slow answers slow.
    """

    def __init__(
        self,
        switches: Switches | None = None,
        *,
        seeded: bool = True,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        chosen = switches or Switches()
        self.gately = GatelySimulator(
            chosen.gately, stock=gately_stock if seeded else GatelyBook, clock=clock, sleep=sleep
        )
        self.cometly = CometlySimulator(
            chosen.cometly, stock=cometly_stock if seeded else CometlySpace, clock=clock, sleep=sleep
        )
        self.klen = KlenSimulator(chosen.klen, stock=klen_stock if seeded else KlenAccount, clock=clock, sleep=sleep)

    @property
    def simulators(self) -> tuple[Simulator, Simulator, Simulator]:
        """In the order of `server.running`'s ports: Gately, Cometly, Klen."""
        return (self.gately, self.cometly, self.klen)

    def reset(self) -> None:
        for simulator in self.simulators:
            simulator.reset()
