"""What the three simulators have in common: routes, a log of requests, faults and a reset."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from starlette.types import ASGIApp

from gateway.sandbox.exchange import Clock, JsonObject, Received, Refusal, Reply, utc_now
from gateway.sandbox.faults import Fault, FaultList
from gateway.sandbox.front import Front
from gateway.sandbox.magic import MAGIC, magic_words
from gateway.sandbox.ratelimit import MinuteBudgets
from gateway.sandbox.routes import Matched, Route, find_route

Sleep = Callable[[float], Awaitable[None]]

_SECRET_HEADERS = ("authorization", "x-api-key")


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request as it came, its credentials masked; `operation` is None for an unknown path."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    operation: str | None
    fault: str | None


class Simulator(ABC):
    """One provider in memory. A subclass holds the state and answers the documented routes."""

    provider: ClassVar[str]
    base_path: ClassVar[str]
    has_search: ClassVar[bool] = True

    def __init__(self, *, clock: Clock = utc_now, sleep: Sleep = asyncio.sleep) -> None:
        self.clock = clock
        self.sleep = sleep
        self.budgets = MinuteBudgets(clock)
        self.requests: list[RecordedRequest] = []
        operations = {route.operation for route in self.routes}
        self.faults = FaultList(operations | ({"find"} if self.has_search else set()))
        self._spent_magic: set[str] = set()

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        return self.make_routes()

    @property
    def app(self) -> ASGIApp:
        """The simulator as an ASGI application, its control endpoints included."""
        return Front(self)

    @abstractmethod
    def make_routes(self) -> tuple[Route, ...]:
        """The documented routes below the base path, literal segments first."""

    @abstractmethod
    def admit(self, received: Received, operation: str) -> None:
        """Raises: Refusal when headers, key or rate limit forbid the request."""

    @abstractmethod
    def refuse(self, refusal: Refusal) -> Reply:
        """The refusal in the provider's documented form of error."""

    @abstractmethod
    def restock(self) -> None:
        """Put contacts and switches back to how they were at the start."""

    @abstractmethod
    def describe_contacts(self) -> list[JsonObject]:
        """The whole state, for tests and the control endpoint."""

    def finish(self, reply: Reply, operation: str | None) -> Reply:
        """A last touch on every reply of the API, such as headers that are always sent."""
        return reply

    def reset(self) -> None:
        """Back to the start: contacts, switches, faults, rate limits and the log."""
        self.requests.clear()
        self.faults.clear()
        self.budgets.clear()
        self._spent_magic.clear()
        self.restock()

    def match(self, received: Received) -> Matched:
        return find_route(self.routes, received.method, received.path)

    def operation_of(self, received: Received) -> str | None:
        try:
            operation = self.match(received).route.operation
        except Refusal:
            return None
        is_look_up = operation == "list" and bool(received.query.get("search"))
        return "find" if is_look_up else operation

    def answer(self, received: Received) -> Reply:
        """Carry out one request; nothing is awaited, so writes are atomic."""
        operation = self.operation_of(received)
        try:
            matched = self.match(received)
            self.admit(received, matched.route.operation)
            reply = matched.route.handler(received, matched.id)
        except Refusal as refusal:
            reply = self.refuse(refusal).with_headers(*refusal.headers)
        return self.finish(reply, operation)

    def strike(self, received: Received) -> Fault | None:
        """The fault that befalls this request: a registered one, else that of a magic address."""
        operation = self.operation_of(received)
        if fault := self.faults.take(operation or ""):
            return fault
        for word in magic_words(received, self.provider) if operation else ():
            if MAGIC[word].fault.operation not in (None, operation):
                continue
            if MAGIC[word].fault.count is None:
                return MAGIC[word].fault
            if (marker := f"{word}\n{received.method}") not in self._spent_magic:
                self._spent_magic.add(marker)
                return MAGIC[word].fault
        return None

    def record(self, received: Received, fault: Fault | None) -> None:
        headers = {name: "***" if name in _SECRET_HEADERS else text for name, text in received.headers.items()}
        query = {name: "***" if name == "api_key" else text for name, text in received.query.items()}
        path = self.base_path + received.path
        kind = fault.kind if fault else None
        self.requests.append(
            RecordedRequest(
                received.method, path, query, headers, _readable(received.body), self.operation_of(received), kind
            )
        )


def _readable(body: bytes) -> Any:
    """The body as JSON where it is JSON, else as text; None when there is none."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
