"""A page is told as soon as it has been read, and not after the pages that others read meanwhile."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.domain.contact import Provider
from gateway.main import build_app, build_connectors
from gateway.sandbox.server import RunningSandbox
from gateway.settings import read_gateway_settings
from tests.conftest import BARE
from tests.live import serving

# One page of one provider each, whose items tell all of that.
LISTS = [
    '{ contacts(providers: [GATELY], filter: { search: "a" }) { nodes { name emails { address } } } }',
    '{ contacts(providers: [GATELY], filter: { search: "e" }) { nodes { id company tags } } }',
    '{ contacts(providers: [GATELY], filter: { search: "i" }) { edges { cursor node { name } } } }',
]


class ArrivingTogether:
    """A provider whose pages all go on in one turn of the loop, once so many have been asked for."""

    def __init__(self, connector: Any, many: int, log: list[str]) -> None:
        self._connector = connector
        self._many = many
        self._waiting: list[asyncio.Future[None]] = []
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    async def list_page(self, request: Any) -> Any:
        page = await self._connector.list_page(request)
        loop = asyncio.get_running_loop()
        self._waiting.append(loop.create_future())
        if len(self._waiting) == self._many:
            loop.call_soon(self._let_all_go)
        await self._waiting[-1]
        self._log.append("read")
        return page

    def _let_all_go(self) -> None:
        for one in self._waiting:
            one.set_result(None)


class Noting:
    """Around the application: notes when an answer begins."""

    def __init__(self, app: Any, log: list[str]) -> None:
        self._app, self._log = app, log

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._log.append("answered")
            await send(message)

        await self._app(scope, receive, sent)


def test_of_pages_that_arrive_together_each_is_answered_before_the_next_one_is_read(
    running_sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in running_sandbox.environment().items():
        monkeypatch.setenv(name, value)
    settings = read_gateway_settings(database_url=f"sqlite:///{tmp_path}/gateway.db", **BARE)
    log: list[str] = []
    connectors: Any = build_connectors(settings)
    connectors[Provider.GATELY] = ArrivingTogether(connectors[Provider.GATELY], len(LISTS), log)
    app = build_app(settings, connectors)
    app.middleware_stack = Noting(app.middleware_stack, log)

    with serving(app, settings) as gateway, ThreadPoolExecutor(len(LISTS)) as clients:
        ask = [clients.submit(httpx.post, gateway.url, json={"query": one}, trust_env=False) for one in LISTS]
        answers = [asked.result().json() for asked in ask]
    assert ["errors" in answer for answer in answers] == [False] * len(LISTS)
    assert log == ["read", "answered"] * len(LISTS)
