"""The variables of an operation that is kept: their types are read once, and plain values are taken as they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLInputType, GraphQLSchema, OperationDefinitionNode, Undefined, is_non_null_type
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, input_is_nested_too_deeply
from graphql.utilities import coerce_input_value

from resolvers.known_inputs import Coerce, coercing


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    signature: GraphQLVariableSignature
    coerce: Coerce
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
            known = variable.coerce(value)
            if known is Undefined and (known := _coerced(value, variable.signature.type)) is Undefined:
                return None
            coerced[variable.name] = known
        return VariableValues(sources, coerced)


def _variable(signature: GraphQLVariableSignature) -> _Variable:
    may_be_left_out = not is_non_null_type(signature.type) and signature.default is None
    return _Variable(signature.name, signature, coercing(signature.type), may_be_left_out)


def _coerced(value: Any, type_: GraphQLInputType) -> Any:
    """Undefined for what is no value of the type."""
    try:
        return Undefined if input_is_nested_too_deeply(value, type_) else coerce_input_value(value, type_)
    except RecursionError:
        return Undefined
