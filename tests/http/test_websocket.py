"""graphql-transport-ws at /graphql: the protocol message by message, and what ends a connection.

Source: graphql-ws, PROTOCOL.md.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
import websockets

from gateway.domain.caller import ANYBODY, Caller
from gateway.http.refusal import RequestRefused
from gateway.http.result import GraphQLRequest
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from resolvers.execution import Executor
from tests.http.live import PROTOCOL, Live, authenticated_by, closed, heard, say, until

WATCH = "subscription { providerStatusChanged(providers: [GATELY]) { provider state fault { code } limitedUntil } }"
LIST_GATELY = "{ contacts(first: 1, providers: [GATELY]) { sources { state } } }"
CREATE = """mutation { createContact(input: {providers: [KLEN], firstName: "Ines", emails: [{address: "i@x.test"}]}) {
  status } }"""

pytestmark = pytest.mark.usefixtures("nothing_in_the_log")


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def subscribe(query: str, id: str = "1", **payload: Any) -> dict[str, Any]:
    return {"id": id, "type": "subscribe", "payload": {"query": query, **payload}}


class TestHandshake:
    @pytest.mark.parametrize("offered", [None, ["graphql-ws"], ["soap", "mqtt"]])
    def test_another_sub_protocol_or_none_is_4406(self, live: Live, offered: Any) -> None:
        async def test() -> None:
            async with live.socket(subprotocols=offered) as socket:
                assert socket.subprotocol is None
                assert (await closed(socket))[0] == 4406

        run(test())

    def test_the_protocol_is_found_among_others(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged(subprotocols=["graphql-ws", PROTOCOL]) as socket:
                assert socket.subprotocol == PROTOCOL

        run(test())

    @pytest.mark.parametrize(
        "headers",
        [{"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
        ids=["origin", "no origin of its own", "fetch metadata"],
    )
    def test_a_page_from_elsewhere_gets_403_before_anything(self, live: Live, headers: dict[str, str]) -> None:
        async def test() -> None:
            with pytest.raises(websockets.InvalidStatus) as refused:
                async with live.socket(additional_headers=headers):
                    pass
            response = refused.value.response
            assert response.status_code == 403
            assert json.loads(response.body)["errors"][0]["extensions"] == {"code": "CROSS_SITE_REQUEST"}

        run(test())

    def test_a_page_of_our_own_or_of_an_allowed_origin_is_let_in(self, serve: Callable[..., Live]) -> None:
        live = serve(cors_origins="https://app.test")

        async def test() -> None:
            for origin in ("https://app.test", f"http://127.0.0.1:{live.port}"):
                async with live.acknowledged(additional_headers={"Origin": origin}):
                    pass

        run(test())


class TestConnectionInit:
    def test_without_it_the_connection_ends_with_4408(self, serve: Callable[..., Live]) -> None:
        live = serve(websocket_init_seconds=0.05)

        async def test() -> None:
            async with live.socket() as socket:
                assert await closed(socket) == (4408, "Connection initialisation timeout")

        run(test())

    def test_the_time_for_it_is_over_once_it_came(self, serve: Callable[..., Live]) -> None:
        live = serve(websocket_init_seconds=0.2)

        async def test() -> None:
            async with live.acknowledged() as socket:
                await asyncio.sleep(0.3)
                await say(socket, {"type": "ping"})
                assert await heard(socket) == {"type": "pong"}

        run(test())

    def test_a_second_one_is_4429(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, {"type": "connection_init"})
                assert await closed(socket) == (4429, "Too many initialisation requests")

        run(test())

    def test_an_operation_before_it_is_4401(self, live: Live) -> None:
        async def test() -> None:
            async with live.socket() as socket:
                await say(socket, subscribe("{ __typename }"))
                assert await closed(socket) == (4401, "Unauthorized")

        run(test())

    @pytest.mark.parametrize("payload", [None, {}, {"any": ["thing"]}])
    def test_a_payload_may_hold_anything(self, live: Live, payload: Any) -> None:
        async def test() -> None:
            async with live.socket() as socket:
                await say(socket, {"type": "connection_init", "payload": payload})
                assert await heard(socket) == {"type": "connection_ack"}

        run(test())


class TestAuthentication:
    @pytest.mark.parametrize(
        ("headers", "payload"),
        [
            ({"Authorization": "Bearer good"}, None),
            ({"Authorization": "Bearer good"}, {"authorization": "Bearer bad"}),
            ({}, {"authorization": "Bearer good"}),
            ({}, {"Authorization": "Bearer good"}),
        ],
    )
    def test_the_credential_comes_with_the_handshake_or_else_with_the_first_message(
        self, serve: Callable[..., Live], headers: dict[str, str], payload: Any
    ) -> None:
        live = serve(authenticated_by(only_good))

        async def test() -> None:
            async with live.socket(additional_headers=headers) as socket:
                await say(socket, {"type": "connection_init", "payload": payload})
                assert await heard(socket) == {"type": "connection_ack"}

        run(test())

    @pytest.mark.parametrize(
        ("headers", "payload"),
        [
            ({}, None),
            ({}, {"authorization": "Bearer bad"}),
            ({"Authorization": "bad"}, {"authorization": "Bearer good"}),
        ],
    )
    def test_who_may_not_is_closed_with_4403(
        self, serve: Callable[..., Live], headers: dict[str, str], payload: Any
    ) -> None:
        live = serve(authenticated_by(only_good))

        async def test() -> None:
            async with live.socket(additional_headers=headers) as socket:
                await say(socket, {"type": "connection_init", "payload": payload})
                assert await closed(socket) == (4403, "Who are you?")

        run(test())

    def test_a_credential_that_is_no_text_is_4400(self, live: Live) -> None:
        async def test() -> None:
            async with live.socket() as socket:
                await say(socket, {"type": "connection_init", "payload": {"authorization": 1}})
                assert (await closed(socket))[0] == 4400

        run(test())

    def test_the_connection_ends_when_the_credential_does(self, serve: Callable[..., Live]) -> None:
        async def for_a_moment(_: str | None) -> Caller:
            ends = datetime.now(timezone.utc) + timedelta(seconds=0.2)
            return Caller(id="a", may_read=ANYBODY.may_read, may_write=ANYBODY.may_write, expires_at=ends)

        live = serve(authenticated_by(for_a_moment))

        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, subscribe(WATCH))
                assert (await heard(socket))["type"] == "next"
                code, reason = await closed(socket)
                assert (code, reason.split(":")[0]) == (4403, "Expired")
            await until(lambda: live.listeners == 0)

        run(test())


async def only_good(authorization: str | None) -> Caller:
    if authorization != "Bearer good":
        raise RequestRefused(401, "UNAUTHENTICATED", "Who are you?")
    return ANYBODY


class TestOperations:
    def test_a_query_is_one_next_and_complete(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(
                    socket, subscribe("query A { __typename } query B { nodes(ids: []) { id } }", operationName="A")
                )
                assert await heard(socket) == {"id": "1", "type": "next", "payload": {"data": {"__typename": "Query"}}}
                assert await heard(socket) == {"id": "1", "type": "complete"}

        run(test())

    def test_a_mutation_is_one_next_and_complete(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, subscribe(CREATE))
                assert (await heard(socket))["payload"] == {"data": {"createContact": {"status": "SUCCEEDED"}}}
                assert await heard(socket) == {"id": "1", "type": "complete"}

        run(test())

    def test_an_error_of_a_field_is_a_result(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, subscribe('{ node(id: "x") { id } }'))
                told = await heard(socket)
                assert (told["type"], told["payload"]["data"]) == ("next", {"node": None})
                assert [error["path"] for error in told["payload"]["errors"]] == [["node"]]
                assert await heard(socket) == {"id": "1", "type": "complete"}

        run(test())

    @pytest.mark.parametrize(
        ("payload", "code"),
        [
            ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
            ({"query": "{ unknown }"}, "GRAPHQL_VALIDATION_FAILED"),
            ({"query": "query($a: Int!) { contacts(first: $a) { totalCount } }"}, "BAD_USER_INPUT"),
            ({"query": "{ __typename }", "operationName": "Missing"}, "OPERATION_RESOLUTION_FAILURE"),
            ({"query": "subscription { providerStatusChanged(providers: []) { state } }"}, "INVALID_INPUT"),
            ({"query": " "}, "BAD_REQUEST"),
        ],
    )
    def test_what_cannot_run_is_an_error_and_the_connection_goes_on(
        self, live: Live, payload: dict[str, Any], code: str
    ) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, {"id": "1", "type": "subscribe", "payload": payload})
                told = await heard(socket)
                assert (told["id"], told["type"]) == ("1", "error")
                assert [error["extensions"]["code"] for error in told["payload"]] == [code]
                await say(socket, subscribe("{ __typename }"))
                assert (await heard(socket))["type"] == "next"

        run(test())

    def test_a_subscription_tells_the_present_state_and_then_each_change(self, live: Live, sandbox: Sandbox) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket, httpx.AsyncClient() as client:
                await client.post(live.url, json={"query": LIST_GATELY})
                await say(socket, subscribe(WATCH))
                up = {"provider": "GATELY", "state": "UP", "fault": None, "limitedUntil": None}
                assert (await heard(socket))["payload"] == {"data": {"providerStatusChanged": up}}

                sandbox.gately.faults.add(Fault(kind="status", status=500, count=1))
                await client.post(live.url, json={"query": LIST_GATELY})
                failing = {**up, "state": "FAILING", "fault": {"code": "PROVIDER_ERROR"}}
                assert (await heard(socket))["payload"] == {"data": {"providerStatusChanged": failing}}

                await client.post(live.url, json={"query": LIST_GATELY})
                assert (await heard(socket))["payload"] == {"data": {"providerStatusChanged": up}}

        run(test())

    def test_completing_it_ends_it_and_frees_its_id(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                for _ in range(3):
                    await say(socket, subscribe(WATCH))
                    assert (await heard(socket))["type"] == "next"
                    assert live.listeners == 1
                    await say(socket, {"id": "1", "type": "complete"})
                    await until(lambda: live.listeners == 0)

        run(test())

    def test_an_id_is_free_as_soon_as_its_operation_is_complete(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                for _ in range(20):
                    await say(socket, subscribe("{ __typename }"))
                    assert [(await heard(socket))["type"] for _ in range(2)] == ["next", "complete"]

        run(test())

    def test_completing_what_is_not_there_is_passed_over(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, {"id": "never", "type": "complete"})
                await say(socket, {"type": "ping", "payload": {"a": 1}})
                assert await heard(socket) == {"type": "pong", "payload": {"a": 1}}

        run(test())

    def test_an_id_that_is_in_use_is_4409(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, subscribe(WATCH))
                await say(socket, subscribe("{ __typename }"))
                assert await closed(socket) == (4409, "Subscriber for 1 already exists")
            await until(lambda: live.listeners == 0)

        run(test())

    def test_more_operations_than_allowed_are_refused_one_by_one(self, serve: Callable[..., Live]) -> None:
        live = serve(max_subscriptions=1)

        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, subscribe(WATCH, "1"))
                assert (await heard(socket))["type"] == "next"
                await say(socket, subscribe("{ __typename }", "2"))
                told = await heard(socket)
                assert (told["id"], told["type"]) == ("2", "error")
                assert told["payload"][0]["extensions"] == {
                    "code": "LIMIT_EXCEEDED",
                    "limit": "maxSubscriptions",
                    "allowed": 1,
                    "measured": 2,
                }
                await say(socket, {"id": "1", "type": "complete"})
                await say(socket, subscribe("{ __typename }", "2"))
                assert (await heard(socket))["type"] == "next"

        run(test())


class TestLeaving:
    def test_a_client_that_goes_away_ends_its_subscriptions(self, live: Live) -> None:
        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, subscribe(WATCH))
                await heard(socket)
                assert live.listeners == 1
                socket.transport.abort()
            await until(lambda: live.listeners == 0)

        run(test())

    @pytest.mark.parametrize("how", ["complete", "close", "abort"])
    def test_its_queries_are_broken_off(self, serve: Callable[..., Live], how: str) -> None:
        endless = Endless()
        live = serve(lambda services: replace(services, execute=endless))

        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, subscribe("{ __typename }"))
                await until(lambda: endless.begun)
                if how == "close":
                    await socket.close()
                elif how == "abort":
                    socket.transport.abort()
                else:
                    await say(socket, {"id": "1", "type": "complete"})
                    await say(socket, {"type": "ping"})
                    # Nothing of the query comes any more.
                    assert await heard(socket) == {"type": "pong"}
                await until(lambda: endless.broken_off)

        run(test())

    @pytest.mark.parametrize("how", ["complete", "abort"])
    def test_a_mutation_that_has_begun_runs_to_its_end(self, live: Live, sandbox: Sandbox, how: str) -> None:
        before = len(sandbox.klen.contacts)
        sandbox.klen.faults.add(Fault(kind="slow", operation="create", delay_ms=150))
        execute = live.services.execute
        assert isinstance(execute, Executor)
        mutations = execute._mutations

        async def test() -> None:
            async with live.acknowledged() as socket:
                await say(socket, subscribe(CREATE.replace("i@x", f"{how}@x")))
                await until(lambda: bool(sandbox.klen.requests))
                if how == "abort":
                    socket.transport.abort()
                else:
                    await say(socket, {"id": "1", "type": "complete"})
                begun = set(mutations)
                assert begun
                await until(lambda: not mutations)
                assert not any(mutation.cancelled() for mutation in begun)

        run(test())
        assert len(sandbox.klen.contacts) == before + 1


class Endless:
    """Executes for ever, until it is broken off."""

    def __init__(self) -> None:
        self.begun = self.broken_off = False

    async def __call__(self, _: GraphQLRequest) -> Any:
        self.begun = True
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.broken_off = True
            raise
