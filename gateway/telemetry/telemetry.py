"""What the settings switch on of all this, in one piece; what is off is neither imported nor called."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from starlette.routing import BaseRoute

from gateway.contacts.settlement import Concluded, unheard
from gateway.http.result import Execute
from gateway.http.traffic import Traffic
from gateway.resilience.events import PolicyEvents
from gateway.resilience.policy import Policy
from gateway.telemetry.lines import CallerNames, PolicyLines, RequestLines
from gateway.telemetry.metrics_page import metrics_route
from gateway.telemetry.observer import OperationObserver
from gateway.telemetry.operations import ObservedExecute
from gateway.telemetry.settings import TelemetrySettings
from gateway.telemetry.several import SeveralEvents, SeveralTraffic

if TYPE_CHECKING:
    from gateway.telemetry.budgets import PresentBudgets
    from gateway.telemetry.metrics import Metrics
    from gateway.telemetry.traces import Traces

Attempts: TypeAlias = Callable[[str, int | None], Policy]
"""From a provider's host and port to what stands around each attempt there."""


class Gauged(Protocol):
    """Whoever reads the budgets at each scrape."""

    present: "PresentBudgets"


async def _nothing() -> None:
    """There is nothing to close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What the composition root hands on to those that tell. Close it in the end."""

    events: PolicyEvents = field(default_factory=PolicyEvents)
    traffic: Traffic | None = None
    concluded: Concluded = unheard
    operations: tuple[OperationObserver, ...] = ()
    attempts: tuple[Attempts, ...] = ()
    pages: tuple[BaseRoute, ...] = ()
    budgets: Gauged | None = None
    aclose: Callable[[], Awaitable[None]] = _nothing

    def observing(self, execute: Execute) -> Execute:
        return ObservedExecute(execute, self.operations) if self.operations else execute

    def around_attempts(self, host: str, port: int | None) -> tuple[Policy, ...]:
        return tuple(around(host, port) for around in self.attempts)

    def watch_budgets(self, present: "PresentBudgets") -> None:
        """`present` is asked at each scrape."""
        if self.budgets is not None:
            self.budgets.present = present


SILENT = Telemetry()
"""Tells nobody anything."""


def build_telemetry(settings: TelemetrySettings, *, version: str, logs_requests: bool) -> Telemetry:
    """`logs_requests` is whether each request gets a line."""
    metrics = _metrics(version) if settings.metrics == "on" else None
    traces = _traces(version) if settings.traces == "otlp" else None
    watching: Sequence[Metrics | Traces] = [one for one in (metrics, traces) if one is not None]
    operations = [one.operations for one in watching]
    traffic = [metrics.traffic] if metrics else []
    if logs_requests:
        operations.append(CallerNames())
        traffic.append(RequestLines())
    return Telemetry(
        events=SeveralEvents(PolicyLines(), metrics.events) if metrics else PolicyLines(),
        traffic=SeveralTraffic(*traffic) if traffic else None,
        concluded=metrics.wrote if metrics else unheard,
        operations=tuple(operations),
        attempts=(traces.attempts,) if traces else (),
        pages=(metrics_route(metrics.page, settings.metrics_token),) if metrics else (),
        budgets=metrics.budgets if metrics else None,
        aclose=traces.aclose if traces else _nothing,
    )


def _metrics(version: str) -> "Metrics":
    from gateway.telemetry.metrics import Metrics

    return Metrics(version)


def _traces(version: str) -> "Traces":
    from gateway.telemetry.traces import otlp_traces

    return otlp_traces(version)
