"""How large a crash loop is and what it draws by chance, all of it from one seed."""

import random
import time
from dataclasses import dataclass

import msgspec

from gateway.sandbox.faults import Fault

PROVIDERS = ("gately", "cometly", "klen")
SETTLING_SECONDS = 1.0
ATTEMPT_SECONDS = 1.0
MUTATION_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`database_url`: as the gateway takes it; None for an SQLite file in the loop's own folder.

    `seconds` bounds the storm, that is the time in which the gateway is killed; what follows is bounded by tries.
    """

    creates: int
    kills: int
    seed: int
    database_url: str | None = None
    gateways: int = 1
    clients: int = 8
    seconds: float = 1200.0
    faults: bool = True

    def chance(self, who: str) -> random.Random:
        """Each thread draws from its own, so that the seed says as much as it can."""
        return random.Random(f"{self.seed}/{who}")

    def round_of(self, number: int) -> int:
        """After how many kills a creation may begin: they are spread over all the kills."""
        return number * self.kills // self.creates


# Nothing here is applied later than it is answered: a provider that carries a creation out after
# GATEWAY_SETTLING_SECONDS is created at twice, which no gateway can help.
_CREATION_FAULTS: tuple[tuple[int, Fault], ...] = (
    (3, Fault(kind="drop_before")),
    (4, Fault(kind="drop_after")),
    (2, Fault(kind="status", status=500)),
    (3, Fault(kind="status", status=500, applied=True)),
    (1, Fault(kind="status", status=504, applied=True)),
    (2, Fault(kind="html")),
    (2, Fault(kind="cut_json")),
    (2, Fault(kind="no_id")),
    (2, Fault(kind="wrong_shape")),
    (2, Fault(kind="status", status=429, retry_after_seconds=1)),
    (2, Fault(kind="status", status=503, retry_after_seconds=1)),
    (2, Fault(kind="status", status=503)),
    (3, Fault(kind="slow", delay_ms=1400)),
    (1, Fault(kind="hang")),
    (1, Fault(kind="redirect")),
)
_LOOK_FAULTS: tuple[tuple[int, Fault], ...] = (
    (2, Fault(kind="drop_before")),
    (2, Fault(kind="status", status=500)),
    (1, Fault(kind="status", status=429, retry_after_seconds=1)),
    (1, Fault(kind="status", status=503, retry_after_seconds=1)),
    (2, Fault(kind="html")),
    (2, Fault(kind="cut_json")),
    (2, Fault(kind="no_id")),
    (2, Fault(kind="wrong_shape")),
    (1, Fault(kind="slow", delay_ms=1400)),
    (1, Fault(kind="hang")),
)


class Weather:
    """Which fault strikes a request, if any. Now and then all that reads at a provider fails for longer than the
    settling time: that a look failed must not be taken for "it is not there"."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._outage_until: dict[str, float] = {}
        self.is_calm = False

    def fault(self, provider: str, operation: str | None) -> Fault | None:
        if operation is None or self.is_calm:
            return None
        table, share = (_CREATION_FAULTS, 0.4) if operation == "create" else (_LOOK_FAULTS, self._look_share(provider))
        if self._chance.random() > share:
            return None
        (drawn,) = self._chance.choices([fault for _, fault in table], [weight for weight, _ in table])
        return msgspec.structs.replace(drawn, operation=operation, count=1)

    def _look_share(self, provider: str) -> float:
        now = time.monotonic()
        if now < self._outage_until.get(provider, 0.0):
            return 0.95
        if self._chance.random() < 0.03:
            self._outage_until[provider] = now + self._chance.uniform(1.5, 3) * SETTLING_SECONDS
        return 0.12


def label(fault: Fault) -> str:
    if fault.kind != "status":
        return fault.kind
    applied = " applied" if fault.applied else ""
    wait = " with Retry-After" if fault.retry_after_seconds is not None else ""
    return f"{fault.status}{applied}{wait}"


# What was applied although no usable answer came: only looking can tell.
LOST_ANSWERS = frozenset(
    {"drop_after", "500 applied", "504 applied", "html", "cut_json", "no_id", "wrong_shape", "slow"}
)
