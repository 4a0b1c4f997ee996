"""Which resolvers plans call themselves, and what these are given."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
import strawberry
from graphql import ExecutionResult, FieldNode, OperationDefinitionNode, parse
from graphql.execution.values import VariableValues
from strawberry import relay

from resolvers.input_reading import read_at_once
from resolvers.plans.compile import compile_plan
from resolvers.plans.places import Place, to_path
from resolvers.plans.run import Operation, Run, SelectedField
from resolvers.plans.schema_parts import SchemaParts
from resolvers.schema import build_schema
from tests.plans.small import Shouting, Size


@strawberry.input
class Given:
    one: int = 1


@strawberry.input
class Often:
    two: strawberry.Maybe[int | None]
    sizes: list[Size] | None = None


read_at_once(Often)


def _info_only(info: strawberry.Info) -> str:
    return info.field_name


async def _later(root: Any, info: strawberry.Info, my_size: Size = Size.SMALL, id: strawberry.ID | None = None) -> str:
    return f"{root} {info.path.key} {my_size} {id}"


def _renamed(of: Annotated[int, strawberry.argument(name="from")], info: strawberry.Info) -> str:
    return f"{of} {info.python_name}"


async def _may_fail(text: str | None) -> str | None:
    return text


def _by_self(self: Any, number: int = 2) -> str:
    return f"{self} {number}"


def _global_id(id: relay.GlobalID) -> str:
    return id.node_id


def _a_list(ids: list[strawberry.ID], sizes: list[Size] | None = None) -> str:
    # The second time it would find nothing, were they not its own.
    return f"{ids.pop()} {sizes.pop() if sizes else sizes}"


def _an_input(given: Given) -> int:
    return given.one


def _read_at_once(given: list[Often] | None = None, mine: Often | None = strawberry.UNSET) -> str:
    return f"{given} {mine}"


def _global_ids(ids: list[relay.GlobalID]) -> int:
    return len(ids)


def _several(given: list[Given]) -> int:
    return len(given)


def _maybe(text: strawberry.Maybe[str | None] = None) -> str:
    return repr(text)


@strawberry.type
class Query:
    info_only: str = strawberry.field(resolver=_info_only)
    later: str = strawberry.field(resolver=_later)
    renamed: str = strawberry.field(resolver=_renamed)
    by_self: str = strawberry.field(resolver=_by_self)
    may_fail: str | None = strawberry.field(resolver=_may_fail)
    global_id: str = strawberry.field(resolver=_global_id)
    a_list: str = strawberry.field(resolver=_a_list)
    an_input: int = strawberry.field(resolver=_an_input)
    read_at_once: str = strawberry.field(resolver=_read_at_once)
    global_ids: int = strawberry.field(resolver=_global_ids)
    several: int = strawberry.field(resolver=_several)
    maybe: str = strawberry.field(resolver=_maybe)
    extended: str = strawberry.field(resolver=_info_only, extensions=[Shouting()])


SCHEMA = strawberry.Schema(query=Query)._schema
PARTS = SchemaParts(SCHEMA)


def called_by_plans(schema: Any, type_name: str) -> list[str]:
    type_, parts = schema.get_type(type_name), SchemaParts(schema)
    return [name for name, one in type_.fields.items() if parts.plain_resolver(type_, name, one) is not None]


def test_those_for_whom_the_wrapper_only_hands_everything_on() -> None:
    assert called_by_plans(SCHEMA, "Query") == ["infoOnly", "later", "renamed", "bySelf", "aList", "readAtOnce"]


def test_contacts_are_among_them() -> None:
    schema = build_schema()._schema

    assert called_by_plans(schema, "Query") == [
        "node",
        "nodes",
        "contact",
        "contactsByEmail",
        "contacts",
        "providers",
    ]
    assert {"records"} <= set(called_by_plans(schema, "Contact"))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("infoOnly", "infoOnly"),
        ("x: later", "root x Size.SMALL None"),
        ('later(mySize: LARGE, id: "a")', "root later Size.LARGE a"),
        ("renamed(from: 3)", "3 renamed"),
        ("bySelf", "root 2"),
        ('mayFail(text: "a")', "a"),
        ('globalId(id: "UGFydDoz")', "3"),
        ('aList(ids: ["a"])', "a None"),
        ('aList(ids: "a", sizes: [SMALL])', "a Size.SMALL"),
        ('aList(ids: ["a"], sizes: [SMALL, LARGE])', "a Size.LARGE"),
        ("readAtOnce", "None "),
        ("readAtOnce(given: null, mine: null)", "None None"),
        ("readAtOnce(mine: {sizes: SMALL})", "None Often(two=None, sizes=[<Size.SMALL: 1>])"),
        ("readAtOnce(given: {two: null})", "[Often(two=Some(None), sizes=None)] "),
        ('globalIds(ids: ["UGFydDoz"])', 1),
        ("several(given: [{}, {one: 2}])", 2),
        ("anInput(given: {})", 1),
        ("maybe(text: null)", "Some(None)"),
        ("extended", "EXTENDED"),
    ],
)
def test_each_gets_what_it_takes(asked: str, told: Any) -> None:
    document = parse(f"{{ {asked} }}")
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    plan = compile_plan(PARTS, document, operation)
    assert plan is not None

    async def executed() -> ExecutionResult:
        await once()
        return await once()

    async def once() -> ExecutionResult:
        planned = plan.begin(context_value=None, variables=VariableValues({}, {}), root_value="root")
        assert planned is not None
        result = planned.execute_operation()
        result = result if isinstance(result, ExecutionResult) else await result
        # Nothing went wrong, so nothing was asked of an executor.
        assert planned.run._executor is None
        return result

    result = asyncio.run(executed())

    assert (list((result.data or {}).values()), result.errors) == ([told], None)


def test_an_info_is_the_one_that_an_executor_makes() -> None:
    document = parse("query($a: Int) { later }")
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    (node,) = operation.selection_set.selections
    query = SCHEMA.query_type
    assert isinstance(node, FieldNode)
    assert query is not None
    selected = SelectedField(query.fields["later"], [node], query)
    run = Run(
        Operation(SCHEMA, operation, {}, {}),
        VariableValues({}, {"a": 1}),
        context_value="context",
        root_value="root",
        hide_suggestions=False,
    )
    place: Place = ((None, "above", "Query"), "later", "Part")

    made = run.info(selected, place)
    ordinary: Any = run.executor.build_resolve_info(selected.definition, selected.nodes, query, to_path(place))

    assert type(made) is type(ordinary)
    assert made._replace(async_helpers=None) == ordinary._replace(async_helpers=None)
    assert made.async_helpers.gather == ordinary.async_helpers.gather
    assert made.async_helpers.track == ordinary.async_helpers.track
