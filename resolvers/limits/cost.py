"""What an operation may cost, estimated before it runs.

Source: IBM GraphQL Cost Directives specification, section Static Query Analysis: the cost is that of the types (how
many objects the answer can hold) and that of the fields (how often each is resolved, with its arguments). Where a field
can answer several types, the dearest counts. Beyond the specification, what `@defer` and `@stream` put off costs 1 for
each part that it can come in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_object_type,
)
from graphql.execution.values import VariableValues, get_directive_values
from graphql.type import GraphQLIncludeDirective, GraphQLSkipDirective

from gateway.http.settings import DocumentLimits
from resolvers.limits.putting_off import is_deferred, streams
from resolvers.limits.weights import Weights
from resolvers.refused import LimitExceeded

# Of the names of an answer, the fields that are merged into one.
_Fields: TypeAlias = dict[str, list[FieldNode]]
# Lists that a field above has given a size, by their names.
_Sizes: TypeAlias = Mapping[str, int]


def weigh(
    document: DocumentNode,
    chosen: OperationDefinitionNode,
    schema: GraphQLSchema,
    variables: VariableValues,
    limits: DocumentLimits,
) -> dict[str, float]:
    """The estimated cost, as `extensions.cost` tells it; empty where it is not to be told.

    Raises:
        LimitExceeded: when it is more than the limit.
    """
    root = schema.get_root_type(chosen.operation)
    assert root is not None
    estimated = _Estimate(document, schema, variables, limits).of_root(root, chosen.selection_set)
    if estimated > limits.max_cost:
        message = f"The estimated cost is {_number(estimated)}; at most {_number(limits.max_cost)} is allowed."
        raise LimitExceeded(
            "maxCost",
            allowed=_number(limits.max_cost),
            measured=_number(estimated),
            message=message,
            nodes=[chosen],
        )
    if limits.tell_cost == "off":
        return {}
    return {"estimated": _number(estimated), "allowed": _number(limits.max_cost)}


def _number(cost: float) -> float:
    """A whole number without a fraction that says nothing."""
    return int(cost) if cost == int(cost) else round(cost, 2)


@dataclass(slots=True)
class _Estimate:
    document: DocumentNode
    schema: GraphQLSchema
    variables: VariableValues
    limits: DocumentLimits
    weights: Weights = field(init=False)
    _fragments: dict[str, FragmentDefinitionNode] = field(init=False)
    # What was worked out before: the same selections of the same type, wherever they are spread.
    _known: dict[tuple[str, frozenset[int], frozenset[tuple[str, int]]], float] = field(default_factory=dict)
    _visited: int = 0

    def __post_init__(self) -> None:
        self.weights = Weights(self.schema, self.variables)
        self._fragments = {
            one.name.value: one for one in self.document.definitions if isinstance(one, FragmentDefinitionNode)
        }

    def of_root(self, root: GraphQLObjectType, selections: SelectionSetNode) -> float:
        return self.weights.of_type(root) + self._below(root, {id(selections): selections}, {})

    def _below(self, type_: GraphQLObjectType, sets: Mapping[int, SelectionSetNode], sizes: _Sizes) -> float:
        """The cost of everything that is selected of one object."""
        key = (type_.name, frozenset(sets), frozenset(sizes.items()))
        if key not in self._known:
            fields, parts = self._collect(type_, sets)
            self._known[key] = parts + sum(self._field(type_, nodes, sizes) for nodes in fields.values())
        return self._known[key]

    def _field(self, parent: GraphQLObjectType, nodes: list[FieldNode], sizes: _Sizes) -> float:
        """A field is resolved once for each object; what it answers is as often there as its list is long."""
        self._visit(len(nodes))
        node = nodes[0]
        definition = self.schema.get_field(parent, node.name.value)
        assert definition is not None
        type_ = get_named_type(definition.type)
        own = self.weights.of_field(definition, node)
        items = self._items(node, definition, sizes)
        sets = {id(one.selection_set): one.selection_set for one in nodes if one.selection_set}
        each = self._each(type_, sets, self.weights.sizes_below(definition, node) if sets else {})
        parts = 1 + items if any(streams(one, self.variables) for one in nodes) else 0
        # A weight may be negative, but no field makes its neighbours cheaper.
        return max(own, 0) + items * max(each, 0) + parts

    def _each(self, type_: GraphQLNamedType, sets: Mapping[int, SelectionSetNode], sizes: _Sizes) -> float:
        """One item of what a field answers."""
        if is_abstract_type(type_):
            return max((self._each(one, sets, sizes) for one in self.schema.get_possible_types(type_)), default=0)
        below = self._below(type_, sets, sizes) if is_object_type(type_) and sets else 0
        return self.weights.of_type(type_) + below

    def _items(self, node: FieldNode, definition: GraphQLField, sizes: _Sizes) -> int:
        sized = sizes.get(node.name.value)
        return self.weights.items(definition, node) if sized is None else sized

    def _visit(self, fields: int) -> None:
        """Fragments that are merged in ever new combinations could make the walk exponential."""
        self._visited += fields
        allowed = self.limits.max_merged_fields
        if self._visited > allowed:
            message = f"With every fragment unfolded the operation has more than {allowed} fields."
            raise LimitExceeded("maxMergedFields", allowed=allowed, measured=self._visited, message=message)

    def _collect(self, type_: GraphQLObjectType, sets: Mapping[int, SelectionSetNode]) -> tuple[_Fields, int]:
        """GraphQL specification, section 6.3.2, CollectFields; and how many fragments are deferred."""
        found: _Fields = {}
        spread: set[str] = set()
        deferred = 0
        for selections in sets.values():
            for node in self._flat(type_, selections, spread):
                if isinstance(node, FieldNode):
                    found.setdefault((node.alias or node.name).value, []).append(node)
                else:
                    deferred += is_deferred(node, self.variables)
        return found, deferred

    def _flat(
        self, type_: GraphQLObjectType, selections: SelectionSetNode, spread: set[str]
    ) -> Iterator[SelectionNode]:
        """Every field, and every fragment that it comes through."""
        waiting = list(reversed(selections.selections))
        while waiting:
            node = waiting.pop()
            if not self._included(node):
                continue
            yield node
            if isinstance(node, FieldNode):
                continue
            fragment: InlineFragmentNode | FragmentDefinitionNode
            if isinstance(node, FragmentSpreadNode):
                if node.name.value in spread:
                    continue
                spread.add(node.name.value)
                fragment = self._fragments[node.name.value]
            else:
                assert isinstance(node, InlineFragmentNode)
                fragment = node
            if self._applies(fragment, type_):
                waiting.extend(reversed(fragment.selection_set.selections))

    def _included(self, node: SelectionNode) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        if skip and skip["if"] is True:
            return False
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (include and include["if"] is False)

    def _applies(self, fragment: InlineFragmentNode | FragmentDefinitionNode, type_: GraphQLObjectType) -> bool:
        if fragment.type_condition is None or fragment.type_condition.name.value == type_.name:
            return True
        condition = self.schema.get_type(fragment.type_condition.name.value)
        abstract = isinstance(condition, GraphQLInterfaceType | GraphQLUnionType)
        return abstract and self.schema.is_sub_type(condition, type_)  # type: ignore[arg-type]  # as is_abstract says
