"""What an operation was estimated to cost before, so that it is not estimated for every request."""

from collections.abc import Hashable, Mapping
from typing import Any, Final

from graphql import (
    GraphQLNamedType,
    GraphQLSchema,
    ListTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    TypeNode,
    is_input_object_type,
)
from graphql.execution.values import VariableValues

from resolvers.limits.weights import InputWeights

# Sizes of pages and weights of inputs come in few numbers; who sends ever new ones has them estimated.
_MOST: Final = 32
_NOT_GIVEN: Final = object()


class KnownCosts:
    """For one operation. Of the values of variables only numbers and conditions can make a difference, and of what is
    given in input objects what it weighs."""

    def __init__(self, operation: OperationDefinitionNode, schema: GraphQLSchema) -> None:
        self._deciding = _deciding(operation)
        self._given = _given_in_objects(operation, schema)
        self._inputs = InputWeights()
        self._known: dict[Hashable, dict[str, float]] = {}

    def find(self, variables: VariableValues) -> dict[str, float] | None:
        return self._known.get(self._case(variables))

    def keep(self, variables: VariableValues, cost: dict[str, float]) -> None:
        if self._deciding is not None and len(self._known) < _MOST:
            self._known[self._case(variables)] = cost

    def _case(self, variables: VariableValues) -> Hashable:
        given = variables.coerced
        numbers = tuple(given.get(name, _NOT_GIVEN) for name in self._deciding or ())
        return numbers, tuple(self._inputs.of(type_, given.get(name)) for name, type_ in self._given.items())


def _deciding(operation: OperationDefinitionNode) -> tuple[str, ...] | None:
    """The names of the numbers and conditions that tell one case from another; None where lists of them do."""
    names: list[str] = []
    for definition in operation.variable_definitions or ():
        kind, is_list = _named(definition.type)
        if kind in ("Int", "Boolean"):
            if is_list:
                return None
            names.append(definition.variable.name.value)
    return tuple(names)


def _given_in_objects(operation: OperationDefinitionNode, schema: GraphQLSchema) -> Mapping[str, GraphQLNamedType]:
    """The names of the variables that hold input objects, or lists of them."""
    types = {
        definition.variable.name.value: schema.get_type(_named(definition.type)[0])
        for definition in operation.variable_definitions or ()
    }
    return {name: type_ for name, type_ in types.items() if type_ and is_input_object_type(type_)}


def _named(type_: TypeNode) -> tuple[str, bool]:
    """The name of the type, and whether it is a list of it."""
    node: Any = type_
    is_list = False
    while isinstance(node, ListTypeNode | NonNullTypeNode):
        is_list = is_list or isinstance(node, ListTypeNode)
        node = node.type
    return node.name.value, is_list
