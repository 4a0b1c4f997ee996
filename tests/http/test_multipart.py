"""Answers in parts over HTTP: who gets them in which media type, and how multipart/mixed is framed.

Source: GraphQL over HTTP, RFC Incremental Delivery; RFC 1341, section 7.2; docs/adr/0012.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.domain.caller import ANYBODY, Caller
from gateway.http import negotiation
from gateway.http.ending import Ending
from gateway.http.multipart import MultipartResponse
from gateway.http.negotiation import Acceptable, acceptable
from gateway.http.refusal import RequestRefused
from gateway.http.result import AnswerInParts, Executed, GraphQLRequest
from gateway.settings import read_gateway_settings
from tests.conftest import BARE
from tests.http.live import Live, authenticated_by, heard, say, until
from tests.http.sockets import Wire, get, post
from tests.http.test_sse import COMPLETE, events
from tests.live import serving

MULTIPART, EVENTS, JSON = "multipart/mixed", "text/event-stream", "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
CONTENT_TYPE = 'multipart/mixed; boundary="-"; incrementalSpec=v0.2'
APOLLO = f"multipart/mixed;incrementalSpec=v0.2,{GRAPHQL_JSON},application/json;q=0.9"
OLD_APOLLO = APOLLO.replace("incrementalSpec=v0.2", "deferSpec=20220824")
URQL = f"{GRAPHQL_JSON}, application/graphql+json, {JSON}, {EVENTS}, {MULTIPART}"
GRAPHIQL = f"{JSON}, {MULTIPART}"

QUERY = "{ providers { provider } ... @defer { contacts(first: 1, providers: [KLEN]) { sources { state } } } }"
FIRST = {
    "data": {"providers": [{"provider": "GATELY"}, {"provider": "KLEN"}, {"provider": "COMETLY"}]},
    "pending": [{"id": "0", "path": []}],
    "hasNext": True,
}
LAST = {
    "incremental": [{"data": {"contacts": {"sources": [{"state": "OK"}]}}, "id": "0"}],
    "completed": [{"id": "0"}],
    "hasNext": False,
}
WHOLE = {"data": {**FIRST["data"], **LAST["incremental"][0]["data"]}}  # type: ignore[dict-item, index]

pytestmark = pytest.mark.usefixtures("nothing_in_the_log")


def ask(live: Live, accept: str | None, query: str = QUERY) -> httpx.Response:
    headers = {} if accept is None else {"Accept": accept}
    return httpx.post(live.url, json={"query": query}, headers=headers)


def parts(body: bytes) -> list[Any]:
    """What stands between the delimiters, the last of which has to be there."""
    before, *found = body.split(b"\r\n---")
    assert before == b""
    assert found.pop() == b"--\r\n"
    head = b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
    assert all(one.startswith(head) for one in found)
    return [json.loads(one.removeprefix(head)) for one in found]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, Acceptable(JSON, stream=False)),
        ("*/*", Acceptable(JSON, stream=False)),
        (JSON, Acceptable(JSON, stream=False)),
        ("multipart/*", None),
        (MULTIPART, Acceptable(None, stream=False, parts=MULTIPART)),
        ("Multipart/Mixed", Acceptable(None, stream=False, parts=MULTIPART)),
        ('multipart/mixed; boundary="-"; incrementalSpec="v0.2"', Acceptable(None, stream=False, parts=MULTIPART)),
        ("multipart/mixed;incrementalDeliverySpec=3283f8a", Acceptable(None, stream=False, parts=MULTIPART)),
        ("multipart/mixed;deferSpec=20220824", None),
        ("multipart/mixed;incrementalSpec=v0.1", None),
        ("multipart/mixed;subscriptionSpec=1.0", None),
        ("multipart/mixed;q=0", None),
        (APOLLO, Acceptable(GRAPHQL_JSON, stream=False, parts=MULTIPART)),
        (OLD_APOLLO, Acceptable(GRAPHQL_JSON, stream=False)),
        (f"{OLD_APOLLO},{APOLLO}", Acceptable(GRAPHQL_JSON, stream=False, parts=MULTIPART)),
        (URQL, Acceptable(GRAPHQL_JSON, stream=True, parts=MULTIPART)),
        (GRAPHIQL, Acceptable(JSON, stream=False, parts=MULTIPART)),
        (EVENTS, Acceptable(None, stream=True, parts=EVENTS)),
        (f"{EVENTS};q=0", None),
        (f"{JSON}, {EVENTS};q=0", Acceptable(JSON, stream=False)),
        (f"{JSON};q=0, {EVENTS}", Acceptable(None, stream=True, parts=EVENTS)),
        (f"{EVENTS}, {JSON}", Acceptable(JSON, stream=True, parts=EVENTS)),
        (f"{EVENTS}, {MULTIPART};q=0.9", Acceptable(None, stream=True, parts=EVENTS)),
        (f"{JSON}, {MULTIPART};q=0.9", Acceptable(JSON, stream=False)),
        (f"{JSON};q=0.5, {MULTIPART};q=0.9", Acceptable(JSON, stream=False, parts=MULTIPART)),
    ],
)
def test_the_accept_header_says_in_what_form_parts_are_taken(accept: str | None, expected: Acceptable | None) -> None:
    if expected is not None:
        assert acceptable(accept) == expected
        return
    with pytest.raises(RequestRefused) as refused:
        acceptable(accept)
    assert refused.value.status == 406


def test_what_an_accept_header_means_is_remembered_in_bounds() -> None:
    """Who sends ever new ones, or long ones, takes no memory."""
    kept = negotiation._remembered
    for number in range(1_000):
        assert acceptable(f"{JSON};x={number}") == Acceptable(JSON, stream=False)
    known = kept.cache_info()
    assert known.maxsize is not None
    assert known.currsize == known.maxsize < 1_000

    assert acceptable(f"{JSON};x={'x' * 1_000}") == Acceptable(JSON, stream=False)
    assert kept.cache_info() == known
    assert acceptable(f"{JSON};x=999") == Acceptable(JSON, stream=False)
    assert kept.cache_info().hits == known.hits + 1


def test_a_refusal_is_made_anew_each_time() -> None:
    """One that is raised again keeps the frames of every request that it was raised for."""
    refusals = []
    for _ in range(2):
        with pytest.raises(RequestRefused) as refused:
            acceptable("text/csv")
        refusals.append(refused.value)
    assert refusals[0] is not refusals[1]


def test_who_takes_another_format_only_is_told_which_is_spoken(live: Live) -> None:
    reply = ask(live, "multipart/mixed;deferSpec=20220824")

    assert reply.status_code == 406
    assert reply.json()["errors"][0]["message"].endswith(
        "Its answers in parts are multipart/mixed;incrementalSpec=v0.2 and of no other format."
    )


@pytest.mark.parametrize("accept", [APOLLO, URQL, GRAPHIQL, MULTIPART])
def test_parts_come_as_multipart(live: Live, accept: str) -> None:
    reply = ask(live, accept)

    assert (reply.status_code, reply.headers["content-type"]) == (200, CONTENT_TYPE)
    assert (reply.headers["cache-control"], reply.headers["vary"]) == ("no-cache", "Accept, Origin")
    assert parts(reply.content) == [FIRST, LAST]


def test_parts_come_as_events(live: Live) -> None:
    reply = ask(live, EVENTS)

    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert events(reply.text) == [("next", FIRST), ("next", LAST), COMPLETE]


def test_parts_come_over_websocket(live: Live) -> None:
    async def test() -> None:
        async with live.acknowledged() as socket:
            await say(socket, {"id": "1", "type": "subscribe", "payload": {"query": QUERY}})
            assert await heard(socket) == {"id": "1", "type": "next", "payload": FIRST}
            assert await heard(socket) == {"id": "1", "type": "next", "payload": LAST}
            assert await heard(socket) == {"id": "1", "type": "complete"}

    asyncio.run(test())


@pytest.mark.parametrize("accept", [None, "*/*", JSON, OLD_APOLLO])
def test_who_takes_no_parts_gets_one_whole_answer(live: Live, accept: str | None) -> None:
    reply = ask(live, accept)

    assert (reply.status_code, reply.json()) == (200, WHOLE)


@pytest.mark.parametrize("accept", [APOLLO, URQL, GRAPHIQL])
def test_what_puts_nothing_off_is_answered_by_json(live: Live, accept: str) -> None:
    reply = ask(live, accept, "{ providers { provider } }")

    assert reply.json() == {"data": FIRST["data"]}


def test_who_takes_nothing_but_multipart_gets_one_part(live: Live) -> None:
    one = ask(live, MULTIPART, "{ providers { provider } }")
    wrong = ask(live, MULTIPART, "{ providers")

    assert (one.headers["content-type"], parts(one.content)) == (CONTENT_TYPE, [{"data": FIRST["data"]}])
    (refused,) = parts(wrong.content)
    assert refused["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


def test_a_subscription_is_not_answered_as_multipart(live: Live) -> None:
    reply = ask(live, MULTIPART, "subscription { providerStatusChanged { state } }")

    assert reply.status_code == 406


def test_the_cost_stands_in_the_first_part(serve: Callable[..., Live]) -> None:
    first, last = parts(ask(serve(tell_cost="on"), APOLLO).content)

    assert first["extensions"]["cost"]["allowed"] == 10_000
    assert "extensions" not in last


class Scripted:
    """An executor whose second part comes when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.closed = False

    async def __call__(self, _: GraphQLRequest) -> Executed:
        self._loop = asyncio.get_running_loop()
        return AnswerInParts(self._parts())

    def call(self, function: Callable[[], object]) -> None:
        """In the event loop of the server."""
        self._loop.call_soon_threadsafe(function)

    async def _parts(self) -> Any:
        try:
            yield {"data": {"a": 1}, "pending": [{"id": "0", "path": []}], "hasNext": True}
            await self.let.wait()
            yield {"completed": [{"id": "0"}], "hasNext": False}
        finally:
            self.closed = True


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def scripted_live(serve: Callable[..., Live], scripted: Scripted) -> Live:
    return serve(lambda services: replace(services, execute=scripted))


