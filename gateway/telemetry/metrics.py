"""The metrics of one gateway: every label has few values, none of which anybody outside can choose.

docs/operations.md lists them.
"""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from gateway.domain.contact import Provider
from gateway.domain.errors import ErrorCode
from gateway.domain.exchange import CallKind
from gateway.domain.writes import WriteResult, status_of
from gateway.http.result import GraphQLRequest
from gateway.http.traffic import Served, Traffic
from gateway.resilience.events import CircuitState, Outcome, PolicyEvents
from gateway.telemetry.budgets import BudgetCollector
from gateway.telemetry.codes import known
from gateway.telemetry.observer import Ended, OperationObserver
from gateway.telemetry.processes import told_registry
from gateway.telemetry.series import Series

_PREFIX = "contact_gateway"
_ATTEMPT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAIT_BUCKETS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
_OPERATION_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0)
_CIRCUIT_VALUES = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}


class Metrics:
    """Has a registry of its own, so that gateways in one process do not count together; workers of one gateway do."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self.budgets = BudgetCollector()
        self.events: PolicyEvents = _Upstream(self.registry)
        operations = _Operations(self.registry)
        self.operations: OperationObserver = operations
        self.traffic: Traffic = _Requests(self.registry, operations.errors)
        self._writes = Counter(
            f"{_PREFIX}_writes", "Writes carried out for callers, by status.", ("status",), registry=self.registry
        )
        self._results = Counter(
            f"{_PREFIX}_write_results",
            "Their results, one for each provider.",
            ("provider", "outcome"),
            registry=self.registry,
        )
        self._told = told_registry(self.registry)
        self._told.register(self.budgets)
        Info(f"{_PREFIX}_build", "The version that runs.", registry=self._told).info({"version": version})

    def wrote(self, results: Sequence[WriteResult]) -> None:
        self._writes.labels(status_of(tuple(results)).value).inc()
        for result in results:
            self._results.labels(result.provider.value, result.outcome.value).inc()

    def page(self, accept: str) -> tuple[bytes, str]:
        """All of them, and their media type: OpenMetrics for whoever asks for it, else Prometheus' text.

        Expected: choose_encoder of the library reads any Accept. Actual: it breaks on a version that is no number.
        """
        taken = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
        if "application/openmetrics-text" in taken:
            text: bytes = openmetrics.generate_latest(self._told)  # type: ignore[no-untyped-call]  # theirs
            return text, openmetrics.CONTENT_TYPE_LATEST
        return generate_latest(self._told), CONTENT_TYPE_PLAIN_0_0_4


class _Upstream(PolicyEvents):
    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Series[Counter]:
            return Series(Counter(f"{_PREFIX}_{name}", text, labels, registry=registry))

        def histogram(name: str, text: str, buckets: Sequence[float]) -> Series[Histogram]:
            named = f"{_PREFIX}_{name}"
            return Series(Histogram(named, text, ("provider", "operation"), buckets=buckets, registry=registry))

        where = ("provider", "operation")
        self._attempts = counter("upstream_attempts", "Requests sent to providers.", *where, "outcome")
        self._seconds = histogram("upstream_attempt_duration_seconds", "How long each of them took.", _ATTEMPT_BUCKETS)
        self._waits = histogram("upstream_wait_seconds", "How long calls waited for their turn.", _WAIT_BUCKETS)
        self._retries = counter("upstream_retries", "Calls sent again, by the reason.", *where, "code")
        self._held_back = counter("upstream_held_back", "Calls that the gateway itself refused.", *where, "code")
        self._shared = counter("upstream_shared_reads", "Reads that joined a call under way.", *where)
        self._cached = counter("cache_hits", "Records answered without a call.", "provider", "freshness")
        self._circuits = Gauge(
            f"{_PREFIX}_circuit_state",
            "0 closed, 1 half-open, 2 open.",
            ("provider", "operation"),
            registry=registry,
            # Of several workers the one that has seen the worst.
            multiprocess_mode="livemax",
        )

    def attempted(self, provider: Provider, kind: CallKind, seconds: float, outcome: Outcome) -> None:
        self._attempts[provider.value, kind.value, str(outcome or "ok")].inc()
        self._seconds[provider.value, kind.value].observe(seconds)

    def waited(self, provider: Provider, kind: CallKind, seconds: float) -> None:
        self._waits[provider.value, kind.value].observe(seconds)

    def retried(self, provider: Provider, kind: CallKind, code: ErrorCode) -> None:
        self._retries[provider.value, kind.value, code.value].inc()

    def held_back(self, provider: Provider, kind: CallKind, code: ErrorCode) -> None:
        self._held_back[provider.value, kind.value, code.value].inc()

    def circuit_changed(self, provider: Provider, kind: CallKind, state: CircuitState) -> None:
        self._circuits.labels(provider.value, kind.value).set(_CIRCUIT_VALUES[state])

    def shared(self, provider: Provider, kind: CallKind) -> None:
        self._shared[provider.value, kind.value].inc()

    def cached(self, provider: Provider, *, stale: bool) -> None:
        self._cached[provider.value, "stale" if stale else "fresh"].inc()


class _Operations(OperationObserver):
    def __init__(self, registry: CollectorRegistry) -> None:
        ended, seconds = f"{_PREFIX}_operations", f"{_PREFIX}_operation_duration_seconds"
        self._ended = Series(
            Counter(ended, "GraphQL operations, by how they ended.", ("kind", "outcome"), registry=registry)
        )
        self._seconds = Series(
            Histogram(seconds, "How long they took.", ("kind",), buckets=_OPERATION_BUCKETS, registry=registry)
        )
        joined = Counter(
            f"{_PREFIX}_joined_operations", "Those answered with another's execution.", ("kind",), registry=registry
        )
        self._joined = Series(joined)
        self.errors = Series(Counter(f"{_PREFIX}_errors", "Errors in answers, by code.", ("code",), registry=registry))

    def ended(self, request: GraphQLRequest, ended: Ended) -> None:
        kind = ended.kind.value if ended.kind else "unknown"
        self._ended[kind, ended.outcome.value].inc()
        self._seconds[kind,].observe(ended.seconds)
        if ended.joined is not None:
            self._joined[kind,].inc()
        for code in ended.codes:
            self.errors[code,].inc()


class _Requests(Traffic):
    def __init__(self, registry: CollectorRegistry, errors: Series[Counter]) -> None:
        self._errors = errors
        self._in_flight = Gauge(
            f"{_PREFIX}_requests_in_flight",
            "Requests that are being answered just now.",
            registry=registry,
            multiprocess_mode="livesum",
        )

    def came(self) -> None:
        self._in_flight.inc()

    def left(self, served: Served) -> None:
        self._in_flight.dec()
        if served.code is not None:
            self._errors[known(served.code),].inc()
