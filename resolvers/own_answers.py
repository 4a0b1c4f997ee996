"""Which queries are executed for each who asks, though others ask the same at that moment."""

from typing import Final

from graphql import ArgumentNode, DirectiveNode, DocumentNode, Node

from resolvers.limits.counting import every_node

# They count from the moment of the question.
ARGUMENTS: Final = frozenset({"maxAgeSeconds", "maxWaitMs"})
# Their answers come in parts, which only one may take.
DIRECTIVES: Final = frozenset({"defer", "stream"})


def has_own_answer(document: DocumentNode) -> bool:
    return any(_asks_for_its_own(node) for node in every_node(document))


def _asks_for_its_own(node: Node) -> bool:
    if isinstance(node, ArgumentNode):
        return node.name.value in ARGUMENTS
    return isinstance(node, DirectiveNode) and node.name.value in DIRECTIVES
