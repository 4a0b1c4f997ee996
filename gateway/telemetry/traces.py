"""Traces: one span for an operation, one for each attempt at a provider; nothing in them tells of a contact.

Source: OpenTelemetry semantic conventions for GraphQL servers and HTTP clients. Left out of them on purpose are the
document, the variables and the URL, which hold personal data; and exceptions, whose texts may.
"""

import asyncio
import threading
from contextlib import AbstractContextManager, suppress

from msgspec.structs import replace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, format_trace_id, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bind_contextvars

from gateway.domain.contact import Provider
from gateway.domain.errors import ProviderFailure
from gateway.domain.exchange import Call, Reply
from gateway.http.result import GraphQLRequest, OperationKind
from gateway.resilience.policy import Policy, Send
from gateway.telemetry.observer import Ended, Observation, OperationObserver, OperationOutcome

_MAX_NAME_CHARACTERS = 100
_FLUSH_SECONDS = 5.0
# W3C Trace Context alone: baggage of a caller does not reach a provider.
_PROPAGATOR = TraceContextTextMapPropagator()


class Traces:
    """Close it in the end; what is still to be exported then gets a moment."""

    def __init__(self, exporter: SpanExporter, *, version: str) -> None:
        # At the end of the program it would wait for an exporter that hangs.
        self._provider = TracerProvider(resource=_resource(version), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self._provider.get_tracer("contact-gateway", version)
        self.operations: OperationObserver = _Operations(self.tracer)

    def attempts(self, host: str, port: int | None) -> Policy:
        """A span around each attempt at the provider that is there."""
        return traced(self.tracer, host, port)

    async def aclose(self) -> None:
        ended, loop = asyncio.Event(), asyncio.get_running_loop()

        def shut_down() -> None:
            self._provider.shutdown()
            # Nobody waits any more where it took too long.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(ended.set)

        # A daemon, so that an exporter that hangs holds up neither the event loop nor the end of the program.
        threading.Thread(target=shut_down, daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                await ended.wait()


def otlp_traces(version: str) -> Traces:
    """To where the standard variables say: OTEL_EXPORTER_OTLP_ENDPOINT and its neighbours."""
    return Traces(OTLPSpanExporter(), version=version)


def traced(tracer: Tracer, host: str, port: int | None) -> Policy:
    def around(provider: Provider, send: Send) -> Send:
        server: dict[str, str | int] = {"server.address": host}
        if port is not None:
            server["server.port"] = port

        async def guarded(call: Call) -> Reply:
            with tracer.start_as_current_span(
                f"{provider.value} {call.kind.value}",
                kind=SpanKind.CLIENT,
                attributes={
                    **server,
                    "http.request.method": call.method,
                    "contact_gateway.provider": provider.value,
                    "contact_gateway.operation": call.kind.value,
                },
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                headers: dict[str, str] = {}
                _PROPAGATOR.inject(headers)
                return await _noted(span, send, replace(call, headers={**call.headers, **headers}))

        return guarded

    return around


async def _noted(span: Span, send: Send, call: Call) -> Reply:
    try:
        reply = await send(call)
    except ProviderFailure as failure:
        _fail(span, failure.code.value)
        if failure.fault.upstream_status is not None:
            span.set_attribute("http.response.status_code", failure.fault.upstream_status)
        raise
    except BaseException as broken:
        _fail(span, "cancelled" if isinstance(broken, asyncio.CancelledError) else "unexpected")
        raise
    span.set_attribute("http.response.status_code", reply.status)
    return reply


class _Operations(OperationObserver):
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin(self, request: GraphQLRequest, kind: OperationKind, name: str | None) -> Observation:
        attributes = {"graphql.operation.type": kind.value, "contact_gateway.request_id": request.request_id}
        if name is not None:
            attributes["graphql.operation.name"] = name[:_MAX_NAME_CHARACTERS]
        # From an empty context: nothing of whatever ran before in this one belongs to it.
        context = _PROPAGATOR.extract(_headers(request), context=Context())
        span = self._tracer.start_span(kind.value, context=context, kind=SpanKind.SERVER, attributes=attributes)
        bind_contextvars(trace_id=format_trace_id(span.get_span_context().trace_id))
        return _Spanned(span)


class _Spanned:
    def __init__(self, span: Span) -> None:
        self._span = span

    def current(self) -> AbstractContextManager[Span]:
        return use_span(self._span, record_exception=False, set_status_on_exception=False)

    def end(self, ended: Ended) -> None:
        self._span.set_attribute("contact_gateway.outcome", ended.outcome.value)
        if ended.codes:
            self._span.set_attribute("contact_gateway.codes", sorted(set(ended.codes)))
        if ended.joined is not None:
            self._span.set_attribute("contact_gateway.joined", ended.joined)
        if ended.outcome is OperationOutcome.FAILED:
            _fail(self._span, ended.codes[0] if ended.codes else "INTERNAL_ERROR")
        self._span.end()


def _fail(span: Span, error_type: str) -> None:
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR))


def _headers(request: GraphQLRequest) -> dict[str, str]:
    given = {"traceparent": request.trace.traceparent, "tracestate": request.trace.tracestate}
    return {name: value for name, value in given.items() if value is not None}


def _resource(version: str) -> Resource:
    """The variables of OpenTelemetry win: what else runs beside this gateway is known there."""
    ours = {SERVICE_NAME: "contact-gateway", SERVICE_VERSION: version}
    found = Resource.create()
    named = {
        name: value
        for name, value in found.attributes.items()
        if not (name == SERVICE_NAME and str(value).startswith("unknown_service"))
    }
    return Resource({**ours, **named}, found.schema_url)
