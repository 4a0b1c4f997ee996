"""Which requests are executed by a plan: those of documents that are kept, unless it is switched off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from resolvers.parts import Whole
from resolvers.plans.plan import Plan
from tests.conftest import Gateway

CONTACTS = """query($first: Int!) { contacts(first: $first) { nodes { id ...N } sources { provider } } }
fragment N on ContactFields { name emails { address } }"""
WRITE = 'mutation { createContact(input: {name: "Ada Winter", emails: [{address: "a@b.example"}]}) { status } }'


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """By what each operation was executed."""
    seen: list[str] = []
    begin, build = Plan.begin, Whole.build.__func__  # type: ignore[attr-defined]  # a class method

    def begun(plan: Plan, **named: Any) -> Any:
        planned = begin(plan, **named)
        seen.append("plan" if planned else "no plan")
        return planned

    def built(cls: type[Whole], *arguments: Any, **named: Any) -> Any:
        seen.append(cls.__name__)
        return build(cls, *arguments, **named)

    monkeypatch.setattr(Plan, "begin", begun)
    monkeypatch.setattr(Whole, "build", classmethod(built))
    return seen


def test_queries_and_mutations_are_executed_by_their_plans(
    start_gateway: Callable[..., Gateway], executed: list[str]
) -> None:
    gateway = start_gateway()
    answers = [gateway.data(CONTACTS, first=5) for _ in range(2)]
    gateway.data(WRITE)

    assert answers[0] == answers[1]
    assert len(answers[0]["contacts"]["nodes"]) == 5
    assert executed == ["plan"] * 3


def test_switched_off_nothing_is(start_gateway: Callable[..., Gateway], executed: list[str]) -> None:
    gateway = start_gateway(compiled_plans="off")
    gateway.data(CONTACTS, first=5)

    assert executed == ["Whole"]


def test_both_ways_answer_the_same(start_gateway: Callable[..., Gateway]) -> None:
    answers = [start_gateway(compiled_plans=way).answer(CONTACTS, first=9) for way in ("on", "off")]

    assert answers[0] == answers[1]


@pytest.mark.parametrize("size", [0, 10])
def test_what_is_not_kept_is_not_compiled(
    start_gateway: Callable[..., Gateway], executed: list[str], size: int
) -> None:
    start_gateway(document_cache_characters=size).data(CONTACTS, first=5)

    assert executed == ["Whole"]


def test_introspection_goes_the_ordinary_way(start_gateway: Callable[..., Gateway], executed: list[str]) -> None:
    start_gateway(introspection="on").data("{ __schema { queryType { name } } }")

    assert executed == ["Whole"]
