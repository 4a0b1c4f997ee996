"""What an operation was estimated to cost before, so that it is not estimated for every request."""

from collections.abc import Hashable
from typing import Any, Final

from graphql import (
    GraphQLSchema,
    ListTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    TypeNode,
    is_input_object_type,
)
from graphql.execution.values import VariableValues

# Sizes of pages come in few numbers; who sends ever new ones has them estimated.
_MOST: Final = 32
_NOT_GIVEN: Final = object()


class KnownCosts:
    """For one operation. Of the values of variables only numbers and conditions can make a difference, and what is
    given in input objects; an operation that takes those is estimated anew each time."""

    def __init__(self, operation: OperationDefinitionNode, schema: GraphQLSchema) -> None:
        self._deciding = _deciding(operation, schema)
        self._known: dict[Hashable, dict[str, float]] = {}

    def find(self, variables: VariableValues) -> dict[str, float] | None:
        return self._known.get(self._case(variables))

    def keep(self, variables: VariableValues, cost: dict[str, float]) -> None:
        if self._deciding is not None and len(self._known) < _MOST:
            self._known[self._case(variables)] = cost

    def _case(self, variables: VariableValues) -> Hashable:
        return tuple(variables.coerced.get(name, _NOT_GIVEN) for name in self._deciding or ())


def _deciding(operation: OperationDefinitionNode, schema: GraphQLSchema) -> tuple[str, ...] | None:
    """The names of the variables that tell one case from another; None where more than these do."""
    names: list[str] = []
    for definition in operation.variable_definitions or ():
        kind, is_list = _named(definition.type)
        if is_input_object_type(schema.get_type(kind)):
            return None
        if kind in ("Int", "Boolean"):
            if is_list:
                return None
            names.append(definition.variable.name.value)
    return tuple(names)


def _named(type_: TypeNode) -> tuple[str, bool]:
    """The name of the type, and whether it is a list of it."""
    node: Any = type_
    is_list = False
    while isinstance(node, ListTypeNode | NonNullTypeNode):
        is_list = is_list or isinstance(node, ListTypeNode)
        node = node.type
    return node.name.value, is_list
