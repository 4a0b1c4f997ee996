"""The variables of an operation that is kept: their types are read once, and plain values are taken as they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLBoolean,
    GraphQLID,
    GraphQLInputType,
    GraphQLInt,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, input_is_nested_too_deeply
from graphql.utilities import coerce_input_value

# Values of exactly these types are what the scalar makes of them.
_PLAIN: Final[Mapping[Any, type]] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool, GraphQLInt: int}


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    signature: GraphQLVariableSignature
    plain: type | None
    may_be_left_out: bool


class KnownVariables:
    """For one operation that has passed validation."""

    def __init__(self, operation: OperationDefinitionNode, schema: GraphQLSchema) -> None:
        signatures = [get_variable_signature(schema, one) for one in operation.variable_definitions or ()]
        self._variables = tuple(_variable(one) for one in signatures if isinstance(one, GraphQLVariableSignature))

    def coerce(self, given: Mapping[str, Any]) -> VariableValues | None:
        """What graphql-core's `get_variable_values` makes of them; None where that has to be asked: a default is taken,
        or something is wrong with a value."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for variable in self._variables:
            value = given.get(variable.name, Undefined)
            if value is Undefined:
                if not variable.may_be_left_out:
                    return None
                sources[variable.name] = VariableValueSource(variable.signature)
                continue
            sources[variable.name] = VariableValueSource(variable.signature, value)
            kind = type(value)
            if kind is not variable.plain or (kind is int and not GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT):
                value = _coerced(value, variable.signature.type)
                if value is Undefined:
                    return None
            coerced[variable.name] = value
        return VariableValues(sources, coerced)


def _variable(signature: GraphQLVariableSignature) -> _Variable:
    type_, required = signature.type, is_non_null_type(signature.type)
    plain = _PLAIN.get(type_.of_type if is_non_null_type(type_) else type_)
    return _Variable(signature.name, signature, plain, may_be_left_out=not required and signature.default is None)


def _coerced(value: Any, type_: GraphQLInputType) -> Any:
    """Undefined for what is no value of the type."""
    try:
        return Undefined if input_is_nested_too_deeply(value, type_) else coerce_input_value(value, type_)
    except RecursionError:
        return Undefined
