"""Two hundred clients of the soak: what each asks, how long it took, what became of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp

from gateway.sandbox.seed.landmarks import EVERYWHERE_COMETLY_ID, EVERYWHERE_GATELY_ID, EVERYWHERE_KLEN_ID
from tests.failures.outcomes import contact_id

READ = """query ($id: ID!, $age: Int) {
  contact(id: $id, maxAgeSeconds: $age) { name emails { address } sources { provider state } }
}"""
LIST = "{ contacts(first: 5) { nodes { name } sources { provider state } } }"
CREATE = """mutation ($input: CreateContactInput!) {
  createContact(input: $input) { status operationId results { __typename provider outcome } }
}"""
PROVIDERS = ["GATELY", "KLEN", "COMETLY"]
SEEDS = {
    "healthy": [contact_id("GATELY", EVERYWHERE_GATELY_ID[:-2] + f"{number:02d}") for number in range(1, 30)],
    "flapping": [contact_id("KLEN", str(EVERYWHERE_KLEN_ID + number)) for number in range(20)],
    "hanging": [contact_id("COMETLY", str(EVERYWHERE_COMETLY_ID + number)) for number in range(20)],
}
# What a client does next, by weight, beside creations: those are few, since each has to be done in the end.
MIX = {"healthy": 50.0, "flapping": 20.0, "hanging": 20.0, "list": 10.0}


@dataclass
class Heard:
    """Answer times in seconds by kind of question, and how each ended."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    endings: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def percentile(self, kind: str, share: float) -> float:
        times = sorted(self.seconds[kind])
        return times[min(len(times) - 1, int(len(times) * share))] if times else float("nan")


class Clients:
    def __init__(self, url: str, *, count: int, pause_seconds: float, seed: int) -> None:
        self._url = f"{url}/graphql"
        self._count = count
        self._pause_seconds = pause_seconds
        self._draw = random.Random(seed)
        # Creations that nobody has said SUCCEEDED to yet, by key.
        self.open: dict[str, dict[str, Any]] = {}
        self.made = 0

    async def ask(self, mix: dict[str, float], seconds: float) -> Heard:
        """Everybody asks, pauses and asks again, for so long."""
        heard, until = Heard(), time.monotonic() + seconds
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=90)
        ) as session:
            await asyncio.gather(*(self._client(session, heard, mix, until) for _ in range(self._count)))
        return heard

    async def complete(self, seconds: float) -> dict[str, dict[str, Any]]:
        """Asks for every open creation again, with its key, until it is done; what is left then is returned."""
        until = time.monotonic() + seconds
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=90)) as session:
            while self.open and time.monotonic() < until:
                for key in list(self.open):
                    await self._create(session, key)
                await asyncio.sleep(1)
        return self.open

    async def _client(self, session: aiohttp.ClientSession, heard: Heard, mix: dict[str, float], until: float) -> None:
        await asyncio.sleep(self._draw.uniform(0, self._pause_seconds))
        while time.monotonic() < until:
            (kind,) = self._draw.choices(list(mix), weights=list(mix.values()))
            if kind == "nothing":
                await asyncio.sleep(self._draw.expovariate(1 / self._pause_seconds))
                continue
            began = time.monotonic()
            ending = await (self._write(session) if kind == "create" else self._read(session, kind))
            heard.seconds[kind].append(time.monotonic() - began)
            heard.endings[kind][ending] += 1
            await asyncio.sleep(self._draw.expovariate(1 / self._pause_seconds))

    async def _read(self, session: aiohttp.ClientSession, kind: str) -> str:
        if kind == "list":
            answer = await self._send(session, LIST, {})
            sources = ((answer.get("data") or {}).get("contacts") or {}).get("sources", [])
            return " ".join(source["state"] for source in sources) or _code(answer)
        # A healthy provider is really asked, so that its time is measured and not the cache's.
        variables = {"id": self._draw.choice(SEEDS[kind]), "age": 0 if kind == "healthy" else None}
        answer = await self._send(session, READ, variables)
        if "errors" in answer:
            return _code(answer)
        contact = answer["data"]["contact"]
        return " ".join(source["state"] for source in contact["sources"]) if contact else "NOT_FOUND"

    async def _write(self, session: aiohttp.ClientSession) -> str:
        if self.open and self._draw.random() < 0.5:
            return await self._create(session, self._draw.choice(list(self.open)))
        self.made += 1
        key = str(UUID(int=self._draw.getrandbits(128)))
        name = f"soak{self.made}"
        self.open[key] = {
            "name": f"Soak {name}",
            "firstName": "Soak",
            "lastName": name,
            "emails": [{"address": f"{name}@soak.test"}],
            "providers": PROVIDERS,
            "idempotencyKey": key,
        }
        return await self._create(session, key)

    async def _create(self, session: aiohttp.ClientSession, key: str) -> str:
        if (given := self.open.get(key)) is None:
            return "done by another"
        answer = await self._send(session, CREATE, {"input": given})
        payload = (answer.get("data") or {}).get("createContact")
        if payload and payload["status"] == "SUCCEEDED":
            self.open.pop(key, None)
        return payload["status"] if payload else _code(answer)

    async def _send(self, session: aiohttp.ClientSession, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            async with session.post(self._url, json={"query": query, "variables": variables}) as reply:
                answer: dict[str, Any] = await reply.json(content_type=None)
                return answer
        except (aiohttp.ClientError, TimeoutError) as error:
            return {"errors": [{"extensions": {"code": type(error).__name__}}]}


def _code(answer: dict[str, Any]) -> str:
    codes = [error.get("extensions", {}).get("code", "?") for error in answer.get("errors", [])]
    return codes[0] if codes else "nothing"
