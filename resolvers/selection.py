"""Which fields of a contact an operation asks for: they decide who is called at all, and before what.

What `@defer` and `@stream` put off is not asked for up front: nobody's answer waits for it.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

from graphql import (
    BooleanValueNode,
    DirectiveNode,
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
from resolvers.plans.nodes import PlannedNodes

T = TypeVar("T")

ResolveInfo: TypeAlias = GraphQLResolveInfo[Any]

_FIELDS = {field.value: field for field in CONTACT_FIELDS}
# The provider's own word is told together with the status.
_RECORD_FIELDS = {**_FIELDS, "providerStatus": Field.STATUS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """`fields` of the contact itself, `record_fields` of its records; `raw` and `sources` where selected. `whole` is
    that together with what is put off."""

    fields: frozenset[Field] = frozenset()
    record_fields: frozenset[Field] = frozenset()
    raw: bool = False
    sources: bool = False
    put_off: "Selection | None" = None

    @property
    def whole(self) -> "Selection":
        return self.put_off or self

    @property
    def every_field(self) -> frozenset[Field]:
        return self.fields | self.record_fields if self.record_fields else self.fields

    @property
    def asks_everybody(self) -> bool:
        """The sources of nothing in particular: how does each provider answer for this contact?"""
        return self.sources and not self.every_field and not self.raw


def contact_selection(info: ResolveInfo, *paths: tuple[str, ...]) -> Selection:
    """What is selected of the contacts at these paths below the field being resolved, () being itself."""
    return _read_once(info, ("contact", paths), lambda: _up_front_and_whole(info, paths))


def _read_once(info: ResolveInfo, what: Hashable, read: Callable[[], T]) -> T:
    """Where an operation is a plan, every execution of it selects the same."""
    nodes = info.field_nodes
    return nodes.remember(what, read) if isinstance(nodes, PlannedNodes) else read()


def _up_front_and_whole(info: ResolveInfo, paths: Iterable[tuple[str, ...]]) -> Selection:
    whole = _contact_selection(info, paths, put_off=True)
    if not info.context.in_parts:
        return whole
    up_front = _contact_selection(info, paths, put_off=False)
    return whole if up_front == whole else replace(up_front, put_off=whole)


def record_selection(info: ResolveInfo) -> Selection:
    """What is selected up front of the records that the field being resolved answers."""
    return _read_once(info, "records", lambda: _record_selection(info))


def _record_selection(info: ResolveInfo) -> Selection:
    found = _below(info, "ContactRecord", info.field_nodes, put_off=not info.context.in_parts)
    return Selection(
        record_fields=frozenset(_RECORD_FIELDS[name] for name in found if name in _RECORD_FIELDS),
        raw="raw" in found,
    )


def result_selection(info: ResolveInfo) -> frozenset[Field]:
    """The fields of records that a write's payload is asked for in its results, sooner or later: they are read back
    as a part of the write."""
    return _read_once(info, "results", lambda: _result_selection(info))


def _result_selection(info: ResolveInfo) -> frozenset[Field]:
    records = _below(info, "ContactRecord", _of_successes(info).get("record", []), put_off=True)
    return frozenset(_RECORD_FIELDS[name] for name in records if name in _RECORD_FIELDS)


def asks_for_warnings(info: ResolveInfo) -> bool:
    """Whether a write's payload is asked, sooner or later, what a provider did not take as it was given."""
    return _read_once(info, "warnings", lambda: "warnings" in _of_successes(info))


def _of_successes(info: ResolveInfo) -> dict[str, list[FieldNode]]:
    payload = _below(info, _bare(str(info.return_type)), info.field_nodes, put_off=True)
    return _below(info, "ProviderWriteSuccess", payload.get("results", []), put_off=True)


def root_fields(info: ResolveInfo) -> list[str]:
    """The names of the fields that the running operation executes; each alias counts."""
    found: dict[str, list[FieldNode]] = {}
    type_name = info.parent_type.name
    _collect(info, type_name, info.operation.selection_set, found, spread=set(), put_off=True)
    answers = {node.alias.value if node.alias else name: name for name, nodes in found.items() for node in nodes}
    return list(answers.values())


