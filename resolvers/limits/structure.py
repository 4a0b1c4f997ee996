"""The shape of a document: how deep it nests, how often it repeats itself."""

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
)

from gateway.http.settings import DocumentLimits
from resolvers.refused import LimitExceeded


def refuse_too_large(
    document: DocumentNode, chosen: OperationDefinitionNode, schema: GraphQLSchema, limits: DocumentLimits
) -> None:
    """
    Raises:
        LimitExceeded: for the first limit that is passed. The document need not be valid.
    """
    depth = _Depths(document).of(chosen.selection_set)
    if depth > limits.max_depth:
        message = f"The operation nests {depth} fields deep; at most {limits.max_depth} are allowed."
        raise LimitExceeded("maxDepth", allowed=limits.max_depth, measured=depth, message=message, nodes=[chosen])


class _Depths:
    """Counts nested fields; each fragment is measured once, so spreading one often costs nothing."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self._depths: dict[str, int] = {}

    def of(self, selections: SelectionSetNode | None) -> int:
        return max((self._node_depth(node) for node in selections.selections), default=0) if selections else 0

    def _node_depth(self, node: Any) -> int:
        if isinstance(node, FragmentSpreadNode):
            return self._fragment_depth(node.name.value)
        below = self.of(node.selection_set)
        if not isinstance(node, FieldNode):
            return below
        # Introspection asks nobody, and tools nest it deep.
        return 0 if node.name.value in ("__schema", "__type") else below + 1

    def _fragment_depth(self, name: str) -> int:
        if name not in self._depths:
            # A fragment that contains itself is refused by a rule of its own; here it only has to end.
            self._depths[name] = 0
            fragment = self._fragments.get(name)
            self._depths[name] = self.of(fragment.selection_set) if fragment else 0
        return self._depths[name]
