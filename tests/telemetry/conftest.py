"""Gateways that are watched, and what was seen of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from gateway.telemetry.traces import Traces
from tests.conftest import Gateway
from tests.telemetry.receiver import Receiver, receiving

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@dataclass
class Seen:
    """The spans of a gateway that have ended."""

    exporter: InMemorySpanExporter
    traces: list[Traces]

    @property
    def spans(self) -> list[ReadableSpan]:
        for one in self.traces:
            one._provider.force_flush()
        return list(self.exporter.get_finished_spans())

    def named(self, name: str) -> ReadableSpan:
        (span,) = [span for span in self.spans if span.name == name]
        return span


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What gateways with `traces="otlp"` export from now on, in the place of sending it."""
    kept = Seen(InMemorySpanExporter(), [])

    def traces(version: str) -> Traces:
        kept.traces.append(Traces(kept.exporter, version=version))
        return kept.traces[-1]

    monkeypatch.setattr("gateway.telemetry.telemetry._traces", traces)
    return kept


@pytest.fixture
def traced_gateway(start_gateway: Callable[..., Gateway], seen: Seen) -> Gateway:
    return start_gateway(traces="otlp")


@pytest.fixture
def counting_gateway(start_gateway: Callable[..., Gateway]) -> Gateway:
    return start_gateway(metrics="on")


def samples(gateway: Gateway, **headers: str) -> Samples:
    """All that /metrics tells, but for when each count began."""
    reply = gateway.request("GET", "/metrics", headers=headers)
    assert reply.status_code == 200, reply.text
    return samples_in(reply.text)


def samples_in(text: str) -> Samples:
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        (sample.name.removeprefix("contact_gateway_"), tuple(sorted(sample.labels.items()))): sample.value
        for sample in found
        if not sample.name.endswith("_created")
    }


def counted(found: Samples, name: str) -> dict[tuple[str, ...], float]:
    """The samples of one metric: values of its labels, in the order of their names, to its value."""
    return {tuple(value for _, value in labels): value for (one, labels), value in found.items() if one == name}


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})
