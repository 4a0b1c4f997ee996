"""What `@defer` and `@stream` may not ask, where only the variables tell: graphql-core would fail as it executes.

The rules that the document alone can break are graphql-core's, and are held by `resolvers.limits.validation`.
"""

from collections.abc import Iterator, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLDeferDirective,
    GraphQLDirective,
    GraphQLStreamDirective,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
)
from graphql.execution.values import VariableValues, get_directive_values

from resolvers.refused import OperationRefused


def refuse_wrong_putting_off(
    document: DocumentNode, chosen: OperationDefinitionNode, variables: VariableValues
) -> None:
    """
    Raises:
        OperationRefused: for a count below nought, and for a subscription that puts something off.
    """
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    for node in _reached(chosen, fragments):
        if chosen.operation is OperationType.SUBSCRIPTION and (
            is_deferred(node, variables) or streams(node, variables)
        ):
            message = "A subscription cannot defer or stream; leave @defer and @stream out, or set `if: false`."
            raise OperationRefused("GRAPHQL_VALIDATION_FAILED", message, nodes=node)
        if streams(node, variables):
            count = (_asked(GraphQLStreamDirective, node, variables) or {}).get("initialCount")
            if not isinstance(count, int) or count < 0:
                message = f"`initialCount` of @stream is {'null' if count is None else count}; it has to be 0 or more."
                raise OperationRefused("GRAPHQL_VALIDATION_FAILED", message, nodes=node)


def is_deferred(node: SelectionNode, variables: VariableValues) -> bool:
    return not isinstance(node, FieldNode) and _asked(GraphQLDeferDirective, node, variables) is not None


def streams(node: SelectionNode, variables: VariableValues) -> bool:
    return isinstance(node, FieldNode) and _asked(GraphQLStreamDirective, node, variables) is not None


def _asked(directive: GraphQLDirective, node: SelectionNode, variables: VariableValues) -> Mapping[str, object] | None:
    """The arguments, unless they turn it off."""
    values = get_directive_values(directive, node, variables)
    return values if values and values["if"] is not False else None


def _reached(
    chosen: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[SelectionNode]:
    """Every selection of the operation, those of each fragment once."""
    waiting: list[SelectionSetNode] = [chosen.selection_set]
    spread: set[str] = set()
    while waiting:
        for node in waiting.pop().selections:
            yield node
            if not isinstance(node, FragmentSpreadNode):
                below = getattr(node, "selection_set", None)
                waiting += [below] if below else []
            elif node.name.value not in spread:
                spread.add(node.name.value)
                waiting.append(fragments[node.name.value].selection_set)