REQUEST = post(b'{"query":"{ a }"}', b"Accept: multipart/mixed")
OPENED = (
    b'\r\n---\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{"data":{"a":1},"pending":[{"id":"0","path":[]}],'
    b'"hasNext":true}\r\n---'
)


def chunk(wire: Wire) -> bytes:
    size = b""
    while not size.endswith(b"\r\n"):
        size += wire.take(1)
    return wire.take(int(size, 16) + 2)[:-2]


def test_each_part_is_whole_on_the_wire_before_the_next_is_ready(
    live: Live, scripted_live: Live, scripted: Scripted
) -> None:
    with Wire(scripted_live.port) as wire:
        assert wire.send(REQUEST).answer(to_head=True).headers["transfer-encoding"] == "chunked"
        told = b""
        while len(told) < len(OPENED):
            told += chunk(wire)
        assert told == OPENED
        scripted.call(scripted.let.set)
        rest = b""
        while piece := chunk(wire):
            rest += piece
        assert parts(told + rest)[1] == {"completed": [{"id": "0"}], "hasNext": False}


def test_a_client_that_goes_away_ends_its_parts(scripted_live: Live, scripted: Scripted) -> None:
    with Wire(scripted_live.port) as wire:
        wire.send(REQUEST).answer(to_head=True)

    asyncio.run(until(lambda: scripted.closed))


