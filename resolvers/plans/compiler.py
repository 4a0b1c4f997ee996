"""Puts a plan's functions together, from the selections of one operation and the types of the schema."""

from collections.abc import Iterable
from functools import partial

from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLOutputType,
    SelectionSetNode,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from resolvers.plans.abstract import AbstractCompletion
from resolvers.plans.collecting import Collector
from resolvers.plans.fields import Field
from resolvers.plans.lists import ListCompletion
from resolvers.plans.nodes import PlannedNodes
from resolvers.plans.objects import ObjectCompletion
from resolvers.plans.positions import Position
from resolvers.plans.rows import Step, Steps
from resolvers.plans.run import Complete, SelectedField
from resolvers.plans.schema_parts import SchemaParts


class Room:
    """How many fields a plan may still hold: fragments can make few words many fields."""

    __slots__ = ("_fields",)

    def __init__(self, fields: int) -> None:
        self._fields = fields

    def take(self, fields: int) -> bool:
        if fields > self._fields:
            return False
        self._fields -= fields
        return True


class Compiler:
    """For one case of an operation's conditions. What lies below an object is compiled when the first one comes."""

    def __init__(self, collector: Collector, parts: SchemaParts, room: Room) -> None:
        self._collector = collector
        self._parts = parts
        self._room = room

    def steps(self, type_: GraphQLObjectType, selection_sets: Iterable[SelectionSetNode | None]) -> Steps | None:
        """None when there is no room for them."""
        fields = self._collector.fields(type_, selection_sets)
        # Nothing takes room too: there can be many cases in which nothing is selected.
        if not self._room.take(1 + len(fields)):
            return None
        found = (self._step(type_, key, nodes) for key, nodes in fields.items())
        return tuple(step for step in found if step)

    def _step(self, type_: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Step | None:
        name = nodes[0].name.value
        definition = self._parts.schema.get_field(type_, name)
        if definition is None:
            return None
        selected = SelectedField(definition, PlannedNodes(nodes), type_)
        position = self._position(selected, definition.type)
        get = self._parts.getter(type_, name, definition)
        plain = None if get else self._parts.plain_resolver(type_, name, definition)
        return key, get, position.shown, Field(selected, position, get, plain)

    def _position(self, selected: SelectedField, type_: GraphQLOutputType) -> Position:
        required = is_non_null_type(type_)
        bare = type_.of_type if is_non_null_type(type_) else type_
        shown = self._parts.shown(bare, required=required)
        if is_object_type(bare):
            objects = self._objects(selected, bare)
            return Position(selected, objects.complete, required=required, shown=shown, objects=objects)
        if is_list_type(bare):
            items = ListCompletion(selected, bare.of_type, self._position(selected, bare.of_type))
            shown = {**shown, list: items.shown_by, tuple: items.shown_by}
            return Position(selected, items.complete, required=required, shown=shown)
        return Position(selected, self._completing(selected, bare), required=required, shown=shown)

    def _completing(self, selected: SelectedField, type_: GraphQLOutputType) -> Complete:
        if is_leaf_type(type_):
            return self._parts.leaf(type_)
        assert is_abstract_type(type_), type_
        by_class = self._parts.by_class(type_)
        return AbstractCompletion(
            selected, type_, by_class, lambda actual: self._objects(selected, actual).complete
        ).complete

    def _objects(self, selected: SelectedField, type_: GraphQLObjectType) -> ObjectCompletion:
        below = [node.selection_set for node in selected.nodes]
        return ObjectCompletion(selected, type_, partial(self.steps, type_, below))
