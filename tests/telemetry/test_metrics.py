"""Metrics: who may read them, what they count, and that nobody outside can choose a label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from prometheus_client import Counter
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from gateway.domain.contact import Provider, RecordKey
from gateway.domain.errors import ErrorCode, ReplyTimedOut
from gateway.domain.exchange import CallKind
from gateway.domain.writes import WriteAction, WriteResult, WriteStatus
from gateway.http.result import OperationKind
from gateway.http.traffic import Served
from gateway.resilience.events import CircuitState
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.settings import WrongSettings, read_gateway_settings
from gateway.telemetry.codes import CODES, OTHER
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.observer import OperationOutcome
from tests.conftest import Gateway
from tests.failures.outcomes import CREATE, PERSON, READ, contact_id
from tests.telemetry.conftest import Samples, counted, samples, samples_in

TOKEN = "a-token-of-a-scraper"


def told(metrics: Metrics) -> Samples:
    return samples_in(metrics.page("")[0].decode())


class TestWhoMayRead:
    def test_off_there_is_nothing(self, gateway: Gateway) -> None:
        reply = gateway.request("GET", "/metrics")

        assert (reply.status_code, reply.json()["errors"][0]["extensions"]["code"]) == (404, "PATH_NOT_FOUND")

    def test_on_this_machine_alone_they_are_open(self, counting_gateway: Gateway) -> None:
        assert counting_gateway.request("GET", "/metrics").status_code == 200

    @pytest.mark.parametrize(
        "shown",
        [None, "Bearer wrong", f"Bearer {TOKEN}!", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN} {TOKEN}", "Bearer é"],
    )
    def test_with_a_token_nobody_reads_them_without(
        self, start_gateway: Callable[..., Gateway], shown: str | None
    ) -> None:
        gateway = start_gateway(metrics="on", metrics_token=TOKEN)

        reply = gateway.request("GET", "/metrics", headers={"Authorization": shown.encode()} if shown else {})

        assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
        assert reply.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        assert "contact_gateway" not in reply.text

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
    def test_with_it_they_are_read(self, start_gateway: Callable[..., Gateway], scheme: str) -> None:
        gateway = start_gateway(metrics="on", metrics_token=TOKEN)

        assert samples(gateway, Authorization=f"{scheme} {TOKEN}")

    @pytest.mark.parametrize(
        "guarded", [{"authentication": "required"}, {"mode": "production"}, {"host": "10.0.0.1"}], ids=str
    )
    def test_where_callers_authenticate_there_has_to_be_one(self, guarded: dict[str, Any]) -> None:
        """Behind a proxy everybody comes from the loopback."""
        with pytest.raises(WrongSettings, match=r"^GATEWAY_METRICS_TOKEN: is missing\."):
            read_gateway_settings(metrics="on", **guarded)
        assert read_gateway_settings(metrics="on", metrics_token=TOKEN, **guarded).metrics == "on"
        assert read_gateway_settings(**guarded).metrics == "off"

    @pytest.mark.parametrize("token", ["", "short", "x" * 15, "x" * 513, "a token with some spaces", "ü" * 20])
    def test_a_token_is_hard_to_guess(self, token: str) -> None:
        with pytest.raises(WrongSettings, match=r"^GATEWAY_METRICS_TOKEN: .+\. Give .+\.$"):
            read_gateway_settings(metrics_token=token)

    def test_they_are_only_read(self, counting_gateway: Gateway) -> None:
        reply = counting_gateway.request("POST", "/metrics")

        assert (reply.status_code, set(reply.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


def test_openmetrics_is_answered_to_whoever_asks_for_it(counting_gateway: Gateway) -> None:
    def read(accept: str) -> httpx.Response:
        return counting_gateway.request("GET", "/metrics", headers={"Accept": accept})

    plain, other = read("*/*"), read("application/openmetrics-text; version=1.0.0,text/plain;q=0.5")

    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert other.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert {family.name for family in openmetrics(other.text)} >= {"contact_gateway_operations"}


@pytest.mark.parametrize(
    "accept", ["", "nonsense", "text/plain; version=1.x", "text/plain;version=", ",;,", "image/png", "a" * 8_000]
)
def test_every_other_accept_gets_plain_text(counting_gateway: Gateway, accept: str) -> None:
    reply = counting_gateway.request("GET", "/metrics", headers={"Accept": accept})

    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")


def test_a_version_that_is_none_is_openmetrics_all_the_same(counting_gateway: Gateway) -> None:
    reply = counting_gateway.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=abc"})

    assert (reply.status_code, reply.headers["content-type"].split(";")[0]) == (200, "application/openmetrics-text")


class TestPolicies:
    """Each event of gateway.resilience.events moves its own metric and no other."""

    @pytest.mark.parametrize(
        ("tell", "name", "expected"),
        [
            (
                lambda events: events.attempted(Provider.KLEN, CallKind.READ, 0.2, None),
                "upstream_attempts_total",
                {("read", "ok", "klen"): 1},
            ),
            (
                lambda events: events.attempted(Provider.KLEN, CallKind.CREATE, 5, ErrorCode.PROVIDER_TIMEOUT),
                "upstream_attempts_total",
                {("create", "PROVIDER_TIMEOUT", "klen"): 1},
            ),
            (
                lambda events: events.attempted(Provider.KLEN, CallKind.READ, 0.25, None),
                "upstream_attempt_duration_seconds_sum",
                {("read", "klen"): 0.25},
            ),
            (
                lambda events: events.waited(Provider.GATELY, CallKind.LIST, 1.5),
                "upstream_wait_seconds_sum",
                {("list", "gately"): 1.5},
            ),
            (
                lambda events: events.retried(Provider.GATELY, CallKind.LIST, ErrorCode.RATE_LIMITED),
                "upstream_retries_total",
                {("RATE_LIMITED", "list", "gately"): 1},
            ),
            (
                lambda events: events.held_back(Provider.COMETLY, CallKind.UPDATE, ErrorCode.PROVIDER_UNAVAILABLE),
                "upstream_held_back_total",
                {("PROVIDER_UNAVAILABLE", "update", "cometly"): 1},
            ),
            (
                lambda events: events.shared(Provider.KLEN, CallKind.READ),
                "upstream_shared_reads_total",
                {("read", "klen"): 1},
            ),
            (lambda events: events.cached(Provider.KLEN, stale=False), "cache_hits_total", {("fresh", "klen"): 1}),
            (lambda events: events.cached(Provider.KLEN, stale=True), "cache_hits_total", {("stale", "klen"): 1}),
            *(
                (
                    lambda events, state=state: events.circuit_changed(Provider.KLEN, CallKind.READ, state),
                    "circuit_state",
                    {("read", "klen"): value},
                )
                for state, value in ((CircuitState.CLOSED, 0), (CircuitState.HALF_OPEN, 1), (CircuitState.OPEN, 2))
            ),
        ],
    )
    def test_it_is_counted(self, tell: Callable[[Any], None], name: str, expected: dict[Any, float]) -> None:
        metrics = Metrics("1")
        before = told(metrics)

        tell(metrics.events)

        after = told(metrics)
        assert counted(after, name) == expected
        family = name.removesuffix("_total").removesuffix("_sum")
        moved = {key for (key, labels), value in after.items() if before.get((key, labels)) != value}
        beside = {"upstream_attempts", "upstream_attempt_duration_seconds"} if "attempt" in family else {family}
        assert {one for one in moved if not one.startswith(tuple(beside))} == set()


@dataclass(frozen=True)
class Left:
    name: str
    limit: int
    remaining: int


def test_budgets_are_those_at_the_moment_of_the_scrape() -> None:
    metrics, left = Metrics("1"), [Left("reads", 15, 15)]
    metrics.budgets.present = lambda: [(Provider.COMETLY, one) for one in left]
    left[0] = Left("reads", 15, 3)

    found = told(metrics)

    assert counted(found, "rate_budget_limit_calls") == {("reads", "cometly"): 15}
    assert counted(found, "rate_budget_remaining_calls") == {("reads", "cometly"): 3}


def test_a_series_shows_from_when_it_is_first_counted_and_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = Metrics("1")
    before = told(metrics)
    looked_up: list[object] = []
    labels = Counter.labels

    def noted(metric: Counter, *values: str) -> Counter:
        looked_up.append(values)
        return labels(metric, *values)

    monkeypatch.setattr(Counter, "labels", noted)
    for _ in range(3):
        metrics.traffic.left(Served(status=400, code="BAD_REQUEST", seconds=0.1))
    metrics.traffic.left(Served(status=404, code="PATH_NOT_FOUND", seconds=0.1))

    assert looked_up == [("BAD_REQUEST",), ("PATH_NOT_FOUND",)]
    assert [sample for sample in before if sample[0].startswith("errors")] == []
    errors = {key: value for key, value in told(metrics).items() if key[0] == "errors_total"}
    assert sorted(errors.values()) == [1, 3]


def test_requests_in_flight_come_and_go() -> None:
    metrics = Metrics("1")
    metrics.traffic.came()
    metrics.traffic.came()
    metrics.traffic.left(Served(status=200, code=None, seconds=1))

    assert counted(told(metrics), "requests_in_flight") == {(): 1}


def test_writes_are_counted_with_what_each_provider_did() -> None:
    metrics = Metrics("1")
    applied = WriteResult(
        provider=Provider.KLEN, key=RecordKey(Provider.KLEN, "9001"), action=WriteAction.CREATED, record=None
    )
    unknown = WriteResult(provider=Provider.GATELY, failure=ReplyTimedOut(Provider.GATELY, "No answer."))

    metrics.wrote((applied, unknown))
    metrics.wrote((unknown,))

    found = told(metrics)
    assert counted(found, "writes_total") == {("PARTIAL",): 1, ("UNKNOWN",): 1}
    assert counted(found, "write_results_total") == {("APPLIED", "klen"): 1, ("UNKNOWN", "gately"): 2}


def test_the_version_that_runs_is_told(counting_gateway: Gateway) -> None:
    ((version,),) = counted(samples(counting_gateway), "build_info")

    assert version == "0.1.0"


class TestOfAGateway:
    def send(self, gateway: Gateway, document: str, variables: Any = None) -> None:
        gateway.request("POST", "/graphql", json={"query": document, "variables": variables or {}})

    def test_operations_are_counted_by_how_they_ended(self, counting_gateway: Gateway, sandbox: Sandbox) -> None:
        send = self.send
        send(counting_gateway, "{ __typename }")
        send(counting_gateway, "{")
        send(counting_gateway, "{ nothing }")
        sandbox.klen.faults.add(Fault(kind="status", status=403))
        send(counting_gateway, READ, {"id": contact_id("KLEN")})
        send(counting_gateway, CREATE, {"input": {**PERSON, "providers": ["KLEN"]}})
        send(counting_gateway, CREATE, {"input": PERSON})

        found = samples(counting_gateway)
        assert counted(found, "operations_total") == {
            ("query", "ok"): 1,
            ("unknown", "refused"): 1,
            ("query", "refused"): 1,
            ("query", "partial"): 1,
            ("mutation", "failed"): 1,
            ("mutation", "ok"): 1,
        }
        assert counted(found, "operation_duration_seconds_count") == {("query",): 3, ("unknown",): 1, ("mutation",): 2}
        assert counted(found, "errors_total") == {
            ("GRAPHQL_PARSE_FAILED",): 1,
            ("GRAPHQL_VALIDATION_FAILED",): 1,
            ("PROVIDER_FORBIDDEN",): 2,
        }
        assert counted(found, "writes_total") == {("FAILED",): 1, ("PARTIAL",): 1}

    def test_attempts_are_those_that_the_providers_got(self, counting_gateway: Gateway, sandbox: Sandbox) -> None:
        self.send(counting_gateway, "{ contacts(first: 1, providers: [KLEN]) { nodes { name } } }")

        assert counted(samples(counting_gateway), "upstream_attempts_total") == {("list", "ok", "klen"): 1}
        assert len(sandbox.klen.requests) == 1

    def test_a_scrape_is_itself_a_request(self, counting_gateway: Gateway) -> None:
        assert counted(samples(counting_gateway), "requests_in_flight") == {(): 1}

    def test_what_the_http_face_refuses_is_an_error_too(self, counting_gateway: Gateway) -> None:
        counting_gateway.request("POST", "/graphql", content=b"nonsense")
        counting_gateway.request("GET", "/nowhere")
        counting_gateway.request("GET", "/health/live", headers={"Host": "evil.test"})

        assert counted(samples(counting_gateway), "errors_total") == {
            ("UNSUPPORTED_MEDIA_TYPE",): 1,
            ("PATH_NOT_FOUND",): 1,
            ("MISDIRECTED_REQUEST",): 1,
        }

    def test_a_stream_is_counted_when_it_is_over(self, counting_gateway: Gateway) -> None:
        reply = counting_gateway.request(
            "POST", "/graphql", json={"query": "{ __typename }"}, headers={"Accept": "text/event-stream"}
        )

        assert reply.status_code == 200
        assert counted(samples(counting_gateway), "operations_total") == {("query", "ok"): 1}

    def test_gateways_in_one_process_do_not_count_together(
        self, start_gateway: Callable[..., Gateway], counting_gateway: Gateway
    ) -> None:
        other = start_gateway(metrics="on")
        self.send(other, "{ __typename }")

        assert counted(samples(counting_gateway), "operations_total") == {}


CLOSED: dict[str, set[str]] = {
    "provider": {provider.value for provider in Provider},
    "operation": {kind.value for kind in CallKind},
    "outcome": {*(outcome.value for outcome in OperationOutcome), *map(str, ErrorCode), "APPLIED", "NOT_APPLIED"}
    | {"UNKNOWN"},
    "code": {*CODES, OTHER},
    "kind": {*(kind.value for kind in OperationKind), "unknown"},
    "status": {status.value for status in WriteStatus},
    "freshness": {"fresh", "stale"},
    "version": {"0.1.0"},
}


def test_nobody_outside_chooses_a_label(counting_gateway: Gateway, sandbox: Sandbox) -> None:
    """Whatever clients and providers send, each label has a value of a closed set."""
    evil = "ines@aalto.test"
    bodies: list[Any] = [
        {"query": f"query Evil{number} {{ {field} }}", "operationName": name}
        for number in range(20)
        for field in ("__typename", f"evil{number}", f'contact(id: "{evil}{number}") {{ id }}')
        for name in (None, f"Other{number}")
    ]
    for body in bodies:
        counting_gateway.request("POST", f"/graphql?{evil}", json=body, headers={"X-Request-Id": evil})
    for method in ("GET", "PUT", "EVIL"):
        counting_gateway.request(method, f"/{evil}", headers={"Authorization": evil, "Host": evil})
    for fault in (
        Fault(kind="status", status=418, code=evil, message=evil),
        Fault(kind="html"),
        Fault(kind="status", status=429, code=evil, retry_after_seconds=3),
    ):
        for simulator in sandbox.simulators:
            simulator.faults.clear()
            simulator.faults.add(fault)
        for provider in ("GATELY", "KLEN", "COMETLY"):
            counting_gateway.send(READ, id=contact_id(provider))
        counting_gateway.send(CREATE, input=PERSON)

    found = samples(counting_gateway)
    chosen = {
        (name, value)
        for _, labels in found
        for name, value in labels
        if name != "le" and value not in CLOSED.get(name, set())
    }
    assert chosen == set()
    assert evil not in str(found)
    assert counted(found, "errors_total").keys() >= {("INVALID_INPUT",), ("GRAPHQL_VALIDATION_FAILED",)}


def test_a_code_that_nobody_knows_is_another_one() -> None:
    metrics = Metrics("1")
    metrics.traffic.left(Served(status=400, code="ines@aalto.test", seconds=0))

    assert counted(told(metrics), "errors_total") == {("other",): 1}
