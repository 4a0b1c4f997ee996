"""Every example tab of GraphiQL is an operation that the published schema accepts."""

import json
import re
from pathlib import Path

import pytest
from graphql import (
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "gateway/http/graphiql_ui/examples").glob("*.graphql"))


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))


def read_operation(example: Path) -> OperationDefinitionNode:
    (operation,) = parse(example.read_text(encoding="utf-8")).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation


def read_variables(example: Path) -> dict[str, object]:
    path = example.with_suffix(".variables.json")
    variables = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    assert isinstance(variables, dict)
    return variables


def test_the_tabs_are_numbered_without_gaps() -> None:
    assert [example.name[:3] for example in EXAMPLES] == [f"{number:02}-" for number in range(1, len(EXAMPLES) + 1)]


def test_no_variables_are_left_without_their_example() -> None:
    variables = (ROOT / "gateway/http/graphiql_ui/examples").glob("*.variables.json")

    assert {path.name.removesuffix(".variables.json") for path in variables} <= {example.stem for example in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
class TestExample:
    def test_it_begins_by_saying_what_it_shows(self, example: Path) -> None:
        assert re.match(r"# \w.*\.\n", example.read_text(encoding="utf-8").replace("\n# ", " "))

    def test_its_operation_has_the_name_of_its_file(self, example: Path) -> None:
        """GraphiQL shows the operation's name on the tab."""
        name = read_operation(example).name

        assert name is not None
        assert name.value == example.stem[3:].title().replace("-", "")

    def test_the_schema_accepts_it(self, example: Path, schema: GraphQLSchema) -> None:
        assert validate(schema, parse(example.read_text(encoding="utf-8"))) == []

    def test_the_schema_accepts_its_variables(self, example: Path, schema: GraphQLSchema) -> None:
        definitions = read_operation(example).variable_definitions or ()
        variables = read_variables(example)

        assert not isinstance(get_variable_values(schema, definitions, variables), list)
        assert set(variables) <= {definition.variable.name.value for definition in definitions}


def test_every_mutation_has_an_example(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    shown = {
        selection.name.value  # type: ignore[attr-defined]  # no example has a fragment at its root
        for example in EXAMPLES
        for selection in read_operation(example).selection_set.selections
    }

    assert set(schema.mutation_type.fields) <= shown
