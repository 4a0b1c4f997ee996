"""What the schema says about costs: the weights of types, fields and arguments, and the sizes of lists.

Source: IBM GraphQL Cost Directives specification, sections Weight, List Size and Default Values.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, TypeVar

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLOutputType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_input_object_type,
    is_introspection_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.values import VariableValues
from strawberry.schema.schema_converter import GraphQLCoreConverter

from resolvers.cost_directives import Cost, ListSize

D = TypeVar("D", Cost, ListSize)
_OfObject: TypeAlias = tuple[float, Mapping[str, tuple[float, GraphQLInputObjectType | None]]]
Defined: TypeAlias = GraphQLNamedType | GraphQLField | GraphQLArgument | GraphQLInputField

# Introspection asks nobody and its types can carry no directive, so a part of it costs a part of what an object does.
_INTROSPECTION_WEIGHT = 0.02
# What a type of this schema has about the most of, on average over those that have any.
_INTROSPECTION_SIZES = {
    "fields": 10,
    "inputFields": 10,
    "enumValues": 10,
    "args": 2,
    "possibleTypes": 3,
    "interfaces": 2,
    "directives": 8,
}


class Weights:
    """Reads the directives that `resolvers.cost_directives` has put on the schema, for one operation's variables."""

    def __init__(self, schema: GraphQLSchema, variables: VariableValues) -> None:
        self._variables: Mapping[str, Any] = variables.coerced
        self._inputs = InputWeights()
        self._introspection_sizes = {"types": len(schema.type_map), **_INTROSPECTION_SIZES}

    def of_type(self, type_: GraphQLNamedType) -> float:
        return own_weight(type_)

    def of_field(self, definition: GraphQLField, node: FieldNode) -> float:
        """Resolving the field once, with the arguments that it is given."""
        own = directive_of(definition, Cost)
        type_ = get_named_type(definition.type)
        weight = float(own.weight) if own else self.of_type(type_)
        for argument in node.arguments or ():
            declared = definition.args[argument.name.value]
            weight += _own(declared) + sum(self._input(declared.type, argument.value))
        return weight

    def items(self, definition: GraphQLField, node: FieldNode) -> int:
        """How many items the field itself answers; 1 where nothing is known about a list, as the specification says."""
        if not _is_list(definition.type):
            return 1
        if is_introspection_type(get_named_type(definition.type)):
            return self._introspection_sizes.get(node.name.value, 1)
        size = directive_of(definition, ListSize)
        return self._size(size, definition, node) if size and not size.sized_fields else 1

    def sizes_below(self, definition: GraphQLField, node: FieldNode) -> Mapping[str, int]:
        """The lists below the field that its arguments give a size."""
        size = directive_of(definition, ListSize)
        if not size or not size.sized_fields:
            return {}
        return dict.fromkeys(size.sized_fields, self._size(size, definition, node))

    def _size(self, size: ListSize, definition: GraphQLField, node: FieldNode) -> int:
        sliced = [
            value
            for name in size.slicing_arguments or ()
            if isinstance(value := self._argument(definition, node, name), int)
        ]
        # The specification takes the greatest where there are several.
        return max([0, *sliced]) if sliced else size.assumed_size or 1

    def _argument(self, definition: GraphQLField, node: FieldNode, name: str) -> Any:
        """An integer, or whatever else shows that there is none."""
        given = next((one.value for one in node.arguments or () if one.name.value == name), None)
        if isinstance(given, IntValueNode):
            return int(given.value)
        if isinstance(given, VariableNode):
            given = self._variables.get(given.name.value)
        return definition.args[name].default_value if given is None else given

    def _input(self, type_: GraphQLInputType, value: Any) -> Iterator[float]:
        """Those of what is given as an argument: of each input object, and of fields that have one of their own."""
        if isinstance(value, VariableNode):
            yield self._inputs.of(get_named_type(type_), self._variables.get(value.name.value))
        elif is_non_null_type(type_):
            yield from self._input(type_.of_type, value)
        elif is_list_type(type_):
            # One item is as good as a list of one.
            for item in value.values if isinstance(value, ListValueNode) else [value]:
                yield from self._input(type_.of_type, item)
        elif is_input_object_type(type_) and isinstance(value, ObjectValueNode):
            own, fields = self._inputs.of_object(type_)
            yield own
            for given in value.fields:
                weight, _ = fields[given.name.value]
                yield weight
                yield from self._input(type_.fields[given.name.value].type, given.value)


class InputWeights:
    """The weights of what variables hold, of which each type is read once; what nests within JSON is one value."""

    def __init__(self) -> None:
        self._objects: dict[str, _OfObject] = {}

    def of(self, type_: GraphQLNamedType, value: Any) -> float:
        """Of a value of that type, or of a list of them."""
        if not is_input_object_type(type_) or value is None:
            return 0
        if isinstance(value, list | tuple):
            return sum([self.of(type_, item) for item in value])
        own, fields = self.of_object(type_)
        for name, below in value.items():
            weight, type_below = fields[name]
            own += weight
            if type_below is not None:
                own += self.of(type_below, below)
        return own

    def of_object(self, type_: GraphQLInputObjectType) -> "_OfObject":
        """That of one by itself, and of each field the own one and the type where that is one of objects."""
        if type_.name not in self._objects:
            named = {name: (_own(one), get_named_type(one.type)) for name, one in type_.fields.items()}
            fields = {
                name: (own, below if is_input_object_type(below) else None) for name, (own, below) in named.items()
            }
            self._objects[type_.name] = own_weight(type_), fields
        return self._objects[type_.name]


def own_weight(type_: GraphQLNamedType) -> float:
    own = directive_of(type_, Cost)
    if own:
        return float(own.weight)
    if is_introspection_type(type_):
        return _INTROSPECTION_WEIGHT if is_composite_type(type_) else 0
    return 1 if is_composite_type(type_) or is_input_object_type(type_) else 0


def _own(definition: GraphQLArgument | GraphQLInputField) -> float:
    weighted = directive_of(definition, Cost)
    return float(weighted.weight) if weighted else 0


def directive_of(definition: Defined, kind: type[D]) -> D | None:
    """The directive that Strawberry keeps beside what it built."""
    written = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return next((one for one in getattr(written, "directives", None) or () if isinstance(one, kind)), None)


def _is_list(type_: GraphQLOutputType) -> bool:
    return is_list_type(type_.of_type if is_non_null_type(type_) else type_)
