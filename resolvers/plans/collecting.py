"""The fields that are selected of an object: GraphQL specification, section 6.3.2, CollectFields, with merging."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    is_abstract_type,
)

from resolvers.plans.conditions import Case, is_included


@dataclass(frozen=True, slots=True)
class Collector:
    """For one case of the conditions."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    case: Case

    def fields(
        self, type_: GraphQLObjectType, selection_sets: Iterable[SelectionSetNode | None]
    ) -> dict[str, list[FieldNode]]:
        """By their names in the answer, in the order of the first mention; all selection sets are one."""
        found: dict[str, list[FieldNode]] = {}
        spread: set[str] = set()
        for selection_set in selection_sets:
            if selection_set is not None:
                self._collect(type_, selection_set, found, spread)
        return found

    def _collect(
        self,
        type_: GraphQLObjectType,
        selection_set: SelectionSetNode,
        found: dict[str, list[FieldNode]],
        spread: set[str],
    ) -> None:
        for node in selection_set.selections:
            if not is_included(node, self.case):
                continue
            if isinstance(node, FieldNode):
                found.setdefault((node.alias or node.name).value, []).append(node)
                continue
            fragment = self._fragment(node, type_, spread)
            if fragment is not None:
                self._collect(type_, fragment, found, spread)

    def _fragment(self, node: SelectionNode, type_: GraphQLObjectType, spread: set[str]) -> SelectionSetNode | None:
        """What a fragment selects of the type; a named one once."""
        if isinstance(node, InlineFragmentNode):
            return node.selection_set if self._applies(node, type_) else None
        assert isinstance(node, FragmentSpreadNode)
        fragment, name = self.fragments[node.name.value], node.name.value
        if name in spread or not self._applies(fragment, type_):
            return None
        spread.add(name)
        return fragment.selection_set

    def _applies(self, fragment: FragmentDefinitionNode | InlineFragmentNode, type_: GraphQLObjectType) -> bool:
        if fragment.type_condition is None:
            return True
        wanted = self.schema.get_type(fragment.type_condition.name.value)
        return wanted is type_ or (is_abstract_type(wanted) and self.schema.is_sub_type(wanted, type_))
