"""The same query at the same time: executed once, told to all, and never older or by other rights than asked for."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import pytest
from graphql import ExecutionResult, GraphQLSchema, parse
from msgspec import structs

from gateway.contacts.changes import Changes
from gateway.domain.caller import ANYBODY, Caller
from gateway.domain.contact import Provider, RecordKey
from gateway.http.result import GraphQLRequest
from gateway.resilience.tally import Spending, Tally
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from resolvers.own_answers import ARGUMENTS, DIRECTIVES, has_own_answer
from resolvers.passed_documents import Asked
from resolvers.schema import build_schema
from resolvers.shared_answers import JOINED_SECONDS, Question, SharedAnswers, Told, question_of
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS
from tests.graphql.traffic import Traffic
from tests.reading.bench import FakeTime, Providers

QUESTION = Question(1, "{}", ANYBODY, False)
CONTACT = "query($id: ID!) { contact(id: $id) { name records { provider } } }"
KLEN = {"id": ADA_CONTACTS["klen"]}


class Broken(Exception):
    pass


def told(request_id: str) -> Told:
    tally = Tally({Provider.KLEN: Spending(calls=2, cache_hits=3, shared=4, waited_ms=5, spent_ms=6)})
    result = ExecutionResult({"said": request_id})
    return Told(execution=cast("Any", None), result=result, cost={"estimated": 7}, tally=tally, request_id=request_id)


@dataclass
class Rig:
    """Executions that end when the test says so."""

    time: FakeTime = field(default_factory=FakeTime)
    begun: list[str] = field(default_factory=list)
    broken_off: list[str] = field(default_factory=list)
    tasks: dict[str, Any] = field(default_factory=dict)
    ends: dict[str, asyncio.Future[None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.changes = Changes(self.time.clocks.monotonic)
        self.shared = SharedAnswers(self.changes, self.time.clocks)

    def ask(self, name: str, question: Question = QUESTION) -> asyncio.Task[Told]:
        async def execute() -> Told:
            self.begun.append(name)
            self.tasks[name] = asyncio.current_task()
            self.ends[name] = asyncio.get_running_loop().create_future()
            try:
                await self.ends[name]
            except asyncio.CancelledError:
                # Whatever is under way ends in its own time.
                await asyncio.sleep(0)
                self.broken_off.append(name)
                raise
            return told(name)

        async def answer() -> Told:
            return await self.shared.join(question) or await self.shared.begin(question, execute)

        return asyncio.ensure_future(answer())

    def end(self, name: str) -> None:
        self.ends[name].set_result(None)

    async def ask_all(self, *names: str, question: Question = QUESTION) -> list[asyncio.Task[Told]]:
        """One after the other, until each has begun or joined."""
        asking = []
        for name in names:
            asking.append(self.ask(name, question))
            await turns()
        return asking


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def run(scene: Callable[[Rig], Awaitable[None]]) -> None:
    async def playing() -> None:
        await asyncio.wait_for(scene(Rig()), 10)

    asyncio.run(playing())


def said(asking: asyncio.Task[Told]) -> Any:
    return cast("Any", asking.result().result).data["said"]


class TestExecutions:
    def test_what_is_asked_once_is_executed_where_it_was_asked(self) -> None:
        async def scene(rig: Rig) -> None:
            (asking,) = await rig.ask_all("a")
            assert rig.tasks["a"] is asking
            rig.end("a")
            assert await asking == told("a")
            assert not rig.shared._under_way

        run(scene)

    def test_whoever_asks_the_same_meanwhile_begins_what_all_others_join(self) -> None:
        async def scene(rig: Rig) -> None:
            asking = await rig.ask_all("a", "b", "c", "d")
            assert rig.begun == ["a", "b"]
            rig.end("b")
            await asyncio.wait(asking[1:])
            assert [said(one) for one in asking[1:]] == ["b", "b", "b"]
            assert not asking[0].done()
            rig.end("a")
            assert said(await _ended(asking[0])) == "a"

        run(scene)

    def test_the_next_time_everybody_joins_the_first(self) -> None:
        async def scene(rig: Rig) -> None:
            await _twice(rig)
            asking = await rig.ask_all("c", "d", "e")
            rig.end("c")
            await asyncio.wait(asking)
            assert rig.begun == ["a", "b", "c"]
            assert [said(one) for one in asking] == ["c"] * 3

        run(scene)

    def test_two_are_enough_for_that(self) -> None:
        async def scene(rig: Rig) -> None:
            for first, second in ("ab", "cd", "ef"):
                asking = await rig.ask_all(first, second)
                for name in {first, second} & {*rig.begun}:
                    rig.end(name)
                await asyncio.wait(asking)
            assert rig.begun == ["a", "b", "c", "e"]

        run(scene)

    def test_until_nobody_joins_any_more(self) -> None:
        async def scene(rig: Rig) -> None:
            await _twice(rig)
            for name in "cd":
                (asking,) = await rig.ask_all(name)
                rig.end(name)
                await asking
                assert (rig.tasks[name] is asking) == (name == "d")

        run(scene)

    def test_what_has_ended_is_not_joined(self) -> None:
        async def scene(rig: Rig) -> None:
            await _twice(rig)
            for name in "cd":
                first, second = await rig.ask_all(name, f"{name}2")
                rig.end(name)
                assert (await first, (await second).request_id) == (told(name), name)
            assert rig.begun == ["a", "b", "c", "d"]
            assert not rig.shared._under_way

        run(scene)

    @pytest.mark.parametrize(
        "other",
        [
            Question(2, "{}", ANYBODY, False),
            Question(1, "{'id': 1}", ANYBODY, False),
            Question(1, "{}", Caller(id="key:a", may_read=ANYBODY.may_read, may_write=ANYBODY.may_write), False),
            Question(1, "{}", Caller(id="anybody", may_read=frozenset(), may_write=frozenset()), False),
            Question(1, "{}", ANYBODY, True),
        ],
        ids=["operation", "variables", "caller", "rights", "parts"],
    )
    def test_what_differs_is_executed_by_itself(self, other: Question) -> None:
        async def scene(rig: Rig) -> None:
            await _twice(rig)
            await rig.ask_all("c")
            await rig.ask_all("d", question=other)
            assert rig.begun == ["a", "b", "c", "d"]
            rig.end("c")
            rig.end("d")

        run(scene)

    def test_what_was_wanted_is_remembered_within_bounds(self) -> None:
        async def scene(rig: Rig) -> None:
            for number in range(300):
                question = Question(number, "{}", ANYBODY, False)
                asking = await rig.ask_all(f"a{number}", f"b{number}", f"c{number}", question=question)
                rig.end(f"a{number}")
                rig.end(f"b{number}")
                await asyncio.wait(asking)
            assert len(rig.shared._wanted) == 256
            assert hash(Question(299, "{}", ANYBODY, False)) in rig.shared._wanted

        run(scene)

    def test_whoever_joins_has_spent_nothing(self) -> None:
        async def scene(rig: Rig) -> None:
            await _twice(rig)
            first, second = await rig.ask_all("c", "d")
            rig.end("c")
            assert await first == told("c")
            joined = await second
            assert joined.tally == Tally({Provider.KLEN: Spending(cache_hits=3, shared=6)})
            assert (joined.joined, joined.request_id, joined.cost) == (True, "c", {"estimated": 7})

        run(scene)


class TestAge:
    def test_after_a_change_nobody_joins(self) -> None:
        async def scene(rig: Rig) -> None:
            await _twice(rig)
            asking = await rig.ask_all("c", "d")
            rig.changes.add(RecordKey(Provider.KLEN, "1"))
            asking += await rig.ask_all("e", "f")
            rig.changes.note()
            asking += await rig.ask_all("g")
            assert rig.begun == ["a", "b", "c", "e", "g"]
            for name in "ceg":
                rig.end(name)
            await asyncio.wait(asking)
            assert [said(one) for one in asking] == ["c", "c", "e", "e", "g"]

        run(scene)

    @pytest.mark.parametrize(("passed", "joins"), [(JOINED_SECONDS, True), (JOINED_SECONDS * 1.1, False)])
    def test_nor_long_after_the_beginning(self, passed: float, joins: bool) -> None:
        async def scene(rig: Rig) -> None:
            await _twice(rig)
            asking = await rig.ask_all("c", "d")
            rig.time.advance(passed)
            asking += await rig.ask_all("e")
            assert ("e" not in rig.begun) == joins
            for name in rig.begun[2:]:
                rig.end(name)
            await asyncio.wait(asking)
            assert not rig.shared._under_way

        run(scene)


class TestEnds:
    def test_whoever_began_may_leave(self) -> None:
        async def scene(rig: Rig) -> None:
            await _twice(rig)
            first, second = await rig.ask_all("c", "d")
            first.cancel()
            await asyncio.wait([first])
            (third,) = await rig.ask_all("e")
            rig.end("c")
            assert (await second, await third) == (await second, await second)
            assert (rig.begun, rig.broken_off) == (["a", "b", "c"], [])

        run(scene)

    def test_when_all_have_left_it_is_broken_off_and_has_ended(self) -> None:
        async def scene(rig: Rig) -> None:
            await _twice(rig)
            asking = await rig.ask_all("c", "d")
            broken_off: list[list[str]] = []
            for one in asking:
                one.add_done_callback(lambda _: broken_off.append([*rig.broken_off]))
                one.cancel()
            await asyncio.wait(asking)
            assert [one.cancelled() for one in asking] == [True, True]
            assert broken_off == [[], ["c"]]
            assert not rig.shared._under_way

        run(scene)

    def test_what_breaks_breaks_for_whoever_began_it_and_is_executed_anew_for_others(self) -> None:
        async def scene(rig: Rig) -> None:
            await _twice(rig)
            first, second = await rig.ask_all("c", "d")
            rig.ends["c"].set_exception(Broken())
            with pytest.raises(Broken):
                await first
            await turns()
            rig.end("d")
            assert await second == told("d")

        run(scene)

    def test_so_is_what_somebody_else_has_ended(self) -> None:
        async def scene(rig: Rig) -> None:
            await _twice(rig)
            first, second = await rig.ask_all("c", "d")
            rig.tasks["c"].cancel()
            await asyncio.wait([first])
            assert first.cancelled()
            await turns()
            rig.end("d")
            assert await second == told("d")

        run(scene)


async def _twice(rig: Rig) -> None:
    """From now on it is known to be asked for at the same time."""
    asking = await rig.ask_all("a", "b", "b2")
    rig.end("a")
    rig.end("b")
    await asyncio.wait(asking)


async def _ended(asking: asyncio.Task[Told]) -> asyncio.Task[Told]:
    await asyncio.wait([asking])
    return asking


@pytest.mark.parametrize(
    ("document", "has"),
    [
        ("{ contact(id: 1) { name } }", False),
        ("{ contact(id: 1, maxAgeSeconds: 5) { name } }", True),
        ("query($most: Int) { contact(id: 1, maxWaitMs: $most) { name } }", True),
        ("query($maxAgeSeconds: ID!) { maxWaitMs: contact(id: $maxAgeSeconds) { name @include(if: true) } }", False),
        ("{ ...Q } fragment Q on Query { contact(id: 1, maxWaitMs: 5) { name } }", True),
        ("{ contact(id: 1) { ... @defer { name } } }", True),
        ("{ contacts { nodes @stream { name } } }", True),
    ],
)
def test_which_queries_are_executed_for_each_who_asks(document: str, has: bool) -> None:
    assert has_own_answer(parse(document)) == has


def test_the_schema_has_what_they_are_known_by() -> None:
    schema: GraphQLSchema = build_schema()._schema
    fields = [field for kind in schema.type_map.values() for field in getattr(kind, "fields", {}).values()]

    assert {name for one in fields for name in getattr(one, "args", {})} >= ARGUMENTS
    assert {directive.name for directive in schema.directives} >= DIRECTIVES


def test_questions_are_equal_where_all_their_variables_are() -> None:
    document = parse("query { __typename }")
    asked = Asked(document, cast("Any", document.definitions[0]), may_be_shared=True)
    values = [None, 0, 0.0, -0.0, False, "", "0", "None", [], {}, [0], ["0"], 10**30, 1e30, float("inf"), "\ud800", "é"]
    many = [None, {}, *({"id": value} for value in values), {"id": 0, "n": 0}, {"n": "'}, {'id': 0}"}]

    questions = [
        question_of(asked, GraphQLRequest(request_id="r", caller=ANYBODY, query="", variables=copy.deepcopy(variables)))
        for variables in [*many, *many]
    ]

    assert questions[: len(many)] == questions[len(many) :]
    assert len(set(questions)) == len(many)


def test_what_may_not_be_shared_is_no_question_and_whoever_asks_is_part_of_others() -> None:
    document = parse("query { __typename }")
    asked, alone = (Asked(document, cast("Any", document.definitions[0]), may_be_shared=is_) for is_ in (True, False))
    request = GraphQLRequest(request_id="r", caller=ANYBODY, query="")
    somebody = Caller(id="key:a", may_read=ANYBODY.may_read, may_write=ANYBODY.may_write)

    assert question_of(alone, request) is None
    assert question_of(asked, request) == Question(id(asked), "None", ANYBODY, False)
    assert question_of(asked, structs.replace(request, caller=somebody, in_parts=True)) == Question(
        id(asked), "None", somebody, True
    )


class Asking:
    """Queries to a gateway that are under way at the same time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._replies: list[Future[httpx.Response]] = []

    def ask(self, query: str, *, headers: dict[str, str] | None = None, **variables: Any) -> None:
        """Until it has begun, or joined, or is done."""
        body = {"query": query, "variables": variables}
        send = self._gateway._client.post("/graphql", json=body, headers=headers)
        self._replies.append(asyncio.run_coroutine_threadsafe(send, self._gateway._loop))
        self._gateway._run(turns())

    def answers(self) -> list[Any]:
        return [reply.result(timeout=30).json() for reply in self._replies]