def streams(info: ResolveInfo, *names: str) -> bool:
    """Whether one of these lists, right below the field being resolved, is to come item by item."""
    if not info.context.in_parts:
        return False
    found = _below(info, _bare(str(info.return_type)), info.field_nodes, put_off=True)
    return any(_is_put_off(node, info.variable_values) for name in names for node in found.get(name, []))


def _contact_selection(info: ResolveInfo, paths: Iterable[tuple[str, ...]], *, put_off: bool) -> Selection:
    found: dict[str, list[FieldNode]] = {}
    for path in paths:
        for name, nodes in _contact_fields(info, path, put_off=put_off).items():
            found.setdefault(name, []).extend(nodes)
    lists = [node for node in found.get("records", []) if put_off or not _is_put_off(node, info.variable_values)]
    records = _below(info, "ContactRecord", lists, put_off=put_off)
    return Selection(
        fields=frozenset(_FIELDS[name] for name in found if name in _FIELDS),
        record_fields=frozenset(_RECORD_FIELDS[name] for name in records if name in _RECORD_FIELDS),
        raw="raw" in records,
        sources="sources" in found,
    )


def _contact_fields(info: ResolveInfo, path: tuple[str, ...], *, put_off: bool) -> dict[str, list[FieldNode]]:
    nodes, type_name = list(info.field_nodes), _bare(str(info.return_type))
    for step in path:
        parent = info.schema.get_type(type_name)
        assert isinstance(parent, GraphQLObjectType)
        nodes = _below(info, type_name, nodes, put_off=put_off).get(step, [])
        type_name = _bare(str(parent.fields[step].type))
    return _below(info, "Contact", nodes, put_off=put_off)


def _below(
    info: ResolveInfo, type_name: str, nodes: Iterable[FieldNode], *, put_off: bool
) -> dict[str, list[FieldNode]]:
    """The selected fields by name; aliases of one field stand together."""
    found: dict[str, list[FieldNode]] = {}
    for node in nodes:
        if node.selection_set:
            _collect(info, type_name, node.selection_set, found, spread=set(), put_off=put_off)
    return found


def _collect(
    info: ResolveInfo,
    type_name: str,
    selections: SelectionSetNode,
    found: dict[str, list[FieldNode]],
    *,
    spread: set[str],
    put_off: bool,
) -> None:
    """GraphQL specification, section 6.3.2, CollectFields, with or without what is deferred. graphql-core's own is
    internal, and wants variables in a form that Strawberry's info does not have."""
    for node in selections.selections:
        if not _included(node, info.variable_values):
            continue
        if not put_off and not isinstance(node, FieldNode) and _is_put_off(node, info.variable_values):
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
            _collect(info, type_name, fragment.selection_set, found, spread=spread, put_off=put_off)


def _included(node: SelectionNode, variables: Any) -> bool:
    """Whether @skip and @include let it be."""
    named = {directive.name.value: directive for directive in node.directives or ()}
    skipped = "skip" in named and _holds(named["skip"], variables)
    return not skipped and ("include" not in named or _holds(named["include"], variables))


def _is_put_off(node: SelectionNode, variables: Any) -> bool:
    """A fragment by @defer, a list by @stream."""
    return any(one.name.value in ("defer", "stream") and _holds(one, variables) for one in node.directives or ())


def _holds(directive: DirectiveNode, variables: Any) -> bool:
    """Validation has made sure that `if` is a Boolean or a Boolean variable; to defer and stream need not name it."""
    condition = next((one.value for one in directive.arguments or () if one.name.value == "if"), None)
    if isinstance(condition, VariableNode):
        return bool(variables.get(condition.name.value, True))
    return condition is None or (isinstance(condition, BooleanValueNode) and condition.value)


def _applies(info: ResolveInfo, fragment: InlineFragmentNode | FragmentDefinitionNode, type_name: str) -> bool:
    if fragment.type_condition is None or fragment.type_condition.name.value == type_name:
        return True
    actual = info.schema.get_type(type_name)
    assert isinstance(actual, GraphQLObjectType)
    return fragment.type_condition.name.value in {interface.name for interface in actual.interfaces}


def _bare(type_text: str) -> str:
    return type_text.strip("[]!")
