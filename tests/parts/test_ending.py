"""However an answer in parts ends, nothing of it goes on."""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from graphql import ExperimentalIncrementalExecutionResults
from graphql.execution.types import InitialIncrementalExecutionResult, PendingResult

from gateway.resilience.operation import Operation, current_operation, operation
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from resolvers.parts import Execution, Parts
from tests.http.live import until
from tests.parts.conftest import Desk, Start, merged, run

DOCUMENTS = {
    "a deferred fragment": "query($id: ID!) { contact(id: $id) { id ... @defer { records { name } } } }",
    "a streamed list": "query($id: ID!) { contact(id: $id) { id records @stream { name } } }",
    "a page": """query($id: ID!) {
        contacts(first: 9) { edges @stream { node { id } } ... @defer { totalCount } } node(id: $id) { id }
    }""",
}
# Each edge that is ready has begun a stream of its own.
NESTED = """{ contacts(first: 9) { edges @stream { node {
  records @stream { notes raw } ... @defer { notes sources { state } }
} } } }"""
CREATE = """mutation { createContact(input: {
  name: "Ines Aalto", idempotencyKey: "k-1", emails: [{ address: "ines@aalto.example" }], providers: [GATELY]
}) { status ... @defer { contact { records { notes tags customFields } } } } }"""


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """No task, nor one that was forgotten while it waited for ever."""
    forgotten: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: forgotten.append(told))
    before = asyncio.all_tasks()
    yield
    await until(lambda: asyncio.all_tasks() <= before)
    gc.collect()
    assert forgotten == []


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("taken", [0, 1], ids=["before its first part", "after its first part"])
def test_a_client_that_goes_away_ends_everything(start: Start, document: str, taken: int) -> None:
    async def test() -> None:
        async with start() as desk:
            ada = await desk.ada()
            async with nothing_left():
                desk.hold()
                parts = await desk.begun(DOCUMENTS[document], id=ada)
                for _ in range(taken):
                    await anext(aiter(parts))
                await until(lambda: desk.waiting == 3)

                await parts.aclose()

                assert desk.waiting == 0
            assert [part async for part in parts] == []

    run(test)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_client_that_goes_away_while_it_waits_for_a_part_ends_everything(start: Start, document: str) -> None:
    async def test() -> None:
        async with start() as desk:
            ada = await desk.ada()
            async with nothing_left():
                desk.hold()
                parts = await desk.begun(DOCUMENTS[document], id=ada)
                await anext(aiter(parts))
                waiting = asyncio.ensure_future(anext(aiter(parts)))
                await until(lambda: desk.waiting == 3)

                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
                await parts.aclose()

                assert desk.waiting == 0

    run(test)


def test_a_client_that_goes_away_before_the_first_part_is_ready_ends_everything(start: Start) -> None:
    async def test() -> None:
        async with start() as desk:
            ada = await desk.ada()
            async with nothing_left():
                desk.hold()
                asked = "query($id: ID!) { contact(id: $id) { externalId ... @defer { records { name } } } }"
                running = asyncio.create_task(desk.run(asked, id=ada))
                await until(lambda: desk.waiting > 0)

                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

                assert desk.waiting == 0

    run(test)


def test_the_streams_of_edges_that_nobody_took_are_ended_too(start: Start) -> None:
    async def test() -> None:
        async with start() as desk, nothing_left():
            desk.hold_reads()
            parts = await desk.begun(NESTED)
            await anext(aiter(parts))
            # The pages are there, and what the edges need is asked for, but no edge is taken.
            await until(lambda: desk.waiting > 3)

            await parts.aclose()

            assert desk.waiting == 0

    run(test)


def test_a_write_runs_to_its_end_although_its_caller_is_gone_and_what_it_put_off_does_not(
    start: Start, sandbox: Sandbox
) -> None:
    async def test() -> None:
        async with start() as desk:
            before = len(sandbox.gately.contacts)
            async with nothing_left():
                sandbox.gately.faults.add(Fault(kind="slow", operation="create", delay_ms=50, count=1))
                running = asyncio.create_task(desk.run(CREATE))
                desk.hold()
                await until(lambda: len(sandbox.gately.contacts) == before + 1)
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                assert running.cancelled()
            assert desk.waiting == 0
            # It was not broken off: the same write is told as it ended.
            again = CREATE.split("...")[0] + "results { ... on ProviderWriteSuccess { action } } } }"
            assert (await desk.whole(again))["data"] == {
                "createContact": {"status": "SUCCEEDED", "results": [{"action": "REPLAYED"}]}
            }

            parts = await desk.begun(CREATE.replace("ines@", "ida@").replace("k-1", "k-2"))
            first = await anext(aiter(parts))
            assert first["data"] == {"createContact": {"status": "SUCCEEDED"}}
            async with nothing_left():
                await parts.aclose()

    run(test)


