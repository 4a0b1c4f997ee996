"""How much stands in a document: operations, fragments, variables, aliases, directives, digits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    IntValueNode,
    Node,
    OperationDefinitionNode,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS


@dataclass(slots=True)
class Counts:
    """Over the whole document, whichever of its operations runs: all of it is parsed and validated."""

    operations: int = 0
    fragments: int = 0
    variables: int = 0
    aliases: int = 0
    directives: int = 0
    most_directives: int = 0
    most_directives_at: Sequence[Node] = field(default=())
    most_digits: int = 0
    most_digits_at: Sequence[Node] = field(default=())


def count(document: DocumentNode) -> Counts:
    """Looks at every node once."""
    counts = Counts()
    for node in every_node(document):
        if isinstance(node, FieldNode):
            counts.aliases += node.alias is not None
        elif isinstance(node, OperationDefinitionNode):
            counts.operations += 1
            counts.variables += len(node.variable_definitions or ())
        elif isinstance(node, FragmentDefinitionNode):
            counts.fragments += 1
            counts.variables += len(node.variable_definitions or ())
        elif isinstance(node, IntValueNode) and len(node.value) > counts.most_digits:
            counts.most_digits, counts.most_digits_at = len(node.value), (node,)
        directives = len(getattr(node, "directives", None) or ())
        counts.directives += directives
        if directives > counts.most_directives:
            counts.most_directives, counts.most_directives_at = directives, (node,)
    return counts


def every_node(document: DocumentNode) -> Iterator[Node]:
    waiting: list[Node] = [document]
    while waiting:
        node = waiting.pop()
        yield node
        for key in QUERY_DOCUMENT_KEYS.get(node.kind, ()):
            below = getattr(node, key, None)
            if isinstance(below, Node):
                waiting.append(below)
            elif below:
                waiting.extend(below)
