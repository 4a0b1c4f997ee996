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
    """What an execution came to, the `cost` that was estimated before and what was spent. `request_id` is that of the
    request that it was begun for, `joined` whether this is told to another one."""

    execution: Execution
    result: ExecutionResult | ExperimentalIncrementalExecutionResults
    cost: dict[str, float]
    tally: Tally
    request_id: str
    joined: bool = False


Execute: TypeAlias = Callable[[], Awaitable[Told]]


class Question(msgspec.Struct, frozen=True, cache_hash=True):
    """Equal ones have the same answer at the same time. `operation` is the identity of one that is kept, and lives as
    long as its execution; `variables` are as Python writes them, which tells all values of JSON apart."""

    operation: int
    variables: str
    caller: Caller
    in_parts: bool


class _UnderWay(msgspec.Struct, kw_only=True):
    """`task` is None for what is executed in the task of its own request, which may end at any time. `was_joined` is
    whether anybody else wanted it."""

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

    async def join(self, question: Question) -> Told | None:
        """What others are told; None where nothing is under way that may be joined, or where it came to nothing: a
        mistake of ours, or somebody who ends all tasks, is no answer for anybody else."""
        found = self._under_way.get(question)
        if found is None or found.task is None or not self._may_be_joined(found):
            return None
        found.was_joined = True
        await self._wait(question, found, found.task)
        return None if found.task.cancelled() or found.task.exception() else _as_joined(found.task.result())

    async def begin(self, question: Question | None, execute: Execute) -> Told:
        """For whoever has nothing to join; without a question nobody else will. Raises what `execute` does."""
        if question is None:
            return await execute()
        is_second = question in self._under_way
        if is_second:
            self._want(question)
        begun = self._under_way[question] = _UnderWay(
            began=self._clocks.monotonic(), changes=self._changes.total, was_joined=is_second
        )
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