def test_the_deadline_of_the_operation_holds_for_its_last_part(start: Start, sandbox: Sandbox) -> None:
    async def test() -> None:
        async with start(query_deadline_seconds=0.05) as desk:
            ada = await desk.ada()
            sandbox.klen.faults.add(Fault(kind="hang"))
            async with nothing_left():
                answer = merged(await desk.parts(DOCUMENTS["a deferred fragment"], id=ada))

            records = answer["data"]["contact"]["records"]
            assert [record and record["name"] for record in records] == ["Ada Winter", None, "Ada Winter"]
            (error,) = answer["errors"]
            assert (error["path"], error["extensions"]["code"]) == (["contact", "records", 1], "PROVIDER_TIMEOUT")

    run(test)


def test_what_goes_on_later_still_spends_from_the_operation_that_it_is_of() -> None:
    async def whose() -> Operation:
        return current_operation()

    async def test() -> None:
        executor: Any = None
        with operation(deadline_seconds=7) as begun:
            execution = Execution(executor, executor)
        assert current_operation() is not begun
        assert await execution.within(whose()) is begun

    run(test)


class _Ended:
    """An execution of nothing."""

    def __init__(self) -> None:
        self.ended: list[bool] = []

    async def within(self, step: Any) -> Any:
        return await step

    async def end(self, *, answered: bool) -> None:
        self.ended.append(answered)


def test_what_breaks_on_the_way_is_told_in_the_last_part_for_all_that_was_to_come() -> None:
    async def breaks() -> Any:
        raise RuntimeError("secret")
        yield

    async def test() -> None:
        pending = [PendingResult("0", ["contact"]), PendingResult("1", ["contacts", "edges"])]
        first = InitialIncrementalExecutionResult({"contact": {}}, None, pending=pending, has_next=True)
        execution: Any = _Ended()
        results = ExperimentalIncrementalExecutionResults(first, breaks())
        parts = Parts(execution, results, request_id="7", extensions={"cost": {"estimated": 1}}, spent=dict)

        told = [part async for part in parts]

        message = "Something went wrong in the gateway. The log tells more about this request id."
        error = {"message": message, "extensions": {"code": "INTERNAL_ERROR", "requestId": "7"}}
        assert told == [
            {
                "data": {"contact": {}},
                "pending": [{"id": "0", "path": ["contact"]}, {"id": "1", "path": ["contacts", "edges"]}],
                "hasNext": True,
                "extensions": {"cost": {"estimated": 1}},
            },
            {"completed": [{"id": "0", "errors": [error]}, {"id": "1", "errors": [error]}], "hasNext": False},
        ]
        # The first end counts: what was still under way is broken off.
        assert execution.ended[0] is False

    run(test)


def test_the_most_parts_that_the_limits_allow_stay_small(start: Start) -> None:
    """A page of 100, a stream in each, and as many deferred fragments in each as a document may have directives."""
    fragments = " ".join(f"... @defer {{ a{one}: id }}" for one in range(48))
    document = (
        f"{{ contacts(first: 100) {{ edges @stream {{ node {{ records @stream {{ provider }} {fragments} }} }} }} }}"
    )

    async def test(desk: Desk) -> list[dict[str, Any]]:
        return await desk.parts(document)

    async def measured() -> None:
        async with start() as desk:
            async with nothing_left():
                tracemalloc.start()
                parts = await test(desk)
                _, peak = tracemalloc.get_traced_memory()
                tracemalloc.stop()
            announced = [one for part in parts for one in part.get("pending", [])]
            # One for the edges; for each of them its records and its fragments.
            assert len(announced) == 1 + 100 * 49
            assert len(merged(parts)["data"]["contacts"]["edges"]) == 100
            assert peak < 64 * 1024 * 1024

    run(measured)


async def _costs(desk: Desk, document: str) -> float:
    answer = await desk.whole(document)
    estimated: float = answer["extensions"]["cost"]["estimated"]
    return estimated


def test_each_part_costs(start: Start) -> None:
    async def test() -> None:
        async with start(tell_cost="on") as desk:
            plain = "{ contacts(first: 10) { nodes { id ... { name } records { id } } } }"
            once = await _costs(desk, plain)
            # Ten fragments; ten times a stream of at most three records; a stream of ten nodes.
            assert await _costs(desk, plain.replace("... {", "... @defer {")) == once + 10
            assert await _costs(desk, plain.replace("records {", "records @stream {")) == once + 10 * 4
            assert await _costs(desk, plain.replace("nodes {", "nodes @stream {")) == once + 11
            assert await _costs(desk, plain.replace("nodes {", "nodes @stream(if: false) {")) == once

    run(test)
