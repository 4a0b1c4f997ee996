"""A small schema whose answers a test can foretell, and how to ask it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

import strawberry
from graphql import ExecutionResult, OperationDefinitionNode, parse
from graphql.execution.values import get_variable_values
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission

from resolvers.plans.compile import compile_plan
from resolvers.plans.plan import Plan
from resolvers.plans.schema_parts import SchemaParts


@strawberry.enum
class Size(Enum):
    SMALL = 1
    LARGE = 2


@dataclass
class Thing:
    """What the types are told by; it says what was asked of it."""

    name: Any = "thing"
    size: Any = Size.SMALL
    count: Any = 1
    tags: Any = ("a", "b")
    part: Any = None
    parts: Any = ()
    is_part: bool = True
    log: list[str] = field(default_factory=list)


@strawberry.interface
class Named:
    name: str | None

    @classmethod
    def is_type_of(cls, _value: Any, _info: Any) -> bool:
        return True


@strawberry.type
class Part(Named):
    size: Size | None
    count: int
    tags: list[str] | None
    part: Part | None
    parts: list[Part]

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return isinstance(value, Thing) and not isinstance(value, Box) and value.is_part


@strawberry.type
class Crate(Named):
    count: int

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return isinstance(value, Box)


class Box(Thing):
    """A thing that is a crate."""


class Shouting(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: Any, **named: Any) -> Any:
        return str(next_(source, info, **named)).upper()


class Nobody(BasePermission):
    message = "nobody may"

    def has_permission(self, source: Any, info: Any, **named: Any) -> bool:
        return False


async def _slow(root: Any, turns: int = 1, name: str = "slow") -> str | None:
    root.log.append(f"{name} begins")
    for _ in range(turns):
        await asyncio.sleep(0)
    root.log.append(f"{name} ends")
    return name


def _said(info: strawberry.Info, text: str = "nothing", times: int = 1) -> str:
    return f"{info.path.key}: {text * times}"


def _whole(root: Thing) -> Any:
    return root


@strawberry.type
class Query:
    part: Part | None = strawberry.field(resolver=_whole)
    sure: Part = strawberry.field(resolver=_whole)
    named: list[Named | None] = strawberry.field(resolver=lambda root: root.parts)
    either: list[Annotated[Part | Crate, strawberry.union("Either")]] = strawberry.field(
        resolver=lambda root: root.parts
    )
    name: str | None
    tags: list[str] | None
    loud: str = strawberry.field(resolver=lambda: "loud", extensions=[Shouting()])
    forbidden: str | None = strawberry.field(resolver=lambda: "no", permission_classes=[Nobody])

    said: str = strawberry.field(resolver=_said)
    slow: str | None = strawberry.field(resolver=_slow)


@strawberry.type
class Mutation:
    slow: str | None = strawberry.field(resolver=_slow)

    sure: Part = strawberry.field(resolver=_whole)
    count: int


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation, types=[Part, Crate])._schema
PARTS = SchemaParts(SCHEMA)


def planned(document: str, *, max_fields: int = 1_000) -> Plan | None:
    parsed = parse(document)
    operation = next(one for one in parsed.definitions if isinstance(one, OperationDefinitionNode))
    return compile_plan(PARTS, parsed, operation, max_fields=max_fields)


def asked(document: str, root: Any = None, *, max_fields: int = 1_000, **variables: Any) -> ExecutionResult:
    plan = planned(document, max_fields=max_fields)
    assert plan is not None
    coerced = get_variable_values(SCHEMA, plan.operation.variable_definitions or (), variables)
    assert not isinstance(coerced, list)
    root = Thing() if root is None else root

    async def run() -> ExecutionResult:
        begun = plan.begin(context_value=None, variables=coerced, root_value=root)
        assert begun is not None
        result = begun.execute_operation()
        return result if isinstance(result, ExecutionResult) else await result

    return asyncio.run(run())


def told(result: ExecutionResult) -> tuple[Any, list[tuple[str, Any]]]:
    """The data, and each error's message and path."""
    return result.data, [(error.message, error.path) for error in result.errors or []]
