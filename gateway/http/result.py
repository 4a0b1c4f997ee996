"""What passes between the HTTP face and whoever executes: one request, and a result or a stream of results."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeAlias

import msgspec

from gateway.domain.caller import Caller


class OperationKind(Enum):
    """By its keyword in a document."""

    QUERY = "query"
    MUTATION = "mutation"
    SUBSCRIPTION = "subscription"


Refuse: TypeAlias = Callable[[], Exception]
"""Made anew each time: an exception that is raised again keeps the frames of every request that it was raised for."""


Begins: TypeAlias = Callable[[OperationKind, str | None], None]
"""Hears which kind of operation a request turned out to be, and the name that its document gives it."""


def unheard(_: OperationKind, __: str | None) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """The W3C headers of a request, well-formed; None for what did not come."""

    traceparent: str | None = None
    tracestate: str | None = None


class GraphQLRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`idempotency_key` stood in a header. `refuse` makes, for each kind of operation that this transport cannot
    carry, what to raise instead of executing it. `in_parts` is whether it carries an answer in several parts; where it
    does not, `@defer` and `@stream` put nothing off. `begins` is called once the operation is chosen."""

    request_id: str
    caller: Caller
    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    idempotency_key: str | None = None
    in_parts: bool = False
    refuse: Mapping[OperationKind, Refuse] = msgspec.field(default_factory=dict)
    trace: TraceContext = TraceContext()
    begins: Begins = unheard


class GraphQLResult(msgspec.Struct, frozen=True, kw_only=True):
    """`body` is the answer. `status` is 200 once the operation ran, whatever became of it, and else says why it
    did not: 400 for a document or variables that are wrong, 403 for a caller who may not. `joined` is the id of the
    request whose execution this one was answered with, None where it had one of its own."""

    body: dict[str, Any]
    status: int = 200
    joined: str | None = None


class Results(Protocol):
    """Bodies, one after the other. Closing it, begun or not, ends whatever it would have waited for."""

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]: ...

    def __anext__(self) -> Awaitable[dict[str, Any]]: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EventStream:
    """The results of a subscription, one after the other; closing them ends it. One without `data` is the
    last."""

    events: Results


@dataclass(frozen=True, slots=True)
class AnswerInParts:
    """The answer to an operation with `@defer` or `@stream`. The first part has `data`, the last one alone says that
    `hasNext` is false; a failure on the way is told in the last one."""

    parts: Results


Executed: TypeAlias = GraphQLResult | EventStream | AnswerInParts

Execute: TypeAlias = Callable[[GraphQLRequest], Awaitable[Executed]]
"""Raises what `refuse` makes, and RequestRefused; never anything else that it could foresee."""
