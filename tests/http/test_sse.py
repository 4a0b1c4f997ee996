"""Server-sent events, one connection for each operation: which requests get them, and how a stream begins and ends.

Source: graphql-sse, PROTOCOL.md, distinct connections mode.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from gateway.domain.caller import ANYBODY, Caller
from gateway.http.refusal import RequestRefused
from gateway.http.result import EventStream, GraphQLRequest
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from tests.http.live import Live, authenticated_by, until

EVENTS = "text/event-stream"
GRAPHQL_JSON = "application/graphql-response+json"
URQL = f"{GRAPHQL_JSON}, application/graphql+json, application/json, {EVENTS}, multipart/mixed"
WATCH = "subscription { providerStatusChanged(providers: [KLEN]) { provider state fault { code } } }"
LIST_KLEN = "{ contacts(first: 1, providers: [KLEN]) { sources { state } } }"
COMPLETE = ("complete", None)

pytestmark = pytest.mark.usefixtures("nothing_in_the_log")


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def ask(live: Live, query: str, accept: str = EVENTS, **headers: str) -> httpx.Response:
    return httpx.post(live.url, json={"query": query}, headers={"Accept": accept, **headers})


def events(text: str) -> list[tuple[str, Any]]:
    """Name and data of each event, as the HTML standard reads them; comments left out."""
    found: list[tuple[str, Any]] = []
    for block in text.split("\n\n"):
        fields = [line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":")]
        if fields:
            named = {name.rstrip(":"): value[0] if value else "" for name, *value in fields}
            found.append((named["event"], json.loads(named["data"]) if named["data"] else None))
    return found


@asynccontextmanager
async def watching(live: Live, method: str = "POST", query: str = WATCH) -> AsyncIterator[tuple[Any, Any]]:
    """The response and a function that awaits its next event."""
    what: Any = {"json": {"query": query}} if method == "POST" else {"params": {"query": query}}
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream(method, live.url, headers={"Accept": EVENTS}, **what) as reply,
    ):
        lines = reply.aiter_lines()

        async def following() -> Any:
            block = []
            async for line in lines:
                if not line and block:
                    return events("\n".join(block))[0]
                if line and not line.startswith(":"):
                    block.append(line)
            return None

        yield reply, following


class TestForm:
    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_a_subscription_tells_the_present_state_and_then_each_change(
        self, live: Live, sandbox: Sandbox, method: str
    ) -> None:
        async def test() -> None:
            async with httpx.AsyncClient() as client:
                await client.post(live.url, json={"query": LIST_KLEN})
                async with watching(live, method) as (reply, following):
                    assert reply.status_code == 200
                    up = {"provider": "KLEN", "state": "UP", "fault": None}
                    assert await following() == ("next", {"data": {"providerStatusChanged": up}})
                    sandbox.klen.faults.add(Fault(kind="status", status=429, retry_after_seconds=60, count=1))
                    await client.post(live.url, json={"query": LIST_KLEN})
                    limited = {"provider": "KLEN", "state": "LIMITED", "fault": {"code": "RATE_LIMITED"}}
                    assert await following() == ("next", {"data": {"providerStatusChanged": limited}})
                await client.post(live.url, json={"query": LIST_KLEN})

        run(test())

    def test_no_proxy_may_keep_or_collect_it(self, live: Live) -> None:
        headers = ask(live, "{ __typename }").headers

        assert headers["content-type"] == f"{EVENTS}; charset=utf-8"
        assert headers["cache-control"] == "no-cache"
        assert headers["x-accel-buffering"] == "no"
        assert "content-length" not in headers

    def test_a_complete_event_has_an_empty_data_field(self, live: Live) -> None:
        assert ask(live, "{ __typename }").text.endswith("\n\nevent: complete\ndata:\n\n")

    def test_silence_is_broken_by_comments(self, serve: Callable[..., Live]) -> None:
        live = serve(stream_keep_alive_seconds=0.05)

        async def test() -> None:
            async with watching(live) as (reply, _):
                seen = ""
                async with asyncio.timeout(10):
                    async for text in reply.aiter_text():
                        seen += text
                        if seen.count("\n:\n") >= 3:
                            break
                # The event that was there before is whole.
                assert [name for name, _ in events(seen)] == ["next"]

        run(test())


class TestWhoGetsEvents:
    @pytest.mark.parametrize(
        "query", ["{ __typename }", 'mutation { unlinkRecord(input: {recordId: "a"}) { status } }']
    )
    def test_who_merely_mentions_them_gets_json(self, live: Live, query: str) -> None:
        reply = ask(live, query, URQL)

        assert reply.headers["content-type"].startswith("application/")
        assert reply.json()

    def test_who_merely_mentions_them_gets_events_for_a_subscription(self, live: Live) -> None:
        async def test() -> None:
            async with httpx.AsyncClient() as client:
                headers = {"Accept": URQL}
                async with client.stream("POST", live.url, json={"query": WATCH}, headers=headers) as reply:
                    assert reply.headers["content-type"].startswith(EVENTS)
            await until(lambda: live.listeners == 0)

        run(test())

    def test_a_query_is_one_next_and_complete_for_who_takes_nothing_else(self, live: Live) -> None:
        assert events(ask(live, "{ __typename }").text) == [("next", {"data": {"__typename": "Query"}}), COMPLETE]

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("subscription { unknown }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { providerStatusChanged(providers: []) { state } }", "INVALID_INPUT"),
            (" ", "BAD_REQUEST"),
        ],
    )
    def test_what_cannot_run_is_told_as_an_event_or_as_json(self, live: Live, query: str, code: str) -> None:
        only, mixed = ask(live, query), ask(live, query, f"{EVENTS}, {GRAPHQL_JSON}")

        assert only.status_code == 200
        ((name, body), complete) = events(only.text)
        assert (name, complete) == ("next", COMPLETE)
        assert [error["extensions"]["code"] for error in body["errors"]] == [code]
        assert "data" not in body
        assert (mixed.status_code, mixed.json()["errors"][0]["extensions"]["code"]) == (400, code)

    def test_what_concerns_http_itself_stays_a_status(self, serve: Callable[..., Live]) -> None:
        async def nobody(_: str | None) -> Caller:
            raise RequestRefused(401, "UNAUTHENTICATED", "Who are you?")

        live = serve(authenticated_by(nobody))

        assert ask(live, WATCH).status_code == 401
        assert ask(live, WATCH, Origin="https://evil.test").status_code == 403

    @pytest.mark.parametrize("accept", ["application/json", GRAPHQL_JSON, "*/*"])
    def test_a_subscription_never_runs_for_who_takes_no_events(self, live: Live, accept: str) -> None:
        reply = ask(live, WATCH, accept)

        assert reply.status_code == 406
        assert reply.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"
        assert live.listeners == 0

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    def test_a_single_connection_is_not_offered(self, live: Live, method: str) -> None:
        reply = httpx.request(method, live.url, headers={"Accept": EVENTS})

        assert (reply.status_code, reply.headers["allow"]) == (405, "GET, POST")

    def test_a_mutation_is_not_sent_by_get(self, live: Live) -> None:
        reply = httpx.get(live.url, params={"query": "mutation { a }"}, headers={"Accept": EVENTS})

        assert reply.status_code == 405


class TestEnd:
    def test_a_client_that_goes_away_ends_its_subscription(self, live: Live) -> None:
        async def test() -> None:
            async with watching(live) as (_, following):
                await following()
                assert live.listeners == 1
            await until(lambda: live.listeners == 0)

        run(test())

    def test_a_stream_that_breaks_ends_with_an_error_that_tells_nothing(self, serve: Callable[..., Live]) -> None:
        async def two() -> Any:
            yield {"data": {"a": 1}}
            yield {"errors": [{"message": "Broken.", "extensions": {"code": "INTERNAL_ERROR"}}]}

        async def execute(_: GraphQLRequest) -> EventStream:
            return EventStream(two())

        live = serve(lambda services: replace(services, execute=execute))

        told = events(ask(live, WATCH).text)
        assert [name for name, _ in told] == ["next", "next", "complete"]

    def test_the_end_of_the_server_ends_the_stream(self, live: Live) -> None:
        async def test() -> None:
            async with watching(live) as (_, following):
                await following()
                live.services.ending.set()
                try:
                    assert await following() is None
                finally:
                    live.services.ending.clear()
            await until(lambda: live.listeners == 0)

        run(test())


class TestCredentials:
    def test_a_stream_ends_when_the_credential_does(self, serve: Callable[..., Live]) -> None:
        async def for_a_moment(_: str | None) -> Caller:
            ends = datetime.now(timezone.utc) + timedelta(seconds=0.2)
            return replace(ANYBODY, expires_at=ends)

        live = serve(authenticated_by(for_a_moment))

        # Without an event: complete, by which a client knows to come again and show a fresh one.
        assert [name for name, _ in events(ask(live, WATCH).text)] == ["next"]
