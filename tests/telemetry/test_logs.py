"""Lines of the log: all in one form, tied to their request and their write, and none of them too often."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs

from gateway.connectors.klen.connector import KlenConnector
from gateway.domain.caller import ANYBODY, Caller
from gateway.domain.contact import Provider
from gateway.domain.errors import ErrorCode
from gateway.domain.exchange import CallKind
from gateway.http.traffic import Served, Traffic
from gateway.incident import report
from gateway.logs import configure_logs
from gateway.main import build_app
from gateway.resilience.events import CircuitState
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.settings import read_gateway_settings
from gateway.telemetry.lines import CallerNames, PolicyLines, name_of
from gateway.telemetry.telemetry import Telemetry
from tests.access.conftest import ask as ask_as
from tests.access.issuer import Issuer, running_issuer, token
from tests.conftest import Gateway
from tests.failures.outcomes import CREATE, LIST, PERSON, READ, contact_id
from tests.http.sockets import Wire, get, post
from tests.live import serving
from tests.telemetry.conftest import Seen, attributes, counted, samples

Configured = Callable[..., Callable[[], list[Any]]]


@pytest.fixture
def configured(capsys: pytest.CaptureFixture[str]) -> Iterator[Configured]:
    """Configures the logs; the function that it returns tells the lines since."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def configure(*given: Any) -> Callable[[], list[Any]]:
        configure_logs(*given)
        return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield configure
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


