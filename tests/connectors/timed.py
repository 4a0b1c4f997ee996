"""Connectors and simulators that live in a time which the test sets."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.connectors.base import Connector
from gateway.connectors.cometly.connector import CometlyConnector
from gateway.connectors.cometly.dialect import CometlyDialect
from gateway.connectors.gately.connector import GatelyConnector
from gateway.connectors.gately.dialect import GatelyDialect
from gateway.connectors.klen.connector import KlenConnector
from gateway.connectors.klen.dialect import KlenDialect
from gateway.domain.contact import Provider
from gateway.resilience.settings import ResilienceSettings
from gateway.sandbox.sandbox import COMETLY_KEY, GATELY_KEY, KLEN_KEY
from gateway.sandbox.server import RunningSandbox
from gateway.upstream.endpoint import Endpoint, Timeouts
from gateway.upstream.upstream import Conditions, Upstream
from tests.conftest import BARE
from tests.connectors.canned import SLOTS

JSON = {"Accept": "application/json", "Content-Type": "application/json"}
# One call is one attempt, and no test feels what another made fail.
CONDITIONS = Conditions(
    timeouts=Timeouts(connect_seconds=5, attempt_seconds=20), settings=ResilienceSettings.model_construct(**BARE)
)


class TestClock:
    """What both sides take for now; `behind` sets the provider's clock back."""

    __test__ = False

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.behind = timedelta(0)

    def ours(self) -> datetime:
        return self.now

    def theirs(self) -> datetime:
        return self.now - self.behind

    def go_on(self, **by: float) -> None:
        self.now += timedelta(**by)


def timed_connector(
    provider: Provider, running: RunningSandbox, clock: Callable[[], datetime], zone: str = "America/New_York"
) -> Connector:
    """A connector of the running sandbox with a clock of its own; `zone` is what Cometly's is set to."""

    def upstream(dialect: Any, base_url: str, key: str) -> Upstream:
        headers = {"Authorization": f"Bearer {key}", **(JSON if provider is Provider.COMETLY else {})}
        return Upstream(Endpoint(base_url=base_url, headers=headers), dialect, CONDITIONS)

    match provider:
        case Provider.GATELY:
            return GatelyConnector(upstream(GatelyDialect(), running.gately.base_url, GATELY_KEY), clock=clock)
        case Provider.KLEN:
            return KlenConnector(upstream(KlenDialect(), running.klen.base_url, KLEN_KEY), clock=clock)
        case Provider.COMETLY:
            way = upstream(CometlyDialect(), running.cometly.base_url, COMETLY_KEY)
            return CometlyConnector(way, slots=SLOTS, time_zone=ZoneInfo(zone), clock=clock)


NOON = datetime(2031, 7, 1, 12, 0, 0, 500_000, tzinfo=UTC)
