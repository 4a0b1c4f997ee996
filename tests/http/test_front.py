"""What the front does when whoever answers breaks, is cancelled or serves everybody with one answer."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, get_contextvars

from gateway.http.allowed_hosts import AllowedHosts
from gateway.http.cross_origin import CrossOrigin
from gateway.http.front import Front
from gateway.http.security_headers import SecurityHeaders
from gateway.http.traffic import Served, Traffic

BODY: Message = {"type": "http.response.body", "body": b""}
HANDSHAKE: Message = {"type": "websocket.http.response.start", "status": 403}


def start(*headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": 200, "headers": list(headers)}


class Heard(Traffic):
    def __init__(self) -> None:
        self.events: list[object] = []

    def came(self) -> None:
        self.events.append("came")

    def left(self, served: Served) -> None:
        self.events.append((served.status, served.code))


class Asked:
    """One request to a front whose routes and endpoint are `app`; what comes of it."""

    def __init__(self, app: Any, *, kind: str = "http", path: str = "/graphql", ending: bool = False) -> None:
        self.sent: list[Message] = []
        self.heard = Heard()
        self._front = Front(
            app,
            path="/graphql",
            endpoint=app,
            hosts=AllowedHosts(()),
            cross_origin=CrossOrigin(()),
            security=SecurityHeaders(production=False),
            traffic=self.heard,
        )
        services = SimpleNamespace(ending=asyncio.Event())
        if ending:
            services.ending.set()
        self.scope: Scope = {
            "type": kind,
            "method": "POST",
            "path": path,
            "headers": [(b"host", b"localhost")],
            "app": SimpleNamespace(state=SimpleNamespace(services=services)),
        }

    async def __call__(self) -> "Asked":
        async def receive() -> Message:
            raise AssertionError

        async def send(message: Message) -> None:
            self.sent.append(message)

        await self._front(self.scope, receive, send)
        return self

    @property
    def statuses(self) -> list[int]:
        return [message["status"] for message in self.sent if "status" in message]


def sends(*messages: Message, then: BaseException | None = None) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        if then is not None:
            raise then

    return app


def ask(app: Any, **how: Any) -> Asked:
    async def asked() -> Asked:
        return await Asked(app, **how)()

    return asyncio.run(asked())


@pytest.mark.parametrize("path", ["/graphql", "/else"])
class TestWhatBreaks:
    def test_before_its_answer_is_answered(self, path: str) -> None:
        asked = ask(sends(then=RuntimeError()), path=path)

        assert asked.statuses == [500]
        assert b"INTERNAL_ERROR" in asked.sent[1]["body"]
        assert asked.heard.events == ["came", (500, "INTERNAL_ERROR")]

    def test_in_its_answer_is_left_without_an_end(self, path: str) -> None:
        asked = ask(sends(start(), then=RuntimeError()), path=path)

        assert (asked.statuses, len(asked.sent)) == ([200], 1)
        assert asked.heard.events == ["came", (200, None)]

    def test_and_is_a_websocket_is_closed(self, path: str) -> None:
        asked = ask(sends(then=RuntimeError()), path=path, kind="websocket")

        assert asked.sent == [{"type": "websocket.close", "code": 1011}]
        assert asked.heard.events == []


class TestWhatIsCancelled:
    def test_at_the_servers_end_is_told_to_ask_again(self) -> None:
        asked = ask(sends(then=asyncio.CancelledError()), ending=True)

        assert asked.statuses == [503]
        assert b"GATEWAY_STOPPING" in asked.sent[1]["body"]
        assert asked.heard.events == ["came", (503, "GATEWAY_STOPPING")]

    @pytest.mark.parametrize(
        ("app", "how"),
        [
            (sends(then=asyncio.CancelledError()), {}),
            (sends(start(), then=asyncio.CancelledError()), {"ending": True}),
            (sends(then=asyncio.CancelledError()), {"ending": True, "kind": "websocket"}),
        ],
        ids=["at any other time", "in its answer", "a WebSocket"],
    )
    def test_stays_cancelled(self, app: Any, how: dict[str, Any]) -> None:
        with pytest.raises(asyncio.CancelledError):
            ask(app, **how)


def names(message: Message) -> list[bytes]:
    return [name for name, _ in message["headers"]]


def test_a_head_is_completed_in_a_list_of_its_own() -> None:
    """An answer that is sent to everybody would else collect the names of all of them."""
    answer = start((b"cache-control", b"no-cache"), (b"x-request-id", b"mine"))
    asked = ask(sends(answer, BODY))

    (sent, _) = asked.sent
    assert dict(sent["headers"])[b"x-request-id"] == b"mine"
    assert dict(sent["headers"])[b"cache-control"] == b"no-cache"
    assert dict(sent["headers"])[b"vary"] == b"Origin"
    assert len(set(names(sent))) == len(names(sent)) > 8


def test_a_shared_list_stays_as_it_was() -> None:
    shared = [(b"a", b"b")]
    asked = ask(sends({"type": "http.response.start", "status": 200, "headers": shared}, BODY))

    assert shared == [(b"a", b"b")]
    assert b"x-request-id" in names(asked.sent[0])


def test_a_refused_handshake_has_them_too_but_for_cors() -> None:
    asked = ask(sends(HANDSHAKE), kind="websocket")

    assert {b"x-request-id", b"x-frame-options"} <= set(names(asked.sent[0]))
    assert b"vary" not in names(asked.sent[0])


def test_a_handshake_for_another_host_is_refused() -> None:
    async def asked() -> Asked:
        foreign = Asked(sends(HANDSHAKE), kind="websocket")
        foreign.scope["headers"] = [(b"host", b"stranger.example")]
        return await foreign()

    assert asyncio.run(asked()).statuses == [421]


def test_a_request_does_not_keep_the_names_of_the_one_before() -> None:
    """A pipelined one begins in its context."""
    seen: list[dict[str, Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(get_contextvars())
        bind_contextvars(caller="somebody")

    async def both() -> None:
        await Asked(app)()
        second = await Asked(app)()
        assert seen[1] == {"request_id": second.scope["state"]["request_id"]}

    asyncio.run(both())
    assert seen[0] != seen[1]