@contextmanager
def held(providers: Providers, name: str) -> Iterator[None]:
    providers[name].hold()
    yield
    providers[name].wait_for_answer()
    providers[name].let_go()


class TestThroughAGateway:
    def test_six_who_ask_the_same_are_told_the_same_by_two_executions(
        self, start_keeping: Callable[..., Gateway], providers: Providers, traffic: Traffic
    ) -> None:
        gateway = start_keeping(read_cache_seconds=0, stale_if_error_seconds=0, tell_providers="on")
        asking = Asking(gateway)
        with held(providers, "KLEN"):
            asking.ask(CONTACT, **KLEN)
            providers["KLEN"].wait_for_answer()
            for _ in range(5):
                asking.ask(CONTACT, **KLEN)

        answers = asking.answers()
        assert [answer["data"] for answer in answers] == [answers[0]["data"]] * 6
        assert answers[0]["data"]["contact"]["name"]
        spent = [answer["extensions"]["providers"][0] for answer in answers]
        assert [(one["calls"], one["sharedCalls"]) for one in spent] == [(1, 0)] * 2 + [(0, 1)] * 4
        assert len(traffic.calls["klen"]) == providers["KLEN"].asked == 2

    def test_switched_off_each_is_executed_by_itself(
        self, start_keeping: Callable[..., Gateway], providers: Providers
    ) -> None:
        gateway = start_keeping(read_cache_seconds=0, shared_answers="off")
        asking = Asking(gateway)
        with held(providers, "KLEN"):
            asking.ask(CONTACT, **KLEN)
            providers["KLEN"].wait_for_answer()
            for _ in range(3):
                asking.ask(CONTACT, **KLEN)

        assert len(asking.answers()) == providers["KLEN"].asked == 4

    def test_the_same_write_twice_is_two_writes(self, gateway: Gateway, traffic: Traffic) -> None:
        asking = Asking(gateway)
        write = 'mutation { createContact(input: {name: "Ines Aalto", providers: [KLEN]}) { status } }'
        for _ in range(3):
            asking.ask(write)

        assert [answer["data"]["createContact"]["status"] for answer in asking.answers()] == ["SUCCEEDED"] * 3
        assert len(traffic.bodies("klen")) == 3

    def test_a_failure_is_told_to_all_of_them(
        self, start_keeping: Callable[..., Gateway], sandbox: Sandbox, traffic: Traffic
    ) -> None:
        asking = Asking(start_keeping(attempt_timeout_seconds=0.3))
        sandbox.klen.faults.add(Fault(kind="hang"))
        for _ in range(4):
            asking.ask(CONTACT, **KLEN)

        answers = asking.answers()
        assert [answer["errors"] for answer in answers] == [answers[0]["errors"]] * 4
        assert {error["extensions"]["code"] for error in answers[0]["errors"]} == {"PROVIDER_TIMEOUT"}
        assert len(traffic.calls["klen"]) == 1

    def test_whoever_asks_after_a_write_is_told_what_it_wrote(
        self, start_keeping: Callable[..., Gateway], providers: Providers
    ) -> None:
        gateway = start_keeping(read_cache_seconds=0, stale_if_error_seconds=0)
        asking = Asking(gateway)
        with held(providers, "KLEN"):
            for _ in range(2):
                asking.ask(CONTACT, **KLEN)
            providers["KLEN"].wait_for_answer()
            ids = [ADA_CONTACTS["klen"], ADA_CONTACTS["gately"]]
            gateway.data("mutation($ids: [ID!]!) { linkContacts(input: {ids: $ids}) { contact { id } } }", ids=ids)
            asking.ask(CONTACT, **KLEN)

        first, second, third = [
            [record["provider"] for record in answer["data"]["contact"]["records"]] for answer in asking.answers()
        ]
        assert (first, second, third) == (["KLEN"], ["KLEN"], ["GATELY", "KLEN"])
