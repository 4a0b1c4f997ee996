"""What is compiled, how much of it, and what goes the ordinary way."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from graphql import OperationDefinitionNode, is_object_type, parse
from graphql.execution import Executor
from graphql.execution.values import get_variable_values

from resolvers.passed_documents import Asked, PassedDocuments
from resolvers.plans.compile import compile_plan
from resolvers.plans.objects import ObjectCompletion
from resolvers.plans.schema_parts import SchemaParts
from resolvers.schema import build_schema
from tests.plans.small import PARTS, SCHEMA, Thing, asked, planned, told


@pytest.mark.parametrize(
    "document",
    [
        "{ __schema { queryType { name } } }",
        '{ a: __type(name: "Part") { name } }',
        "{ ...F } fragment F on Query { __schema { queryType { name } } }",
        "{ ... @defer { name } }",
        "{ ...F @defer(if: false) } fragment F on Query { name }",
        "{ tags @stream }",
        "{ name @unknown }",
        "query @unknown { name }",
        "{ name @skip(if: 1) }",
        "subscription { name }",
    ],
)
def test_what_goes_the_ordinary_way(document: str) -> None:
    assert planned(document) is None


def test_introspection_that_a_mutation_leads_to_goes_the_ordinary_way() -> None:
    schema = build_schema()._schema
    document = parse('mutation { linkContacts(input: {ids: ["a"]}) { query { __schema { queryType { name } } } } }')
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)

    assert compile_plan(SchemaParts(schema), document, operation) is None


@pytest.mark.parametrize("variables", [{}, {"s": None}])
def test_a_condition_that_is_null_is_left_to_the_executor(variables: dict[str, Any]) -> None:
    plan = planned("query($s: Boolean = null) { name @skip(if: $s) }")
    assert plan is not None
    coerced = get_variable_values(SCHEMA, plan.operation.variable_definitions or (), variables)
    assert not isinstance(coerced, list)

    assert plan.begin(context_value=None, variables=coerced) is None


class TestRoom:
    def test_what_does_not_fit_into_a_plan_is_executed_the_ordinary_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        document = "{ part { part { name } } a: part { name count } }"
        thing = Thing(count=None, part=Thing("below"))
        answer = told(asked(document, thing))
        ordinarily: list[str] = []
        real = Executor.collect_and_execute_subfields

        def watched(executor: Any, type_: Any, *rest: Any) -> Any:
            ordinarily.append(type_.name)
            return real(executor, type_, *rest)

        monkeypatch.setattr(Executor, "collect_and_execute_subfields", watched)
        # Two at the root, one and one below the first of them, two below the second; each object takes one more.
        for room, count in ((10, 0), (9, 1), (6, 2), (3, 3)):
            ordinarily.clear()
            assert told(asked(document, thing, max_fields=room)) == answer
            assert len(ordinarily) == count

    def test_a_case_that_does_not_fit_goes_the_ordinary_way(self) -> None:
        plan = planned("query($s: Boolean!) { name tags @skip(if: $s) }", max_fields=4)
        assert plan is not None

        def begun(s: bool) -> Any:
            coerced = get_variable_values(SCHEMA, plan.operation.variable_definitions or (), {"s": s})
            assert not isinstance(coerced, list)
            return plan.begin(context_value=None, variables=coerced)

        assert begun(True)
        assert begun(False) is None
        assert begun(True)

    def test_cases_in_which_nothing_is_selected_take_room_too(self) -> None:
        names = [f"s{number}" for number in range(6)]
        conditions = " ".join(f"... @include(if: ${name}) {{" for name in names) + " name" + " }" * len(names)
        defined = ", ".join(f"${name}: Boolean!" for name in names)
        plan = planned(f"query({defined}) {{ {conditions} }}", max_fields=20)
        assert plan is not None

        begun = 0
        for said in product([True, False], repeat=len(names)):
            variables = dict(zip(names, said, strict=True))
            coerced = get_variable_values(SCHEMA, plan.operation.variable_definitions or (), variables)
            assert not isinstance(coerced, list)
            begun += plan.begin(context_value=None, variables=coerced) is not None
        assert begun == 19

    def test_a_kept_document_has_the_room_that_its_text_can_well_use(self) -> None:
        written = "{ " + " ".join(f"a{number}: name" for number in range(10)) + " }"
        unfolded = "{ " + " ".join(f"a{number}: part {{ ...F }}" for number in range(30))
        unfolded += " } fragment F on Part { " + " ".join(f"a{number}: name" for number in range(30)) + " }"

        for text, fields, fits in ((written, 10, True), (unfolded, 30 + 30 * 30, False)):
            document = parse(text)
            operation = document.definitions[0]
            assert isinstance(operation, OperationDefinitionNode)
            kept = PassedDocuments(PARTS.schema, 100_000, PARTS).keep(text, None, Asked(document, operation))
            assert kept.plan is not None
            assert kept.plan.room.take(fields) is fits


def test_the_gateways_own_fields_have_no_extension_and_no_permission() -> None:
    """Then nothing is lost by calling their resolvers past Strawberry; a field that gets one is not called so."""
    schema = build_schema()._schema
    fields = [
        field.extensions["strawberry-definition"]
        for type_ in schema.type_map.values()
        if is_object_type(type_) and not type_.name.startswith("__")
        for field in type_.fields.values()
    ]

    assert [field.name for field in fields if field.extensions or field.permission_classes] == []


@pytest.mark.parametrize(
    ("type_name", "field", "told_by_object"),
    [
        ("Phone", "number", True),
        ("Contact", "name", True),
        ("Contact", "sources", True),
        ("ContactRecord", "remoteId", True),
        ("Contact", "records", False),
        ("Query", "contact", False),
    ],
)
def test_fields_that_the_object_alone_tells_are_got_past_strawberry(
    type_name: str, field: str, told_by_object: bool
) -> None:
    schema = build_schema()._schema
    type_: Any = schema.get_type(type_name)

    assert (SchemaParts(schema).getter(type_, field, type_.fields[field]) is not None) is told_by_object


def test_fields_that_say_more_than_their_resolver_are_not() -> None:
    query: Any = SCHEMA.query_type

    assert [name for name in query.fields if PARTS.getter(query, name, query.fields[name]) is None] == [
        "loud",
        "forbidden",
        "said",
        "slow",
    ]


def test_objects_are_compiled_when_the_first_one_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    real = ObjectCompletion._compile

    def watched(completion: ObjectCompletion) -> Any:
        compiled.append(completion._type.name)
        return real(completion)

    monkeypatch.setattr(ObjectCompletion, "_compile", watched)
    asked("{ part { part { name } parts { name } } }", Thing(parts=[Thing(), Thing()]))

    assert compiled == ["Part", "Part"]