def test_the_end_of_the_server_breaks_the_parts_off_visibly(scripted_live: Live, scripted: Scripted) -> None:
    with Wire(scripted_live.port) as wire:
        wire.send(REQUEST).answer(to_head=True)
        chunk(wire)
        chunk(wire)
        scripted.call(scripted_live.services.ending.set)
        # No last delimiter.
        assert chunk(wire) == b""

    asyncio.run(until(lambda: scripted.closed))


def test_parts_end_when_the_credential_does(serve: Callable[..., Live], scripted: Scripted) -> None:
    async def for_a_moment(_: str | None) -> Caller:
        return replace(ANYBODY, expires_at=datetime.now(timezone.utc) + timedelta(seconds=0.05))

    live = serve(lambda services: replace(authenticated_by(for_a_moment)(services), execute=scripted))

    assert httpx.post(live.url, json={"query": "{ a }"}, headers={"Accept": MULTIPART}).content == OPENED
    assert scripted.closed


def test_a_websocket_that_completes_ends_its_parts(scripted_live: Live, scripted: Scripted) -> None:
    async def test() -> None:
        async with scripted_live.acknowledged() as socket:
            await say(socket, {"id": "1", "type": "subscribe", "payload": {"query": "{ a }"}})
            await heard(socket)
            await say(socket, {"id": "1", "type": "complete"})
            await until(lambda: scripted.closed)

    asyncio.run(test())


def test_whoever_does_not_read_its_parts_is_dropped(tmp_path: Path) -> None:
    """What is not taken is not made: one part at a time waits in the connection, and not for long."""
    settings = read_gateway_settings(
        database_url=f"sqlite:///{tmp_path}/gateway.db", **{**BARE, "write_timeout_seconds": 0.05}
    )
    services: Any = SimpleNamespace(ending=Ending(), settings=settings)
    made, closed = [0], threading.Event()

    async def endless() -> Any:
        try:
            while True:
                made[0] += 1
                yield {"data": "x" * 1_000_000, "hasNext": True}
        finally:
            closed.set()

    async def answer(_: Request) -> Response:
        return MultipartResponse(endless(), services, ANYBODY)

    app = Starlette(routes=[Route("/parts", answer)])
    app.state.services = services
    with serving(app, settings) as served, Wire(served.port) as wire:
        wire.send(get(b"/parts")).answer(to_head=True)
        assert closed.wait(10)
    assert made[0] < 50


def test_parts_that_were_never_begun_are_closed_too() -> None:
    class Unbegun:
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    async def gone(_: Any) -> None:
        raise OSError

    results: Any = Unbegun()
    nothing: Any = None
    with pytest.raises(OSError):  # noqa: PT011  (it has no text)
        asyncio.run(MultipartResponse(results, nothing, ANYBODY)(nothing, nothing, gone))

    assert results.closed
