"""Which fields of a contact an operation asks for: they decide who is called at all."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

from gateway.domain.contact import CONTACT_FIELDS, Field

ResolveInfo: TypeAlias = GraphQLResolveInfo[Any]

_FIELDS = {field.value: field for field in CONTACT_FIELDS}
# The provider's own word is told together with the status.
_RECORD_FIELDS = {**_FIELDS, "providerStatus": Field.STATUS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """`fields` of the contact itself, `record_fields` of its records; `raw` and `sources` where selected."""

    fields: frozenset[Field] = frozenset()
    record_fields: frozenset[Field] = frozenset()
    raw: bool = False
    sources: bool = False

    @property
    def every_field(self) -> frozenset[Field]:
        return self.fields | self.record_fields

    @property
    def asks_everybody(self) -> bool:
        """The sources of nothing in particular: how does each provider answer for this contact?"""
        return self.sources and not self.every_field and not self.raw


def contact_selection(info: ResolveInfo, *paths: tuple[str, ...]) -> Selection:
    """What is selected of the contacts at these paths below the field being resolved, () being itself."""
    found: dict[str, list[FieldNode]] = {}
    for path in paths:
        for name, nodes in _contact_fields(info, path).items():
            found.setdefault(name, []).extend(nodes)
    records = _below(info, "ContactRecord", found.get("records", []))
    return Selection(
        fields=frozenset(_FIELDS[name] for name in found if name in _FIELDS),
        record_fields=frozenset(_RECORD_FIELDS[name] for name in records if name in _RECORD_FIELDS),
        raw="raw" in records,
        sources="sources" in found,
    )


def record_selection(info: ResolveInfo) -> Selection:
    """What is selected of the record that the field being resolved answers."""
    found = _below(info, "ContactRecord", info.field_nodes)
    return Selection(
        record_fields=frozenset(_RECORD_FIELDS[name] for name in found if name in _RECORD_FIELDS),
        raw="raw" in found,
    )


def result_selection(info: ResolveInfo) -> frozenset[Field]:
    """The fields of records that a write's payload is asked for in its results."""
    results = _below(info, _bare(str(info.return_type)), info.field_nodes).get("results", [])
    records = _below(info, "ContactRecord", _below(info, "ProviderWriteSuccess", results).get("record", []))
    return frozenset(_RECORD_FIELDS[name] for name in records if name in _RECORD_FIELDS)


def root_fields(info: ResolveInfo) -> list[str]:
    """The names of the fields that the running operation executes; each alias counts."""
    found: dict[str, list[FieldNode]] = {}
    type_name = info.parent_type.name
    _collect(info, type_name, info.operation.selection_set, found, spread=set())
    answers = {node.alias.value if node.alias else name: name for name, nodes in found.items() for node in nodes}
    return list(answers.values())


def _contact_fields(info: ResolveInfo, path: tuple[str, ...]) -> dict[str, list[FieldNode]]:
    nodes, type_name = list(info.field_nodes), _bare(str(info.return_type))
    for step in path:
        parent = info.schema.get_type(type_name)
        assert isinstance(parent, GraphQLObjectType)
        nodes = _below(info, type_name, nodes).get(step, [])
        type_name = _bare(str(parent.fields[step].type))
    return _below(info, "Contact", nodes)


def _below(info: ResolveInfo, type_name: str, nodes: Iterable[FieldNode]) -> dict[str, list[FieldNode]]:
    """The selected fields by name; aliases of one field stand together."""
    found: dict[str, list[FieldNode]] = {}
    for node in nodes:
        if node.selection_set:
            _collect(info, type_name, node.selection_set, found, spread=set())
    return found


def _collect(
    info: ResolveInfo,
    type_name: str,
    selections: SelectionSetNode,
    found: dict[str, list[FieldNode]],
    *,
    spread: set[str],
) -> None:
    """GraphQL specification, section 6.3.2, CollectFields. graphql-core's own is internal, and wants
    variables in a form that Strawberry's info does not have."""
    for node in selections.selections:
        if not _included(node, info.variable_values):
            continue
        if isinstance(node, FieldNode):
            found.setdefault(node.name.value, []).append(node)
            continue
        fragment: InlineFragmentNode | FragmentDefinitionNode
        if isinstance(node, FragmentSpreadNode):
            if node.name.value in spread:
                continue
            spread.add(node.name.value)
            fragment = info.fragments[node.name.value]
        else:
            assert isinstance(node, InlineFragmentNode)
            fragment = node
        if _applies(info, fragment, type_name):
            _collect(info, type_name, fragment.selection_set, found, spread=spread)


def _included(node: SelectionNode, variables: Any) -> bool:
    """@skip and @include; validation has made sure that `if` is a Boolean or a Boolean variable."""
    for directive in node.directives or ():
        if directive.name.value in ("skip", "include") and directive.arguments:
            condition = directive.arguments[0].value
            if isinstance(condition, VariableNode):
                holds = bool(variables[condition.name.value])
            else:
                assert isinstance(condition, BooleanValueNode)
                holds = condition.value
            if holds == (directive.name.value == "skip"):
                return False
    return True


def _applies(info: ResolveInfo, fragment: InlineFragmentNode | FragmentDefinitionNode, type_name: str) -> bool:
    if fragment.type_condition is None or fragment.type_condition.name.value == type_name:
        return True
    actual = info.schema.get_type(type_name)
    assert isinstance(actual, GraphQLObjectType)
    return fragment.type_condition.name.value in {interface.name for interface in actual.interfaces}


def _bare(type_text: str) -> str:
    return type_text.strip("[]!")
