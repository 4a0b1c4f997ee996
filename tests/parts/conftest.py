"""A gateway in the test's own event loop, whose providers answer when the test lets them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from gateway.connectors.base import PageRequest, RecordPage
from gateway.domain.caller import ANYBODY
from gateway.domain.contact import Provider, Record
from gateway.http.result import AnswerInParts, Execute, GraphQLRequest, GraphQLResult, Results
from gateway.main import build_app, build_connectors
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from gateway.settings import read_gateway_settings
from tests.conftest import BARE, resting_caretakers
from tests.graphql.ids import ADA_CONTACTS

LINK = "mutation($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { id } } }"


class Held:
    """A connector that reads and lists only while it is let."""

    def __init__(self, connector: Any) -> None:
        self._connector = connector
        self._let, self._let_read = asyncio.Event(), asyncio.Event()
        self.let()
        self.calls = 0
        self.waiting = 0

    def hold(self) -> None:
        self._let.clear()

    def hold_reads(self) -> None:
        """Lists are let."""
        self._let_read.clear()

    def let(self) -> None:
        self._let.set()
        self._let_read.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    async def read(self, remote_id: str) -> Record:
        await self._wait(self._let, self._let_read)
        record: Record = await self._connector.read(remote_id)
        return record

    async def list_page(self, request: PageRequest) -> RecordPage:
        await self._wait(self._let)
        page: RecordPage = await self._connector.list_page(request)
        return page

    async def _wait(self, *until: asyncio.Event) -> None:
        self.calls += 1
        self.waiting += 1
        try:
            for event in until:
                await event.wait()
        finally:
            self.waiting -= 1


class Desk:
    """Where operations are handed in, past HTTP."""

    def __init__(self, execute: Execute, held: Mapping[Provider, Held]) -> None:
        self._execute = execute
        self._held = held

    def hold(self, *providers: Provider) -> None:
        for provider in providers or self._held:
            self._held[provider].hold()

    def hold_reads(self) -> None:
        for one in self._held.values():
            one.hold_reads()

    def let(self, *providers: Provider) -> None:
        for provider in providers or self._held:
            self._held[provider].let()

    @property
    def waiting(self) -> int:
        return sum(one.waiting for one in self._held.values())

    @property
    def calls(self) -> dict[str, int]:
        return {provider.value: one.calls for provider, one in self._held.items()}

    def forget(self) -> None:
        for one in self._held.values():
            one.calls = 0

    async def run(self, document: str, *, in_parts: bool = True, **variables: Any) -> Any:
        request = GraphQLRequest(
            request_id="the request", caller=ANYBODY, query=document, variables=variables, in_parts=in_parts
        )
        return await self._execute(request)

    async def begun(self, document: str, **variables: Any) -> Results:
        answer = await self.run(document, **variables)
        assert isinstance(answer, AnswerInParts), answer
        return answer.parts

    async def parts(self, document: str, **variables: Any) -> list[dict[str, Any]]:
        return [part async for part in await self.begun(document, **variables)]

    async def whole(self, document: str, **variables: Any) -> dict[str, Any]:
        answer = await self.run(document, in_parts=False, **variables)
        assert isinstance(answer, GraphQLResult)
        return answer.body

    async def ada(self) -> str:
        """Ada Winter's three seeded records as one contact."""
        linked = await self.whole(LINK, ids=list(ADA_CONTACTS.values()))
        self.forget()
        ada: str = linked["data"]["linkContacts"]["contact"]["id"]
        return ada


Start: TypeAlias = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def start(running_sandbox: RunningSandbox, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    monkeypatch.chdir(tmp_path)
    for name, value in running_sandbox.environment().items():
        monkeypatch.setenv(name, value)

    @asynccontextmanager
    async def started(**settings: Any) -> AsyncIterator[Desk]:
        settings = {**BARE, "tell_cost": "off", **settings}
        chosen = read_gateway_settings(database_url=f"sqlite:///{tmp_path}/gateway.db", **settings)
        held: Any = {provider: Held(connector) for provider, connector in build_connectors(chosen).items()}
        app = build_app(chosen, held)
        with resting_caretakers():
            async with app.router.lifespan_context(app):
                yield Desk(app.state.services.execute, held)

    return started


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """What waits for what never comes fails rather than hangs."""
    asyncio.run(asyncio.wait_for(test(), timeout=30))


def merged(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The one answer that the parts make up, as a client puts it together; each announced once, brought, and closed."""
    first, *following = parts
    answer: dict[str, Any] = {"data": first["data"]}
    errors = list(first.get("errors", []))
    places: dict[str, list[Any]] = {}
    _announce(places, first)
    for part in following:
        _announce(places, part)
        for one in part.get("incremental", []):
            errors += one.get("errors", [])
            target = answer["data"]
            for step in [*places[one["id"]], *one.get("subPath", [])]:
                target = target[step]
            if "items" in one:
                target.extend(one["items"])
            else:
                _merge(target, one["data"])
        for one in part.get("completed", []):
            errors += one.get("errors", [])
            del places[one["id"]]
    assert not places
    assert [part["hasNext"] for part in parts] == [True] * len(following) + [False]
    return answer | ({"errors": errors} if errors else {})


def _announce(places: dict[str, list[Any]], part: dict[str, Any]) -> None:
    for one in part.get("pending", []):
        assert one["id"] not in places
        places[one["id"]] = one["path"]


def _merge(target: dict[str, Any], source: dict[str, Any]) -> None:
    for name, value in source.items():
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        else:
            assert name not in target, f"{name} comes twice"
            target[name] = value
