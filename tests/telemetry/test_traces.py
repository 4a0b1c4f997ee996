"""A trace: one span for the operation, one for each attempt at a provider, joined with the caller's and theirs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.telemetry.traces import Traces
from tests.conftest import Gateway
from tests.failures.outcomes import CREATE, PERSON, READ, contact_id
from tests.telemetry.conftest import Seen, attributes
from tests.telemetry.receiver import Receiver

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
LIST_KLEN = "query Names { contacts(first: 1, providers: [KLEN]) { nodes { name emails { address } } } }"
LIST = "{ contacts(first: 1) { nodes { name } } }"


def ask(gateway: Gateway, document: str, variables: Any = None, **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"query": document, "variables": variables or {}}
    reply = gateway.request("POST", "/graphql", json=body, headers=given)
    assert reply.status_code == 200, reply.text
    return reply


def test_an_operation_is_one_span_and_each_attempt_another(
    traced_gateway: Gateway, sandbox: Sandbox, seen: Seen
) -> None:
    reply = ask(traced_gateway, LIST_KLEN)

    attempt, operation = seen.spans
    assert (operation.name, operation.kind, operation.parent) == ("query", SpanKind.SERVER, None)
    assert attributes(operation) == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Names",
        "contact_gateway.request_id": reply.headers["x-request-id"],
        "contact_gateway.outcome": "ok",
    }
    port = attributes(attempt).pop("server.port")
    assert isinstance(port, int)
    assert (attempt.name, attempt.kind) == ("klen list", SpanKind.CLIENT)
    assert attempt.parent == operation.context
    assert attributes(attempt) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": port,
        "contact_gateway.provider": "klen",
        "contact_gateway.operation": "list",
    }
    assert [len(sandbox.klen.requests), len(sandbox.gately.requests)] == [1, 0]


def test_the_service_has_a_name_unless_the_environment_gives_another(
    start_gateway: Callable[..., Gateway], seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(start_gateway(traces="otlp"), LIST_KLEN)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "contacts of the shop")
    ask(start_gateway(traces="otlp"), LIST_KLEN)

    names = [span.resource.attributes["service.name"] for span in seen.spans if span.name == "query"]
    assert sorted(map(str, names)) == ["contact-gateway", "contacts of the shop"]


def test_attempts_at_several_providers_stand_below_the_one_operation(traced_gateway: Gateway, seen: Seen) -> None:
    ask(traced_gateway, LIST)

    operation = seen.named("query")
    attempts = [span for span in seen.spans if span is not operation]
    assert {span.name for span in attempts} >= {"gately list", "klen list", "cometly list"}
    assert [span.parent for span in attempts] == [operation.context] * len(attempts)


def test_a_mutation_is_one_too(traced_gateway: Gateway, seen: Seen) -> None:
    ask(traced_gateway, CREATE, {"input": {**PERSON, "providers": ["KLEN"]}})

    assert seen.named("klen create").parent == seen.named("mutation").context


def test_a_trace_that_began_elsewhere_goes_on_to_the_provider(
    traced_gateway: Gateway, sandbox: Sandbox, seen: Seen
) -> None:
    ask(traced_gateway, LIST_KLEN, traceparent=TRACEPARENT, tracestate="shop=1,other=2", baggage="user=ines@aalto.test")

    operation, attempt = seen.named("query"), seen.named("klen list")
    assert operation.parent
    assert (f"{operation.parent.trace_id:032x}", f"{operation.parent.span_id:016x}") == (TRACE, PARENT)
    (sent,) = sandbox.klen.requests
    assert sent.headers["traceparent"] == f"00-{TRACE}-{attempt.context.span_id:016x}-01"
    assert sent.headers["tracestate"] == "shop=1,other=2"
    assert "baggage" not in sent.headers


def test_without_one_the_provider_is_told_of_ours(traced_gateway: Gateway, sandbox: Sandbox, seen: Seen) -> None:
    ask(traced_gateway, LIST_KLEN)

    context = seen.named("klen list").context
    (sent,) = sandbox.klen.requests
    assert sent.headers["traceparent"][:-2] == f"00-{context.trace_id:032x}-{context.span_id:016x}-"


@pytest.mark.parametrize(
    "hostile",
    [
        "nonsense",
        "",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}",
        TRACEPARENT + "9" * 8_000,
        f"{TRACEPARENT}, {TRACEPARENT}",
    ],
)
def test_a_hostile_one_begins_a_trace_of_its_own(
    traced_gateway: Gateway, seen: Seen, caplog: pytest.LogCaptureFixture, hostile: str
) -> None:
    ask(traced_gateway, LIST_KLEN, traceparent=hostile)

    assert seen.named("query").parent is None
    assert caplog.text == ""


@pytest.mark.parametrize(
    "state", ["a=" + "x" * 511, "=,=", "\x7f=1", "a=1,a=2", ",".join(f"k{n}=1" for n in range(33))]
)
def test_a_hostile_state_is_left_behind_alone(
    traced_gateway: Gateway, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, state: str
) -> None:
    ask(traced_gateway, LIST_KLEN, traceparent=TRACEPARENT, tracestate=state)

    (sent,) = sandbox.klen.requests
    assert TRACE in sent.headers["traceparent"]
    assert "tracestate" not in sent.headers
    assert caplog.text == ""


def test_a_failure_says_its_code_and_nothing_of_what_the_provider_said(
    traced_gateway: Gateway, sandbox: Sandbox, seen: Seen
) -> None:
    sandbox.klen.faults.add(Fault(kind="status", status=500, message="of ines@aalto.test"))

    ask(traced_gateway, READ, {"id": contact_id("KLEN")})

    attempt, operation = seen.named("klen read"), seen.named("query")
    assert attempt.status.status_code is StatusCode.ERROR
    assert (attempt.status.description, attempt.events) == (None, ())
    assert attributes(attempt)["error.type"] == "PROVIDER_ERROR"
    assert attributes(attempt)["http.response.status_code"] == 500
    assert attributes(operation)["contact_gateway.outcome"] == "partial"
    assert attributes(operation)["contact_gateway.codes"] == ("PROVIDER_ERROR",)


def test_a_failed_write_is_an_operation_that_failed(traced_gateway: Gateway, sandbox: Sandbox, seen: Seen) -> None:
    sandbox.klen.faults.add(Fault(kind="status", status=403))

    ask(traced_gateway, CREATE, {"input": {**PERSON, "providers": ["KLEN"]}})

    operation = seen.named("mutation")
    assert operation.status.status_code is StatusCode.ERROR
    assert attributes(operation)["contact_gateway.outcome"] == "failed"
    assert attributes(operation)["error.type"] == "PROVIDER_FORBIDDEN"


def test_the_name_of_an_operation_is_cut(traced_gateway: Gateway, seen: Seen) -> None:
    ask(traced_gateway, f"query {'a' * 5_000} {{ __typename }}")

    assert attributes(seen.named("query"))["graphql.operation.name"] == "a" * 100


def test_what_never_ran_has_no_span(traced_gateway: Gateway, seen: Seen) -> None:
    for document in ("{", "{ nothing }", "query A { __typename } query B { __typename }"):
        ask(traced_gateway, document)

    assert [span.name for span in seen.spans if attributes(span)["contact_gateway.outcome"] != "refused"] == []


def test_two_requests_have_two_traces(traced_gateway: Gateway, seen: Seen) -> None:
    for _ in range(2):
        ask(traced_gateway, "{ __typename }")

    assert len({span.context.trace_id for span in seen.spans}) == 2


class TestExport:
    @pytest.fixture
    def exporting(
        self, start_gateway: Callable[..., Gateway], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> Gateway:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        return start_gateway(traces="otlp")

    def test_the_end_of_the_gateway_brings_the_last_spans_out(self, exporting: Gateway, receiver: Receiver) -> None:
        ask(exporting, LIST_KLEN)
        exporting.close()

        assert receiver.paths == ["/v1/traces"]
        assert sorted(span.name for span in receiver.spans) == ["klen list", "query"]

    def test_a_collector_that_fails_is_no_matter_of_a_request(
        self, start_gateway: Callable[..., Gateway], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setattr("gateway.telemetry.traces._FLUSH_SECONDS", 0.05)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
        receiver.status = 503

        gateway = start_gateway(traces="otlp")

        assert ask(gateway, LIST_KLEN).json()["data"]["contacts"]["nodes"]
        gateway.close()
        assert receiver.paths == ["/v1/traces"]

    @pytest.fixture(autouse=True)
    def closed_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A test may close its gateway before the fixture does."""
        close, closed = Gateway.close, set[int]()

        def once(gateway: Gateway) -> None:
            if id(gateway) not in closed:
                closed.add(id(gateway))
                close(gateway)

        monkeypatch.setattr(Gateway, "close", once)


class Stuck(SpanExporter):
    def __init__(self) -> None:
        self.release = threading.Event()
        self.done = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.release.wait(20)
        self.done = True
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Has nothing to put down."""


def test_an_exporter_that_hangs_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.telemetry.traces._FLUSH_SECONDS", 0.02)
    exporter = Stuck()
    traces = Traces(exporter, version="1")
    traces.tracer.start_span("one").end()

    asyncio.run(traces.aclose())

    assert not exporter.done
    exporter.release.set()
