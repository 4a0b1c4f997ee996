"""How often one name of the answer is selected at one place, each fragment unfolded where it is spread.

Fields of one name are merged, and validation compares each pair of them: 2,500 times `__typename` are three million
comparisons.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

Fields = dict[str, list[FieldNode]]


@dataclass(slots=True)
class Merged:
    """`visited` stops counting once it is beyond what was allowed; the rest then says nothing."""

    visited: int = 0
    most: int = 0
    most_at: tuple[FieldNode, ...] = ()


class Merger:
    """The fields of selection sets by their names in the answer (GraphQL specification, CollectFields), types and
    conditions left out of account: validation compares fields of different types too."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }

    def collect(self, selection_sets: Iterable[SelectionSetNode]) -> Fields:
        found: Fields = {}
        spread: set[str] = set()
        waiting = list(selection_sets)
        while waiting:
            for node in waiting.pop().selections:
                if isinstance(node, FieldNode):
                    found.setdefault((node.alias or node.name).value, []).append(node)
                elif isinstance(node, InlineFragmentNode):
                    waiting.append(node.selection_set)
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                    spread.add(node.name.value)
                    if fragment := self._fragments.get(node.name.value):
                        waiting.append(fragment.selection_set)
        return found


def merge(document: DocumentNode, *, at_most: int) -> Merged:
    """Walks the merged document until it has visited more than `at_most` fields: fragments that are merged in ever new
    combinations could make it exponential."""
    merger = Merger(document)
    merged = Merged()
    waiting: list[tuple[SelectionSetNode, ...]] = [
        (one.selection_set,)
        for one in document.definitions
        if isinstance(one, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    seen: set[frozenset[int]] = set()
    while waiting and merged.visited <= at_most:
        for nodes in merger.collect(waiting.pop()).values():
            merged.visited += len(nodes)
            if len(nodes) > merged.most:
                merged.most, merged.most_at = len(nodes), tuple(nodes)
            below = {id(node.selection_set): node.selection_set for node in nodes if node.selection_set}
            key = frozenset(below)
            if below and key not in seen:
                seen.add(key)
                waiting.append(tuple(below.values()))
    return merged
