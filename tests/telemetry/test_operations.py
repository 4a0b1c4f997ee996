"""How an operation ended: told once, whatever the transport, in its own context until the last result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import websockets
from structlog.contextvars import get_contextvars

from gateway.domain.caller import ANYBODY
from gateway.http.refusal import RequestRefused
from gateway.http.result import AnswerInParts, EventStream, GraphQLRequest, GraphQLResult, OperationKind
from gateway.main import build_app, telemetry_of
from gateway.settings import read_gateway_settings
from gateway.telemetry.observer import Ended, Observation, OperationObserver, OperationOutcome
from gateway.telemetry.operations import ObservedExecute
from tests.http.live import PROTOCOL, heard, say
from tests.live import serving
from tests.telemetry.conftest import counted, samples_in

REQUEST = GraphQLRequest(request_id="r1", caller=ANYBODY, query="{ a }")
ERROR = {"message": "No.", "extensions": {"code": "NOT_FOUND"}}
inside: ContextVar[bool] = ContextVar("inside", default=False)


@dataclass
class Observing(OperationObserver):
    """Remembers what it is told; whatever belongs to an operation sees `inside`."""

    told: list[Any] = field(default_factory=list)

    def begin(self, request: GraphQLRequest, kind: OperationKind, name: str | None) -> Observation:
        self.told.append(("begin", kind.value, name))
        return self

    @contextmanager
    def _inside(self) -> Iterator[None]:
        token = inside.set(True)
        try:
            yield
        finally:
            inside.reset(token)

    def current(self) -> AbstractContextManager[None]:
        return self._inside()

    def end(self, ended: Ended) -> None:
        self.told.append(("end", ended.outcome.value))

    def ended(self, request: GraphQLRequest, ended: Ended) -> None:
        self.told.append((ended.kind and ended.kind.value, ended.outcome.value, ended.codes, ended.seconds))


def executed(execute: Any) -> tuple[Observing, Any]:
    """With a clock that goes on by one second at each look."""
    seconds = iter(range(100))
    observing = Observing()

    async def run() -> Any:
        result = await ObservedExecute(execute, (observing,), clock=lambda: next(seconds))(REQUEST)
        assert not inside.get()
        if isinstance(result, EventStream):
            return [body async for body in result.events]
        return result

    return observing, asyncio.run(run())


def test_whoever_asked_to_hear_of_the_beginning_hears_of_it_too() -> None:
    heard_of: list[Any] = []
    request = msgspec.structs.replace(REQUEST, begins=lambda *begun: heard_of.append((begun, inside.get())))

    async def execute(asked: GraphQLRequest) -> GraphQLResult:
        asked.begins(OperationKind.QUERY, "Q")
        return GraphQLResult(body={"data": {}})

    asyncio.run(ObservedExecute(execute, (Observing(),))(request))

    assert heard_of == [((OperationKind.QUERY, "Q"), True)]


def answering(body: dict[str, Any]) -> Any:
    async def execute(request: GraphQLRequest) -> GraphQLResult:
        request.begins(OperationKind.QUERY, "Mine")
        assert inside.get()
        return GraphQLResult(body=body)

    return execute


@pytest.mark.parametrize(
    ("body", "outcome", "codes"),
    [
        ({"data": {"a": 1}}, "ok", ()),
        ({"data": {"a": None}}, "ok", ()),
        ({"data": {"a": 1, "b": None}, "errors": [ERROR]}, "partial", ("NOT_FOUND",)),
        ({"data": {"a": None}, "errors": [ERROR]}, "failed", ("NOT_FOUND",)),
        ({"data": None, "errors": [ERROR]}, "failed", ("NOT_FOUND",)),
        ({"errors": [ERROR]}, "refused", ("NOT_FOUND",)),
        ({"data": {"a": 1}, "errors": [{"message": "No."}]}, "partial", ("other",)),
    ],
)
def test_an_answer_tells_its_outcome(body: dict[str, Any], outcome: str, codes: tuple[str, ...]) -> None:
    observing, result = executed(answering(body))

    assert result.body == body
    assert observing.told == [("begin", "query", "Mine"), ("end", outcome), ("query", outcome, codes, 1)]


def test_what_is_refused_before_it_is_chosen_is_an_operation_of_no_kind() -> None:
    async def execute(_: GraphQLRequest) -> GraphQLResult:
        return GraphQLResult(body={"errors": [ERROR]}, status=400)

    observing, _ = executed(execute)

    assert observing.told == [(None, "refused", ("NOT_FOUND",), 1)]


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (RequestRefused(403, "FORBIDDEN", "No."), "refused"),
        (KeyError(), "failed"),
        (asyncio.CancelledError(), "abandoned"),
    ],
    ids=repr,
)
def test_what_is_raised_is_told_and_goes_on(raised: BaseException, outcome: str) -> None:
    observing = Observing()

    async def execute(request: GraphQLRequest) -> GraphQLResult:
        request.begins(OperationKind.QUERY, None)
        raise raised

    async def run() -> None:
        with pytest.raises(type(raised)):
            await ObservedExecute(execute, (observing,))(REQUEST)
        assert not inside.get()

    asyncio.run(run())
    assert observing.told[1] == ("end", outcome)
    assert [one[1] for one in observing.told[2:]] == [outcome]


def streaming(*bodies: dict[str, Any]) -> Any:
    async def events() -> AsyncGenerator[dict[str, Any], None]:
        for body in bodies:
            assert inside.get()
            yield body

    async def execute(request: GraphQLRequest) -> EventStream:
        request.begins(OperationKind.QUERY, None)
        return EventStream(events())

    return execute


@pytest.mark.parametrize(
    ("bodies", "outcome"),
    [
        ([{"data": {"a": 1}}, {"incremental": [{"data": {"b": 1}}]}], "ok"),
        ([{"data": {"a": 1}}, {"incremental": [{"items": None, "errors": [ERROR]}]}], "partial"),
        ([{"data": {"a": 1}}, {"completed": [{"id": "0", "errors": [ERROR]}]}], "partial"),
        ([{"data": {"a": 1}}, {"errors": [ERROR]}], "partial"),
        ([], "ok"),
    ],
)
def test_a_stream_is_told_when_it_is_over(bodies: list[dict[str, Any]], outcome: str) -> None:
    observing, told = executed(streaming(*bodies))

    assert told == bodies
    assert [one[:2] for one in observing.told] == [("begin", "query"), ("end", outcome), ("query", outcome)]


def test_a_stream_that_nobody_takes_to_its_end_is_over_too() -> None:
    observing = Observing()

    async def run() -> None:
        result = await ObservedExecute(streaming({"data": {"a": 1}}, {"data": {"a": 2}}), (observing,))(REQUEST)
        assert isinstance(result, EventStream)
        # Each step in a task of its own, as a transport takes them.
        assert await asyncio.ensure_future(anext(result.events)) == {"data": {"a": 1}}
        assert ("end", "ok") not in observing.told
        await result.events.aclose()

    asyncio.run(run())
    assert ("end", OperationOutcome.OK.value) in observing.told


@pytest.mark.parametrize(
    ("taken", "outcome"),
    [(0, "abandoned"), (1, "abandoned"), (2, "ok")],
    ids=["before the first part", "between parts", "after the last part"],
)
def test_parts_that_nobody_takes_to_their_end_are_abandoned(taken: int, outcome: str) -> None:
    observing = Observing()
    bodies = [{"data": {"a": 1}, "hasNext": True}, {"completed": [{"id": "0"}], "hasNext": False}]

    async def execute(request: GraphQLRequest) -> AnswerInParts:
        return AnswerInParts((await streaming(*bodies)(request)).events)

    async def run() -> None:
        result = await ObservedExecute(execute, (observing,))(REQUEST)
        assert isinstance(result, AnswerInParts)
        assert [await anext(result.parts) for _ in range(taken)] == bodies[:taken]
        await result.parts.aclose()

    asyncio.run(run())
    assert [one[:2] for one in observing.told] == [("begin", "query"), ("end", outcome), ("query", outcome)]


def test_the_line_of_a_request_tells_how_its_stream_ended_whichever_task_took_it() -> None:
    async def run() -> object:
        result = await ObservedExecute(streaming({"data": {"a": 1}}), (Observing(),))(REQUEST)
        assert isinstance(result, EventStream)

        async def take() -> None:
            assert [body async for body in result.events] == [{"data": {"a": 1}}]

        await asyncio.create_task(take())
        await result.events.aclose()
        return get_contextvars().get("outcome")

    assert asyncio.run(run()) == "ok"


def test_a_stream_without_end_keeps_no_end_of_codes() -> None:
    observing, _ = executed(streaming(*[{"data": None, "errors": [ERROR]}] * 500))

    assert len(observing.told[-1][2]) == 100


def test_over_a_websocket_everything_is_counted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_gateway_settings(database_url=f"sqlite:///{tmp_path}/gateway.db", metrics="on")
    telemetry = telemetry_of(settings)

    async def talk(port: int) -> None:

        url = f"ws://127.0.0.1:{port}/graphql"
        async with websockets.connect(url, subprotocols=[PROTOCOL], proxy=None) as socket:
            await say(socket, {"type": "connection_init"})
            await heard(socket)
            for number, payload in (("1", {"query": "{ __typename }"}), ("2", {"documentId": "none"})):
                await say(socket, {"id": number, "type": "subscribe", "payload": payload})
                while (await heard(socket))["type"] == "next":
                    pass

    with serving(build_app(settings, {}, telemetry), settings) as served:
        asyncio.run(talk(served.port))
        text = httpx.get(f"http://127.0.0.1:{served.port}/metrics", trust_env=False).text

    found = samples_in(text)
    assert counted(found, "operations_total") == {("query", "ok"): 1}
    assert counted(found, "errors_total") == {("PERSISTED_QUERY_NOT_SUPPORTED",): 1}
    assert counted(found, "requests_in_flight") == {(): 1}
