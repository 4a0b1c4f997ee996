"""What @defer and @stream may not ask: one error that says what to change, and nobody is asked for anything."""

from typing import Any

import pytest

from gateway.http.result import GraphQLResult
from tests.parts.conftest import Start, run

COUNTED = "query($count: Int) { contacts { edges @stream(initialCount: $count) { cursor } } }"
WATCH = "subscription($yes: Boolean! = true) { providerStatusChanged { state ... @defer(if: $yes) { provider } } }"
WRITE = 'updateContact(input: {id: "x"}) { status }'
NOT_DEFERRED = (
    "Defer directive not supported on subscription operations."
    " Disable `@defer` by setting the `if` argument to `false`."
)
OVERLAPPING = (
    "Fields 'edges' conflict because they have overlapping stream directives."
    " Use different aliases on the fields to fetch both if this was intentional."
)

REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a count below nought": (
        "{ contacts { edges @stream(initialCount: -1) { cursor } } }",
        {},
        "`initialCount` of @stream is -1; it has to be 0 or more.",
    ),
    "a count below nought in a variable": (
        COUNTED,
        {"count": -7},
        "`initialCount` of @stream is -7; it has to be 0 or more.",
    ),
    "no count": (COUNTED, {"count": None}, "`initialCount` of @stream is null; it has to be 0 or more."),
    "within a fragment": (
        "{ contacts { ...F } } fragment F on ContactConnection { nodes @stream(initialCount: -1) { id } }",
        {},
        "`initialCount` of @stream is -1; it has to be 0 or more.",
    ),
    "a subscription that defers": (
        WATCH,
        {},
        "A subscription cannot defer or stream; leave @defer and @stream out, or set `if: false`.",
    ),
    "a subscription that defers, by the document alone": (
        WATCH.replace("(if: $yes)", "").replace("($yes: Boolean! = true)", ""),
        {},
        NOT_DEFERRED,
    ),
    "a write that is put off": (
        f"mutation {{ ... @defer {{ {WRITE} }} }}",
        {},
        "Defer directive cannot be used on root mutation type 'Mutation'.",
    ),
    "what is no list": (
        "{ contacts { pageInfo @stream { endCursor } } }",
        {},
        "Stream directive cannot be used on non-list field 'pageInfo' on type 'ContactConnection'.",
    ),
    "a name twice": (
        '{ ... @defer(label: "a") { providers { provider } } ... @defer(label: "a") { __typename } }',
        {},
        "Defer/Stream directive label argument must be unique.",
    ),
    "two ways for one list": (
        "{ contacts { edges @stream { cursor } edges @stream(initialCount: 2) { cursor } } }",
        {},
        OVERLAPPING,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("in_parts", [False, True], ids=["whole", "in parts"])
def test_it_is_refused(start: Start, case: str, in_parts: bool) -> None:
    document, variables, message = REFUSED[case]

    async def test() -> None:
        async with start() as desk:
            answer = await desk.run(document, in_parts=in_parts, **variables)

            assert isinstance(answer, GraphQLResult)
            assert answer.status == 400
            assert set(answer.body) == {"errors"}
            (error,) = answer.body["errors"]
            assert (error["message"], error["extensions"]["code"]) == (message, "GRAPHQL_VALIDATION_FAILED")
            assert desk.calls == {"gately": 0, "klen": 0, "cometly": 0}

    run(test)


def test_more_parts_than_the_cost_allows_are_refused(start: Start) -> None:
    async def test() -> None:
        async with start(max_cost=1_000) as desk:
            twice = "... @defer { id } ... @defer { name }"
            answer = await desk.run(f"{{ contacts(first: 100) {{ edges @stream {{ node {{ {twice * 5} }} }} }} }}")

            (error,) = answer.body["errors"]
            assert error["extensions"]["limit"] == "maxCost"

    run(test)


def test_a_subscription_that_defers_nothing_after_all_runs(start: Start) -> None:
    async def test() -> None:
        async with start() as desk:
            stream = await desk.run(WATCH, yes=False)
            assert set((await anext(stream.events))["data"]["providerStatusChanged"]) == {"state", "provider"}
            await stream.events.aclose()

    run(test)


def test_the_schema_tells_of_both_directives(start: Start) -> None:
    async def test() -> None:
        async with start() as desk:
            told = await desk.whole("{ __schema { directives { name locations args { name } } } }")
            named = {one["name"]: one for one in told["data"]["__schema"]["directives"]}
            assert named["defer"] == {
                "name": "defer",
                "locations": ["FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
                "args": [{"name": "if"}, {"name": "label"}],
            }
            assert named["stream"] == {
                "name": "stream",
                "locations": ["FIELD"],
                "args": [{"name": "if"}, {"name": "label"}, {"name": "initialCount"}],
            }

    run(test)
