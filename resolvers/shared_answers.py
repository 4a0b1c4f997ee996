"""Queries that are the same and come at the same time are executed once, and all who wait are told the same.

This is to whole operations what `gateway.resilience.single_flight` is to calls, and promises no less: nobody is told
what was read before a change that was over when they asked, nor what somebody else may see (docs/adr/0027).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import msgspec
from graphql import ExecutionResult, ExperimentalIncrementalExecutionResults

from gateway.clock import Clocks
from gateway.contacts.changes import Changes
from gateway.domain.caller import Caller
from gateway.http.result import GraphQLRequest
from gateway.resilience.tally import Spending, Tally
from gateway.resilience.waiting import ends_within
from resolvers.parts import Execution
from resolvers.passed_documents import Asked

JOINED_SECONDS = 0.25
"""How long others may join. Where a provider hangs, that is how much of their time those who join it last lose."""

_MAX_WANTED: Final = 256


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What an execution came to and what it cost. `request_id` is that of the request that it was begun for, `joined`
    whether this is told to another one."""

    execution: Execution
    result: ExecutionResult | ExperimentalIncrementalExecutionResults
    tally: Tally
    request_id: str
    joined: bool = False


Execute: TypeAlias = Callable[[], Awaitable[Told]]


class Question(msgspec.Struct, frozen=True):
    """Equal ones have the same answer at the same time. `operation` is the identity of one that is kept, and lives as
    long as its execution; `variables` are as Python writes them, which tells all values of JSON apart."""

    operation: int
    variables: str
    caller: Caller
    in_parts: bool


class _UnderWay(msgspec.Struct, kw_only=True):
    """`task` is None while it is executed in the task of its own request, which may end at any time."""

    began: float
    changes: int
    task: "asyncio.Task[Told] | None" = None
    waiters: int = 0
    was_joined: bool = False


class SharedAnswers:
    """What is asked once is executed in the task of its request. What is asked again meanwhile gets a task that lives
    as long as anybody waits for it; and so from the beginning does what was asked like that the last time."""

    def __init__(self, changes: Changes, clocks: Clocks) -> None:
        self._changes = changes
        self._clocks = clocks
        self._under_way: dict[Question, _UnderWay] = {}
        # By their hashes: variables may be long, and to be wrong costs no more than a task.
        self._wanted: dict[int, None] = {}

    async def answer(self, question: Question, execute: Execute) -> Told:
        """Raises what `execute` does, which nobody who joins is told of: they have it executed for themselves."""
        found = self._under_way.get(question)
        if found is not None and self._may_be_joined(found):
            if found.task is not None:
                return await self._join(question, found, found.task) or await execute()
            self._want(question)
        begun = self._under_way[question] = _UnderWay(began=self._clocks.monotonic(), changes=self._changes.total)
        if hash(question) not in self._wanted:
            try:
                return await execute()
            finally:
                self._close(question, begun)
        begun.task = task = asyncio.ensure_future(execute())
        await self._wait(question, begun, task)
        if not begun.was_joined:
            self._wanted.pop(hash(question), None)
        return task.result()

    def _may_be_joined(self, found: _UnderWay) -> bool:
        """A change that ended since it began may be missing in it."""
        is_young = self._clocks.monotonic() - found.began <= JOINED_SECONDS
        return is_young and found.changes == self._changes.total

    def _want(self, question: Question) -> None:
        self._wanted[hash(question)] = None
        if len(self._wanted) > _MAX_WANTED:
            del self._wanted[next(iter(self._wanted))]

    async def _join(self, question: Question, found: _UnderWay, task: "asyncio.Task[Told]") -> Told | None:
        found.was_joined = True
        await self._wait(question, found, task)
        return None if task.cancelled() or task.exception() else _as_joined(task.result())

    async def _wait(self, question: Question, found: _UnderWay, task: "asyncio.Task[Told]") -> None:
        """Until it has ended. When nobody waits any more, it is broken off."""
        found.waiters += 1
        try:
            await ends_within(task, None, self._clocks)
        finally:
            found.waiters -= 1
            if task.done() or not found.waiters:
                self._close(question, found)
            if not task.done() and not found.waiters:
                task.cancel()
                await asyncio.wait({task})

    def _close(self, question: Question, ended: _UnderWay) -> None:
        if self._under_way.get(question) is ended:
            del self._under_way[question]


def question_of(asked: Asked, request: GraphQLRequest) -> Question | None:
    """None for what is executed for each who asks: writes, and what `has_own_answer`."""
    if not asked.may_be_shared:
        return None
    return Question(id(asked), repr(request.variables), request.caller, request.in_parts)


def _as_joined(told: Told) -> Told:
    """What others have called for is shared; what it took is told to whom it was begun for."""
    spent = {
        provider: Spending(cache_hits=one.cache_hits, shared=one.calls + one.shared)
        for provider, one in told.tally.by_provider.items()
    }
    return msgspec.structs.replace(told, tally=Tally(spent), joined=True)
