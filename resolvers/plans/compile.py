"""Which operations are compiled: all but introspection, subscriptions, and what comes in parts."""

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
)

from resolvers.plans.compiler import Room
from resolvers.plans.conditions import conditions_of
from resolvers.plans.plan import Plan
from resolvers.plans.schema_parts import SchemaParts


def compile_plan(
    parts: SchemaParts, document: DocumentNode, operation: OperationDefinitionNode, *, max_fields: int = 1_000
) -> Plan | None:
    """The plan of an operation that has passed validation; None when it goes the ordinary way. A plan holds at most
    `max_fields` fields, each counted wherever a fragment takes it; what goes beyond is executed the ordinary way."""
    root = parts.schema.get_root_type(operation.operation)
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    if root is None or operation.operation is OperationType.SUBSCRIPTION or operation.directives:
        return None
    nodes = [node for definition in (operation, *fragments.values()) for node in _nodes(definition.selection_set)]
    conditions = conditions_of(directive for node in nodes for directive in node.directives or ())
    if conditions is None or any(_asks_for_the_schema(node) or _takes_arguments(node) for node in nodes):
        return None
    if any(fragment.variable_definitions for fragment in fragments.values()):
        return None
    return Plan(parts, operation, root, fragments, conditions, Room(max_fields))


def _nodes(selection_set: SelectionSetNode) -> Iterator[SelectionNode]:
    """Every selection, without those of named fragments."""
    for node in selection_set.selections:
        yield node
        below = getattr(node, "selection_set", None)
        if below:
            yield from _nodes(below)


def _asks_for_the_schema(node: SelectionNode) -> bool:
    return isinstance(node, FieldNode) and node.name.value in ("__schema", "__type")


def _takes_arguments(node: SelectionNode) -> bool:
    """A fragment with variables of its own."""
    return isinstance(node, FragmentSpreadNode) and bool(node.arguments)
