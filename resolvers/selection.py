"""Which fields of a contact an operation asks for: they decide who is called at all."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import GraphQLObjectType, GraphQLResolveInfo
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_subfields

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
    found: dict[str, list[FieldDetails]] = {}
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
    found = _below(info, "ContactRecord", _own(info))
    return Selection(
        record_fields=frozenset(_RECORD_FIELDS[name] for name in found if name in _RECORD_FIELDS),
        raw="raw" in found,
    )


def _contact_fields(info: ResolveInfo, path: tuple[str, ...]) -> dict[str, list[FieldDetails]]:
    nodes, type_name = _own(info), _named_type(info)
    for step in path:
        parent = info.schema.get_type(type_name)
        assert isinstance(parent, GraphQLObjectType)
        nodes = _below(info, type_name, nodes).get(step, [])
        type_name = _bare(str(parent.fields[step].type))
    return _below(info, "Contact", nodes)


def _own(info: ResolveInfo) -> list[FieldDetails]:
    return [FieldDetails(node, None) for node in info.field_nodes]


def _below(info: ResolveInfo, type_name: str, nodes: list[FieldDetails]) -> dict[str, list[FieldDetails]]:
    """The selected fields by name, with fragments, @skip and @include taken into account."""
    parent = info.schema.get_type(type_name)
    assert isinstance(parent, GraphQLObjectType)
    fragments = {name: FragmentDetails(fragment) for name, fragment in info.fragments.items()}
    collected = collect_subfields(info.schema, fragments, info.variable_values, info.operation, parent, nodes)
    by_name: dict[str, list[FieldDetails]] = {}
    for group in collected.grouped_field_set.values():
        by_name.setdefault(group[0].node.name.value, []).extend(group)
    return by_name


def _named_type(info: ResolveInfo) -> str:
    return _bare(str(info.return_type))


def _bare(type_text: str) -> str:
    return type_text.strip("[]!")