class TestForm:
    def test_a_line_is_json_where_nobody_looks(self, configured: Configured) -> None:
        lines = configured()
        structlog.get_logger("any").warning("it_happened", count=3)

        (line,) = lines()
        assert line.pop("timestamp").endswith("Z")
        assert line == {"event": "it_happened", "count": 3, "level": "warning"}

    def test_it_is_for_people_in_a_terminal(
        self, configured: Configured, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        configured()
        structlog.get_logger().warning("it_happened")

        assert not capsys.readouterr().err.startswith("{")

    @pytest.mark.parametrize(("asked", "json_like"), [("json", True), ("console", False)])
    def test_or_as_the_setting_says(
        self, configured: Configured, capsys: pytest.CaptureFixture[str], asked: str, json_like: bool
    ) -> None:
        configured(asked)
        structlog.get_logger().warning("it_happened")

        assert capsys.readouterr().err.startswith("{") is json_like

    @pytest.mark.parametrize(
        ("level", "told"),
        [
            ("debug", ["debug", "info", "warning", "error"]),
            ("info", ["info", "warning", "error"]),
            ("warning", ["warning", "error"]),
            ("error", ["error"]),
        ],
    )
    def test_what_is_below_the_level_is_not_told(self, configured: Configured, level: str, told: list[str]) -> None:
        lines = configured("json", level)
        for name in ("debug", "info", "warning", "error"):
            getattr(structlog.get_logger(), name)(name)

        assert [line["event"] for line in lines()] == told


class TestLibraries:
    def test_their_lines_have_the_same_form_without_their_values(self, configured: Configured) -> None:
        lines = configured("json", "debug")
        logging.getLogger("uvicorn.error").error("Cancel %s running task(s)", 3)

        (line,) = lines()
        assert line.pop("timestamp")
        assert line.pop("place").startswith("test_logs:")
        assert line == {
            "event": "library",
            "logger": "uvicorn.error",
            "level": "error",
            "message": "Cancel %s running task(s)",
        }

    @pytest.mark.parametrize("level", ["debug", "info"])
    def test_what_they_tell_below_a_warning_is_never_told(self, configured: Configured, level: str) -> None:
        """httpx names whole URLs there, httpcore headers, the drivers statements."""
        lines = configured("json", "debug")
        getattr(logging.getLogger("httpx"), level)("GET %s", "https://klen.test?email=ines@aalto.test")

        assert lines() == []

    def test_an_exception_is_told_by_its_class_and_place(self, configured: Configured) -> None:
        lines = configured()
        try:
            raise KeyError("ines@aalto.test")
        except KeyError:
            logging.getLogger("asyncio").exception("Task was never retrieved: ines@aalto.test")

        (line,) = lines()
        assert (line["error"], "message" in line, len(line["places"])) == ("KeyError", False, 1)
        assert "ines" not in str(line)

    def test_so_are_warnings_of_the_interpreter(self, configured: Configured) -> None:
        lines = configured()
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(True)
            warnings.warn("of ines@aalto.test", stacklevel=1)

        (line,) = lines()
        assert "ines" not in str(line)
        assert (line["logger"], line["level"]) == ("py.warnings", "warning")

    def test_the_context_is_theirs_too(self, configured: Configured) -> None:
        lines = configured()
        with structlog.contextvars.bound_contextvars(request_id="r1"):
            logging.getLogger("asyncio").warning("slow")

        assert [line["request_id"] for line in lines()] == ["r1"]


class TestRequests:
    def ask(self, gateway: Gateway, query: str, variables: Any = None) -> str:
        body = {"query": query, "variables": variables or {}}
        return gateway.request("POST", "/graphql", json=body).headers["x-request-id"]

    def test_each_has_a_line(self, start_gateway: Callable[..., Gateway], seen: Seen, configured: Configured) -> None:
        gateway = start_gateway(log_requests="on", traces="otlp")
        lines = configured()
        request_id = self.ask(gateway, "query Mine { __typename }")

        (line,) = lines()
        assert line.pop("ms") >= 0
        assert line.pop("timestamp")
        assert line == {
            "event": "request",
            "level": "info",
            "request_id": request_id,
            "caller": "anybody",
            "kind": "query",
            "outcome": "ok",
            "status": 200,
            "trace_id": f"{seen.named('query').context.trace_id:032x}",
        }

    def test_one_that_shared_an_execution_names_whose_that_was_and_is_counted(
        self, start_gateway: Callable[..., Gateway], sandbox: Sandbox, seen: Seen, configured: Configured
    ) -> None:
        sandbox.klen.faults.add(Fault(kind="slow", delay_ms=500))
        gateway = start_gateway(log_requests="on", metrics="on", traces="otlp")
        lines = configured()
        body = {"query": READ, "variables": {"id": contact_id("KLEN")}}

        async def ask() -> list[str]:
            replies = (gateway._client.post("/graphql", json=body) for _ in range(3))
            return [reply.headers["x-request-id"] for reply in await asyncio.gather(*replies)]

        first, second, third = gateway._run(ask())

        joined = {line["request_id"]: line.get("joined") for line in lines() if line["event"] == "request"}
        assert joined == {first: None, second: None, third: second}
        spans = [attributes(span) for span in seen.spans if span.name == "query"]
        assert {span["contact_gateway.request_id"]: span.get("contact_gateway.joined") for span in spans} == joined
        assert counted(samples(gateway), "joined_operations_total") == {("query",): 1}
        assert counted(samples(gateway), "operations_total") == {("query", "ok"): 3}

    def test_a_refusal_has_one_with_its_code(
        self, start_gateway: Callable[..., Gateway], configured: Configured
    ) -> None:
        gateway = start_gateway(log_requests="on")
        lines = configured()
        gateway.request("GET", "/ines@aalto.test?ines")

        (line,) = lines()
        assert (line["event"], line["status"], line["code"]) == ("request", 404, "PATH_NOT_FOUND")
        assert "ines" not in str(line)

    def test_whoever_looks_after_the_health_fills_no_log(
        self, start_gateway: Callable[..., Gateway], configured: Configured
    ) -> None:
        gateway = start_gateway(log_requests="on", metrics="on")
        lines = configured()
        for path in ("/health/live", "/health/ready", "/metrics"):
            gateway.request("GET", path)

        assert lines() == []

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ({}, 0),
            ({"log_requests": "off"}, 0),
            ({"log_requests": "on"}, 1),
        ],
        ids=str,
    )
    def test_unless_switched_on_there_is_none_in_development(
        self, start_gateway: Callable[..., Gateway], configured: Configured, settings: Any, told: int
    ) -> None:
        gateway = start_gateway(**settings)
        lines = configured()
        self.ask(gateway, "{ __typename }")

        assert len(lines()) == told

    @pytest.mark.parametrize("mode", ["development", "production"])
    def test_in_production_there_is_one_unless_switched_off(self, mode: Any) -> None:
        assert read_gateway_settings(mode=mode).logs_requests is (mode == "production")
        assert read_gateway_settings(mode=mode, log_requests="off").logs_requests is False
        assert read_gateway_settings(mode=mode, log_requests="on").logs_requests is True

    def test_a_line_does_not_know_the_request_before(self, tmp_path: Path) -> None:
        """A request that waits behind another begins where the other's answer ends."""
        known: list[dict[str, Any]] = []

        class Knowing(Traffic):
            def left(self, served: Served) -> None:
                known.append(get_contextvars())

        settings = read_gateway_settings(database_url=f"sqlite:///{tmp_path}/gateway.db")
        telemetry = Telemetry(traffic=Knowing(), operations=(CallerNames(),))
        with serving(build_app(settings, {}, telemetry), settings) as served, Wire(served.port) as wire:
            wire.send(post(b'{"query": "mutation { __typename }"}') + get(b"/nowhere"))
            statuses = [wire.answer().status, wire.answer().status]

        assert statuses == [200, 404]
        assert [set(one) for one in known] == [{"request_id", "kind", "outcome", "caller"}, {"request_id"}]

    def test_what_goes_wrong_in_a_write_names_its_request_and_its_operation(
        self,
        start_gateway: Callable[..., Gateway],
        sandbox: Sandbox,
        configured: Configured,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def fail(*_: Any, **__: Any) -> None:
            raise KeyError("ines@aalto.test")

        gateway = start_gateway()
        monkeypatch.setattr(KlenConnector, "create", fail)
        lines = configured()
        document = CREATE.replace("{ status", "{ operationId status", 1)
        reply = gateway.request(
            "POST", "/graphql", json={"query": document, "variables": {"input": {**PERSON, "providers": ["KLEN"]}}}
        )

        (line,) = [line for line in lines() if line["event"] == "provider_call_broke"]
        assert line["request_id"] == reply.headers["x-request-id"]
        assert line["operation_id"] == reply.json()["data"]["createContact"]["operationId"]

    def test_a_read_knows_no_write(
        self, start_gateway: Callable[..., Gateway], sandbox: Sandbox, configured: Configured
    ) -> None:
        gateway = start_gateway(log_requests="on")
        lines = configured()
        self.ask(gateway, CREATE, {"input": {**PERSON, "providers": ["KLEN"]}})
        self.ask(gateway, LIST, {"providers": ["KLEN"]})

        assert ["operation_id" in line for line in lines()] == [False, False]


class TestCallers:
    @pytest.fixture
    def issuer(self) -> Iterator[Issuer]:
        with running_issuer() as running:
            yield running

    def test_a_token_is_named_by_nothing_of_it(
        self, start_gateway: Callable[..., Gateway], issuer: Issuer, configured: Configured
    ) -> None:
        gateway = start_gateway(authentication="required", log_requests="on", **issuer.settings)
        lines = configured()
        for subject in ("ines@aalto.test", "ines@aalto.test", "bo@ek.test"):
            assert ask_as(gateway, token(sub=subject)).status_code == 200

        first, second, third = [line["caller"] for line in lines()]
        assert first == second != third
        assert "ines" not in first

    def test_a_key_by_its_id_that_may_be_known(self) -> None:
        nobody = frozenset[Provider]()
        caller = Caller(id="key:0123456789abcdef", may_read=nobody, may_write=nobody)

        assert name_of(caller) == "key:0123456789abcdef"
        assert name_of(ANYBODY) == "anybody"

    def test_anybody_else_by_a_name_that_cannot_be_made_again_elsewhere(self) -> None:
        nobody = frozenset[Provider]()
        caller = Caller(id="jwt:ines@aalto.test", may_read=nobody, may_write=nobody)

        assert re.fullmatch(r"jwt:[0-9a-f]{16}", name_of(caller))
        assert name_of(caller) == name_of(caller)


class TestPolicies:
    def test_a_circuit_tells_of_each_change(self) -> None:
        lines = PolicyLines()
        with capture_logs() as told:
            for state in (CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED):
                lines.circuit_changed(Provider.KLEN, CallKind.READ, state)

        known = {"event": "circuit_changed", "provider": "klen", "operation": "read"}
        assert told == [
            {**known, "state": "OPEN", "log_level": "warning"},
            {**known, "state": "HALF_OPEN", "log_level": "warning"},
            {**known, "state": "CLOSED", "log_level": "info"},
        ]

    def test_a_thousand_calls_held_back_are_two_lines(self) -> None:
        now = [1_000.0]
        lines = PolicyLines(lambda: now[0])
        with capture_logs() as told:
            for _ in range(1_000):
                lines.held_back(Provider.KLEN, CallKind.READ, ErrorCode.RATE_LIMITED)
                now[0] += 0.0199

        known = {"provider": "klen", "operation": "read", "code": "RATE_LIMITED", "log_level": "warning"}
        assert told == [
            {"event": "calls_held_back", "count": 1, **known},
            {"event": "calls_held_back", "count": 503, **known},
        ]

    def test_each_reason_has_its_own(self) -> None:
        lines = PolicyLines(lambda: 1_000.0)
        with capture_logs() as told:
            for code in (ErrorCode.RATE_LIMITED, ErrorCode.PROVIDER_UNAVAILABLE, ErrorCode.RATE_LIMITED):
                lines.held_back(Provider.KLEN, CallKind.READ, code)

        assert [line["code"] for line in told] == ["RATE_LIMITED", "PROVIDER_UNAVAILABLE"]


def test_an_incident_is_one_line_of_json(configured: Configured) -> None:
    lines = configured()
    report("it_broke", KeyError("ines@aalto.test"), request_id="r1")

    (line,) = lines()
    assert (line["event"], line["error"], line["request_id"]) == ("it_broke", "KeyError", "r1")
