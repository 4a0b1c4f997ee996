"""The gateway's own schema over worlds drawn from a number: use cases that answer anything that a resolver could meet,
late, partly, wrongly or not at all."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from random import Random
from typing import Any, TypeVar
from zlib import crc32

from graphql import Undefined
from msgspec import structs
from sqlalchemy.exc import SQLAlchemyError

from gateway.clock import Clocks
from gateway.connectors.registry import REGISTRY
from gateway.contacts.changes import Changes
from gateway.contacts.dealing import Edge
from gateway.contacts.directory import Directory
from gateway.contacts.lingering import Lingering
from gateway.contacts.listing import Listing
from gateway.contacts.reading import Matches, Source, SourceState
from gateway.contacts.written import Preview, Previewed, Written
from gateway.domain.caller import ANYBODY
from gateway.domain.contact import (
    CONTACT_FIELDS,
    Address,
    ContactStatus,
    Email,
    Field,
    Phone,
    PhoneType,
    Provider,
    Record,
    RecordKey,
)
from gateway.domain.errors import (
    InputProblem,
    InvalidInput,
    OperationUnsupported,
    ProviderBroken,
    ProviderFailure,
    ReplyTimedOut,
    WriteOutcome,
)
from gateway.domain.exchange import Call, CallKind
from gateway.domain.identity import contact_id, record_id
from gateway.domain.merge import Answer
from gateway.domain.writes import WarningCode, WriteAction, WriteResult, WriteStatus, WriteWarning
from gateway.resilience.events import CircuitState
from gateway.resilience.standing import RateLeft
from gateway.resilience.status import ProviderState, ProviderStatus
from gateway.store.links import Family
from resolvers.context import Context, UseCases
from tests.later import by_sleeping
from tests.plans.comparing import Scene
from tests.plans.operations import LITERALS
from tests.plans.ugly import Broken, Odd

T = TypeVar("T")

KEYS = [RecordKey(provider, str(number)) for provider in Provider for number in range(1, 4)]
IDS = [f'"{made(key)}"' for key in KEYS for made in (contact_id, record_id)]
REAL_LITERALS = {
    **LITERALS,
    "ID": [*IDS, '"no id"'],
    "String": ['"a"', '""', '"ada@example.com"'],
    "Int": ["0", "1", "2", "1", "-3"],
}
THEN = datetime(2031, 3, 4, 5, 6, 7, tzinfo=timezone.utc)


async def never(_seconds: float) -> None:
    await asyncio.Event().wait()


class _Connector:
    """Of a connector, only what is asked of it without a call."""

    def id_problem(self, _remote_id: str) -> str | None:
        return None


class Draw:
    """What is drawn for one question, so that it is the same however often and whenever it is asked."""

    def __init__(self, world: RealWorld, *question: object) -> None:
        self._world = world
        self.number = crc32(repr((world.number, *question)).encode())
        self.chance = Random(self.number)

    def happens(self, rate: float) -> bool:
        return self.chance.random() < rate

    def fault(self) -> bool:
        return self.happens(self._world.faults)

    def any(self, values: Sequence[T]) -> T:
        return self.chance.choice(values)

    def some(self, make: Callable[[int], T], at_most: int = 3) -> tuple[T, ...]:
        return tuple(make(place) for place in range(self.chance.randint(0, at_most)))

    def wrong(self, right: T) -> T | Any:
        """The value, or now and then something else."""
        if not self.fault():
            return right
        odd = [None, Odd(), 3, 2**40, math.nan, "text", True, [], {"a": 1}, Undefined, Broken("in its place"), b"b"]
        return self.any(odd)


class RealWorld:
    def __init__(self, number: int) -> None:
        chance = Random(number)
        self.number = number
        self.faults = chance.choice([0.0, 0.03, 0.15])
        self._turns = chance.choice([0, 1, 3])
        self.log: list[Any] = []

    def scene(self) -> Scene:
        return Scene(None, self._context(), self.log, lambda: None)

    def _context(self) -> Context:
        connectors: Any = {one.provider: _Connector() for one in REGISTRY}
        directory = Directory(
            connectors,
            precedence=[one.provider for one in REGISTRY],
            capabilities={one.provider: one.capabilities for one in REGISTRY},
        )
        world: Any = self
        # Time stands still: who waits, waits for what comes.
        clocks = Clocks(monotonic=lambda: 0.0, sleep=never, call_later=by_sleeping(never))
        use_cases = UseCases(
            directory=directory,
            reading=world,
            lists=world,
            writing=world,
            previewing=world,
            linking=world,
            statuses=world,
            changes=Changes(clocks.monotonic),
            lingering=Lingering(clocks),
        )
        return Context(use_cases, ANYBODY)

    async def _asked(self, *question: object) -> Draw:
        """Who asks, in which order, and who is broken off, is noted."""
        draw = Draw(self, *question)
        self.log.append(("asked", *question))
        try:
            for _ in range(draw.chance.randint(0, self._turns)):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.log.append(("broken off", *question))
            raise
        self.log.append(("answered", *question))
        if draw.fault():
            problem = InvalidInput(InputProblem(path=("a",), code="B", message="is drawn to be wrong"))
            raise draw.any([SQLAlchemyError("down"), Broken("broken"), problem, self._failure(draw)])
        return draw

    # Reading

    async def families(self, keys: Iterable[RecordKey]) -> dict[RecordKey, Family]:
        asked = list(keys)
        await self._asked("families", asked)
        return {key: self._family(key) for key in asked}

    def _family(self, key: RecordKey) -> Family:
        draw = Draw(self, "family", key)
        members = frozenset({key, *draw.some(lambda _: draw.any(KEYS))})
        gone = frozenset(one for one in sorted(members) if draw.happens(0.1))
        return Family(anchor=draw.any(sorted(members)), members=members, record=key, gone=gone)

    async def record(self, key: RecordKey, *, max_age_seconds: int | None = None) -> Answer:
        # What reading itself contains is an answer; that it breaks is for whoever asks.
        draw = await self._asked("record", key, max_age_seconds)
        kind = draw.chance.random()
        if kind < 0.15:
            return Answer(key=key, failure=self._failure(draw, key.provider), latency_ms=draw.wrong(5))
        if kind < 0.25:
            return Answer(key=key)
        stale = self._failure(draw, key.provider) if draw.happens(0.1) else None
        # Now and then its provider tells it by another id; of what was kept the answer has the one that was asked for.
        now = draw.any([key] * 8 + KEYS[:2])
        named = draw.any([key, now])
        return Answer(key=named, record=self._record(now), age_seconds=draw.wrong(7), stale_because=stale)

    def forget(self, key: RecordKey) -> None:
        self.log.append(("forgotten", key))

    async def by_email(self, email: str, providers: Any, terms: Any) -> Matches:
        draw = await self._asked("by_email", email, providers, terms.max_age_seconds, terms.until)
        keys = dict.fromkeys(draw.some(lambda _: draw.any(KEYS)))
        return Matches(tuple(self._record(key, summary=True) for key in keys), self._sources(draw))

    async def page(self, asked: Any) -> Listing:
        draw = await self._asked(
            "page", asked.first, asked.after, asked.wanted, sorted(asked.fields), asked.terms.until
        )
        edges = tuple(
            Edge(
                self._failure(draw) if draw.happens(0.1) else self._record(key, summary=True),
                draw.wrong(f"cursor {key}"),
            )
            for key in dict.fromkeys(draw.some(lambda _: draw.any(KEYS), 5))
        )
        return Listing(
            items=[edge.item for edge in edges],
            edges=edges,
            summaries=tuple(edge.item for edge in edges if isinstance(edge.item, Record)),
            sources=self._sources(draw),
            # Of nobody in every other list, as where nothing is linked.
            families={
                edge.item.key: self._family(edge.item.key)
                for edge in edges
                if isinstance(edge.item, Record) and draw.number % 2
            },
            count=self._count,
            has_next=draw.wrong(True),
            end=draw.wrong("end"),
        )

    async def _count(self) -> Any:
        draw = await self._asked("count")
        return draw.wrong(5)

    def _failure(self, draw: Draw, provider: Provider | None = None) -> ProviderFailure:
        kind = draw.any([ReplyTimedOut, ProviderBroken, OperationUnsupported])
        return kind(
            provider or draw.any(list(Provider)),
            f"drawn {draw.number}",
            outcome=draw.any([None, WriteOutcome.UNKNOWN]),
            retry_after_ms=draw.wrong(500),
            upstream_status=draw.wrong(503),
            field=draw.any([None, ("input", "name")]),
            existing=draw.any([None, *KEYS]),
            candidates=draw.some(lambda _: draw.any(KEYS)),
        )

    def _sources(self, draw: Draw) -> tuple[Source, ...]:
        return draw.some(
            lambda _: Source(
                provider=draw.any(list(Provider)),
                state=draw.wrong(draw.any(list(SourceState))),
                failure=draw.any([None, self._failure(draw)]),
                latency_ms=draw.wrong(12),
            )
        )

    def _record(self, key: RecordKey, *, summary: bool = False) -> Record:
        draw = Draw(self, "values", key, summary)
        rate = draw.any([0.6, 1.0]) if summary else 1.0
        known = frozenset(field for field in CONTACT_FIELDS if draw.happens(rate))
        record = Record(
            key=key,
            known=known,
            fetched_at=draw.wrong(THEN),
            raw=draw.any([None, b'{"a": 1}', b"no JSON"]),
            provider_status=draw.wrong("open"),
        )
        values = {field.attribute: self._value(draw, field) for field in CONTACT_FIELDS if draw.happens(0.7)}
        return structs.replace(record, **values)

    def _value(self, draw: Draw, field: Field) -> Any:
        # United lists are compared by these, so they are what they should be.
        address, number, line = (draw.any(["a", "b", "c"]) for _ in range(3))
        match field:
            case Field.EMAILS:
                return draw.some(
                    lambda _: Email(address=draw.wrong(address), normalized=address, primary=draw.happens(0.5))
                )
            case Field.PHONES:
                return draw.some(
                    lambda _: Phone(
                        number=number,
                        e164=draw.any([None, "+1"]),
                        type=draw.wrong(draw.any(list(PhoneType))),
                        do_not_call=draw.wrong(None),
                    )
                )
            case Field.ADDRESSES:
                return draw.some(lambda _: Address(formatted=line, street=draw.wrong("street"), city=draw.wrong(None)))
            case Field.TAGS:
                return draw.some(lambda _: draw.any(["new", "old", "odd"]))
            case Field.CUSTOM_FIELDS:
                return {"a": draw.wrong(1), "b": [None, {"c": draw.wrong("d")}]}
            case Field.STATUS:
                return draw.wrong(draw.any(list(ContactStatus)))
            case Field.UNSUBSCRIBED:
                return draw.wrong(draw.happens(0.5))
            case Field.CREATED_AT | Field.UPDATED_AT | Field.LAST_CONTACTED_AT:
                return draw.wrong(THEN)
        return draw.wrong(f"some {field}")

    # Writing

    async def write(self, intent: Any, key: Any) -> Written:
        return self._written(await self._asked("write", intent.kind, key))

    async def retry(self, operation_id: str) -> Written:
        return self._written(await self._asked("retry", operation_id))

    async def reconcile(self, operation_id: str) -> Written:
        return self._written(await self._asked("reconcile", operation_id))

    async def preview(self, intent: Any) -> Previewed:
        draw = await self._asked("preview", intent.kind)
        previews = draw.some(lambda _: self._preview(draw))
        return Previewed(
            operation_id=draw.wrong("operation"), results=previews, status=draw.wrong(WriteStatus.PREVIEWED)
        )

    async def link(self, keys: Any) -> RecordKey:
        draw = await self._asked("link", keys)
        return draw.any(KEYS)

    async def unlink(self, key: RecordKey) -> tuple[Family, Family | None]:
        draw = await self._asked("unlink", key)
        return self._family(key), draw.any([None, self._family(draw.any(KEYS))])

    def _written(self, draw: Draw) -> Written:
        return Written(
            operation_id=draw.wrong("operation"),
            results=draw.some(lambda _: self._result(draw)),
            anchor=draw.any([None, *KEYS]),
            link_error=SQLAlchemyError("down") if draw.fault() else None,
        )

    def _warnings(self, draw: Draw) -> tuple[WriteWarning, ...]:
        return draw.some(
            lambda _: WriteWarning(draw.wrong(WarningCode.FIELD_DROPPED), ("input", "a"), draw.wrong("said"))
        )

    def _result(self, draw: Draw) -> WriteResult:
        key, warnings = draw.any(KEYS), self._warnings(draw)
        if draw.happens(0.3):
            failure = self._failure(draw, key.provider)
            return WriteResult(provider=key.provider, failure=failure, warnings=warnings)
        record = draw.any([None, self._record(key, summary=True)])
        action = draw.any(list(WriteAction))
        return WriteResult(provider=key.provider, key=key, record=record, action=action, warnings=warnings)

    def _preview(self, draw: Draw) -> Preview:
        call = Call(draw.wrong("POST"), "/contacts", {"a": draw.wrong(1)})
        return Preview(
            provider=draw.any(list(Provider)),
            key=draw.any([None, *KEYS]),
            calls=(call,),
            warnings=self._warnings(draw),
            collisions=draw.any([None, tuple(KEYS[:2]), self._failure(draw)]),
            failure=self._failure(draw) if draw.happens(0.2) else None,
        )

    # Statuses

    def of(self, provider: Provider) -> ProviderStatus:
        draw = Draw(self, "status", provider)
        self.log.append(("status", provider))
        if draw.fault():
            raise Broken("no status")
        return ProviderStatus(
            provider=provider,
            state=draw.wrong(draw.any(list(ProviderState))),
            since=draw.wrong(THEN),
            fault=draw.any([None, self._failure(draw).fault]),
            limited_until=draw.wrong(None),
            circuit=draw.wrong(CircuitState.OPEN),
        )

    def rate_limits(self, provider: Provider) -> tuple[RateLeft, ...]:
        draw = Draw(self, "limits", provider)
        return draw.some(
            lambda _: RateLeft(
                kind=draw.any(list(CallKind)), limit=draw.wrong(60), remaining=draw.wrong(3), reset_at=THEN
            )
        )
