"""Around the executor: how each operation ended, whoever waited for it and however it was answered."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from msgspec.structs import replace
from structlog.contextvars import bind_contextvars

from gateway.clock import Monotonic
from gateway.http.refusal import RequestRefused
from gateway.http.result import AnswerInParts, EventStream, Execute, Executed, GraphQLRequest, OperationKind, Results
from gateway.telemetry.codes import codes_of
from gateway.telemetry.observer import Ended, Observation, OperationObserver, OperationOutcome


class ObservedExecute:
    """Executes as `execute` does, and tells the observers."""

    def __init__(
        self, execute: Execute, observers: tuple[OperationObserver, ...], *, clock: Monotonic = time.monotonic
    ) -> None:
        self._execute = execute
        self._observers = observers
        self._clock = clock

    async def __call__(self, request: GraphQLRequest) -> Executed:
        running = _Running(request, self._observers, self._clock)
        with ExitStack() as context:

            def begins(kind: OperationKind, name: str | None) -> None:
                running.begin(kind, name)
                if running.is_observed:
                    context.enter_context(running.current())
                request.begins(kind, name)

            try:
                result = await self._execute(replace(request, begins=begins))
            except RequestRefused:
                running.end(OperationOutcome.REFUSED)
                raise
            except Exception:
                running.end(OperationOutcome.FAILED)
                raise
            except BaseException:
                running.end(OperationOutcome.ABANDONED)
                raise
        if isinstance(result, EventStream):
            return EventStream(_Watched(result.events, running))
        if isinstance(result, AnswerInParts):
            return AnswerInParts(_Watched(result.parts, running, has_next=True))
        running.note(result.body)
        running.end(running.outcome, joined=result.joined)
        return result


class _Watched:
    """The results themselves; the operation is over when they have come to their end, or nobody takes them any more."""

    def __init__(self, results: Results, running: "_Running", *, has_next: bool = False) -> None:
        self._results = results
        self._running = running
        # Of parts: a subscription ends whenever its client wants.
        self._has_next = has_next

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        return self

    async def __anext__(self) -> dict[str, Any]:
        try:
            # Each step may be taken by another task, so the context is set for each anew.
            with self._running.current():
                body = await anext(self._results)
        except StopAsyncIteration:
            self._running.end(self._running.outcome)
            raise
        self._has_next = body.get("hasNext", False)
        self._running.note(body)
        return body

    async def aclose(self) -> None:
        try:
            await self._results.aclose()
        finally:
            self._running.end(OperationOutcome.ABANDONED if self._has_next else self._running.outcome)


_NOTHING = nullcontext()


class _Running:
    """One operation as it goes; its end is told once, and known in the context of whoever ends it."""

    def __init__(self, request: GraphQLRequest, observers: tuple[OperationObserver, ...], clock: Monotonic) -> None:
        self._request = request
        self._observers = observers
        self._clock = clock
        self._started = clock()
        self._kind: OperationKind | None = None
        self._observations: list[Observation] = []
        self._codes: list[str] = []
        self._told: set[OperationOutcome] = set()
        self._ended: OperationOutcome | None = None

    def begin(self, kind: OperationKind, name: str | None) -> None:
        self._kind = kind
        bind_contextvars(kind=kind.value)
        begun = [observer.begin(self._request, kind, name) for observer in self._observers]
        self._observations = [observation for observation in begun if observation is not None]

    @property
    def is_observed(self) -> bool:
        """Whether anybody but the log and the metrics, which only count, sees it run."""
        return bool(self._observations)

    def current(self) -> AbstractContextManager[None]:
        return self._observed() if self._observations else _NOTHING

    @contextmanager
    def _observed(self) -> Iterator[None]:
        with ExitStack() as context:
            for observation in self._observations:
                context.enter_context(observation.current())
            yield

    def note(self, body: Mapping[str, Any]) -> None:
        """One result of the operation; of a stream there are several."""
        codes = tuple(codes_of(body))
        # A stream may bring no end of errors.
        self._codes += codes[: max(0, 100 - len(self._codes))]
        self._told.add(_outcome(body, has_errors=bool(codes)))

    @property
    def outcome(self) -> OperationOutcome:
        """That of all results together."""
        if len(self._told) > 1:
            return OperationOutcome.PARTIAL
        return next(iter(self._told), OperationOutcome.OK)

    def end(self, outcome: OperationOutcome, *, joined: str | None = None) -> None:
        is_over, outcome = self._ended is not None, self._ended or outcome
        self._ended = outcome
        # The line of the request is written in its own context, not in that of the task that took the last result.
        bind_contextvars(outcome=outcome.value)
        if is_over:
            return
        if joined is not None:
            bind_contextvars(joined=joined)
        seconds = self._clock() - self._started
        ended = Ended(kind=self._kind, outcome=outcome, codes=tuple(self._codes), seconds=seconds, joined=joined)
        for observation in self._observations:
            observation.end(ended)
        for observer in self._observers:
            observer.ended(self._request, ended)


def _outcome(body: Mapping[str, Any], *, has_errors: bool) -> OperationOutcome:
    if not has_errors:
        return OperationOutcome.OK
    if "incremental" in body or "completed" in body:
        return OperationOutcome.PARTIAL
    if "data" not in body:
        return OperationOutcome.REFUSED
    data = body["data"] or {}
    return OperationOutcome.PARTIAL if any(value is not None for value in data.values()) else OperationOutcome.FAILED
