"""A page of contacts that fills as providers answer, and walks over such pages: all comes, and comes once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.contact import Provider
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from tests.graphql.ids import ADA_CONTACTS
from tests.graphql.test_contact_list import stock
from tests.http.live import until
from tests.parts.conftest import Desk, Start, merged, run

PAGE = """query($first: Int! = 6, $after: String, $filter: ContactFilter) {
  contacts(first: $first, after: $after, filter: $filter) {
    edges @stream { cursor node { id } }
    ... @defer { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } sources { provider state } }
  }
}"""
UNDIVIDED = PAGE.replace("@stream", "").replace("... @defer {", "... {")


def brought(parts: Sequence[dict[str, Any]]) -> list[Any]:
    """The nodes of the edges in these parts."""
    items = [item for part in parts for one in part.get("incremental", []) for item in one.get("items", [])]
    return [item and item["node"]["id"] for item in items]


async def until_quiet(parts: Any, count: int) -> list[dict[str, Any]]:
    """So many parts as bring `count` edges."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while len(brought(found)) < count:
            found.append(await anext(aiter(parts)))
    return found


@pytest.mark.parametrize("slow", Provider)
def test_the_edges_of_the_quick_do_not_wait_for_the_slow(start: Start, sandbox: Sandbox, slow: Provider) -> None:
    async def test() -> None:
        async with start() as desk:
            desk.hold(slow)
            parts = await desk.begun(PAGE)
            assert (await anext(aiter(parts)))["data"] == {"contacts": {"edges": []}}

            # Two of each of the quick, which is their share of six; nothing says how the two are shuffled.
            early = await until_quiet(parts, 4)
            quick = [one.value for one in Provider if one is not slow]
            assert sorted(brought(early)) == sorted(it for one in quick for it in stock(sandbox, one)[:2])
            assert desk.waiting == 1
            desk.let(slow)
            late = [part async for part in parts]
            assert brought(late) == stock(sandbox, slow.value)[:2]

    run(test)


def test_what_a_short_or_failed_provider_leaves_is_dealt_in_turn_at_the_end(start: Start, sandbox: Sandbox) -> None:
    async def test() -> None:
        async with start() as desk:
            sandbox.klen.faults.add(Fault(kind="status", status=500))

            answer = merged(await desk.parts(PAGE, first=9))

            page = answer["data"]["contacts"]
            nodes = [edge and edge["node"]["id"] for edge in page["edges"]]
            gately, cometly = stock(sandbox, "gately"), stock(sandbox, "cometly")
            # Three of each, then by turns; and a null in the place of the provider that failed.
            assert nodes[-3:] == [gately[3], cometly[3], gately[4]]
            assert sorted(filter(None, nodes)) == sorted([*gately[:5], *cometly[:4]])
            assert nodes.count(None) == 1
            (error,) = answer["errors"]
            assert error["path"] == ["contacts", "edges", nodes.index(None)]
            assert error["extensions"]["code"] == "PROVIDER_ERROR"
            assert [source["state"] for source in page["sources"]] == ["OK", "FAILED", "OK"]
            assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (None, True)

    run(test)


def test_the_end_tells_what_an_undivided_page_tells(start: Start) -> None:
    async def test() -> None:
        async with start() as desk:
            divided = merged(await desk.parts(PAGE, first=100))["data"]["contacts"]
            undivided = (await desk.whole(UNDIVIDED, first=100))["data"]["contacts"]

            assert len(divided["edges"]) == len(undivided["edges"]) == 100
            assert divided["pageInfo"]["startCursor"] == divided["edges"][0]["cursor"]
            assert divided["pageInfo"]["endCursor"] == divided["edges"][-1]["cursor"]
            for one in ("totalCount", "sources"):
                assert divided[one] == undivided[one]
            for one in ("hasNextPage", "hasPreviousPage"):
                assert divided["pageInfo"][one] == undivided["pageInfo"][one]

    run(test)


def test_without_defer_the_rest_of_the_page_waits_for_every_provider(start: Start) -> None:
    async def test() -> None:
        async with start() as desk:
            desk.hold(Provider.COMETLY)
            asked = "{ contacts(first: 6) { edges @stream { node { id } } pageInfo { hasNextPage } } }"

            running = asyncio.create_task(desk.begun(asked))
            await until(lambda: desk.waiting == 1)
            assert not running.done()
            desk.let()
            answer = merged([part async for part in await running])
            assert len(answer["data"]["contacts"]["edges"]) == 6

    run(test)


@pytest.mark.parametrize("arguments", ["first: 0", "first: 101", 'after: "x"', 'filter: {search: " "}'])
def test_what_is_wrong_is_refused_as_it_is_without_streaming(start: Start, arguments: str) -> None:
    async def test() -> None:
        async with start() as desk:
            divided = await desk.run(f"{{ contacts({arguments}) {{ edges @stream {{ cursor }} }} }}")
            whole = await desk.whole(f"{{ contacts({arguments}) {{ edges {{ cursor }} }} }}")

            assert divided.body["data"] == {"contacts": None}
            (error,) = divided.body["errors"]
            assert error["extensions"] == whole["errors"][0]["extensions"]
            assert desk.calls == {"gately": 0, "klen": 0, "cometly": 0}

    run(test)


def test_nodes_are_streamed_as_edges_are(start: Start, sandbox: Sandbox) -> None:
    async def test() -> None:
        async with start() as desk:
            desk.hold(Provider.GATELY)
            parts = await desk.begun("{ contacts(first: 6) { nodes @stream { id } ... @defer { edges { cursor } } } }")
            assert (await anext(aiter(parts)))["data"] == {"contacts": {"nodes": []}}
            desk.let()
            following = [part async for part in parts]
            nodes = [
                item["id"] for part in following for one in part.get("incremental", []) for item in one.get("items", [])
            ]
            assert sorted(nodes) == sorted(it for one in Provider for it in stock(sandbox, one.value)[:2])

    run(test)


@pytest.mark.parametrize("linked", [False, True])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.integers(5, 60), st.permutations(list(Provider)), st.booleans()), min_size=1, max_size=5
    )
)
def test_a_walk_gives_everything_exactly_once(
    start: Start, sandbox: Sandbox, steps: Sequence[tuple[int, Sequence[Provider], bool]], linked: bool
) -> None:
    """In whatever order the providers answer, however large the pages, and with undivided pages in between."""

    async def walked(desk: Desk) -> list[str]:
        found: list[str] = []
        after = None
        for number in range(400):
            first, order, undivided = steps[number % len(steps)]
            if undivided:
                page = (await desk.whole(UNDIVIDED, first=first, after=after))["data"]["contacts"]
            else:
                page = await one_page(desk, order, first, after)
            assert len(page["edges"]) <= first
            found += [edge["node"]["id"] for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]
        raise AssertionError("the walk does not end")

    async def one_page(desk: Desk, order: Sequence[Provider], first: int, after: str | None) -> Any:
        desk.hold()
        parts = await desk.begun(PAGE, first=first, after=after)
        reading = asyncio.create_task(every(parts))
        for provider in order:
            await asyncio.sleep(0)
            desk.let(provider)
        return merged(await reading)["data"]["contacts"]

    async def every(parts: Any) -> list[dict[str, Any]]:
        return [part async for part in parts]

    async def test() -> None:
        async with start() as desk:
            expected = sorted(one for provider in Provider for one in stock(sandbox, provider.value))
            if linked:
                await desk.ada()
                expected = [one for one in expected if one not in (ADA_CONTACTS["klen"], ADA_CONTACTS["cometly"])]
            assert sorted(await walked(desk)) == expected

    sandbox.reset()
    run(test)
