"""How deep a document nests: fields, lists, a field within itself, introspection.

Each fragment is measured once, whatever spreads it. The document need not be valid: what the schema does not know adds
its depth and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SchemaMetaFieldDef,
    SelectionNode,
    SelectionSetNode,
    TypeMetaFieldDef,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

_INTO_INTROSPECTION: Mapping[str, GraphQLField] = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}
# Whatever goes round in circles in introspection passes one of these. They are those of graphql-core's own rule.
_CIRCULAR = ("fields", "interfaces", "possibleTypes", "inputFields")


@dataclass(slots=True)
class Nesting:
    """The greatest of each measure over all paths. `within` is how often a field, by its coordinate, stands on one
    path; `introspection` is how many lists of fields or types do."""

    depth: int = 0
    lists: int = 0
    introspection: int = 0
    within: dict[str, int] = field(default_factory=dict)

    def widen(self, other: "Nesting") -> None:
        """Takes in what stands beside it."""
        self.depth = max(self.depth, other.depth)
        self.lists = max(self.lists, other.lists)
        self.introspection = max(self.introspection, other.introspection)
        for coordinate, times in other.within.items():
            self.within[coordinate] = max(self.within.get(coordinate, 0), times)

    @property
    def most_within(self) -> tuple[str, int]:
        """A field and how often it stands on one path."""
        return max(self.within.items(), key=lambda one: one[1], default=("", 0))


def measure(document: DocumentNode, chosen: OperationDefinitionNode, schema: GraphQLSchema) -> Nesting:
    """The nesting of one operation and of the fragments that it spreads."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    measuring = _Measuring(schema)
    for name in _innermost_first(fragments):
        measuring.learn(fragments[name])
    return measuring.below(chosen.selection_set, schema.get_root_type(chosen.operation))


class _Measuring:
    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: dict[str, Nesting] = {}

    def learn(self, fragment: FragmentDefinitionNode) -> None:
        type_ = self._schema.get_type(fragment.type_condition.name.value)
        self._known[fragment.name.value] = self.below(fragment.selection_set, type_)

    def below(self, selections: SelectionSetNode, parent: GraphQLNamedType | None) -> Nesting:
        """Recurses within one definition only, which the parser lets nest 200 deep."""
        total = Nesting()
        for node in selections.selections:
            if isinstance(node, FragmentSpreadNode):
                # A fragment that is not known yet is missing, or contains itself. Validation refuses both.
                total.widen(self._known.get(node.name.value, Nesting()))
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                within = self._schema.get_type(condition.name.value) if condition else parent
                total.widen(self.below(node.selection_set, within))
            elif isinstance(node, FieldNode):
                total.widen(self._field(node, parent))
        return total

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Nesting:
        name = node.name.value
        definition = _INTO_INTROSPECTION.get(name) or _definition(parent, name)
        type_ = get_named_type(definition.type) if definition else None
        found = self.below(node.selection_set, type_) if node.selection_set else Nesting()
        if name in _INTO_INTROSPECTION:
            # It asks nobody, so only its own circles count; tools nest it deep.
            return Nesting(introspection=found.introspection)
        found.depth += 1
        if definition and parent:
            found.lists += _lists(definition.type)
            found.introspection += parent.name == "__Type" and name in _CIRCULAR
            if node.selection_set:
                coordinate = f"{parent.name}.{name}"
                found.within[coordinate] = found.within.get(coordinate, 0) + 1
        return found


def _definition(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    return parent.fields.get(name) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None


def _lists(type_: GraphQLOutputType) -> int:
    if is_non_null_type(type_):
        return _lists(type_.of_type)
    return 1 + _lists(type_.of_type) if is_list_type(type_) else 0


def _innermost_first(fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[str]:
    """Every fragment after those that it spreads, but for circles. Without recursion: a chain of fragments may be
    longer than Python's stack."""
    spreads = {name: _spreads(fragment.selection_set) for name, fragment in fragments.items()}
    begun: set[str] = set()
    for root in fragments:
        path = [] if root in begun else [(root, iter(spreads[root]))]
        begun.add(root)
        while path:
            name, waiting = path[-1]
            inner = next((one for one in waiting if one in fragments and one not in begun), None)
            if inner is None:
                yield name
                path.pop()
            else:
                begun.add(inner)
                path.append((inner, iter(spreads[inner])))


def _spreads(selections: SelectionSetNode) -> list[str]:
    found: dict[str, None] = {}
    waiting: list[SelectionNode] = list(selections.selections)
    while waiting:
        node = waiting.pop()
        if isinstance(node, FragmentSpreadNode):
            found[node.name.value] = None
        elif isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
            waiting.extend(node.selection_set.selections)
    return list(found)
