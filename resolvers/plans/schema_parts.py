"""What the plans of one schema have in common: what is known of a type or a field wherever it is selected."""

from collections.abc import Mapping

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    TypeNameMetaFieldDef,
    is_leaf_type,
)

from resolvers.plans.fields import Get
from resolvers.plans.leaves import completing_leaf, shown_by
from resolvers.plans.past_strawberry import plain_resolver
from resolvers.plans.plain_resolver import PlainResolver
from resolvers.plans.run import Complete
from resolvers.plans.shown import Shown
from resolvers.plans.strawberry_types import getter, types_by_class
from resolvers.plans.together import Constant

_NULL: Shown = {type(None): None}


class SchemaParts:
    """Each part is made when it is first asked for."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._leaves: dict[str, Complete] = {}
        self._shown: dict[tuple[str | None, bool], Shown] = {}
        self._by_class: dict[str, Mapping[type, GraphQLObjectType]] = {}
        self._getters: dict[tuple[str, str], Get | None] = {}
        self._plain_resolvers: dict[tuple[str, str], PlainResolver | None] = {}

    def leaf(self, type_: GraphQLLeafType) -> Complete:
        if type_.name not in self._leaves:
            self._leaves[type_.name] = completing_leaf(type_)
        return self._leaves[type_.name]

    def shown(self, type_: GraphQLOutputType, *, required: bool) -> Shown:
        """The types of values of which it is sure how they are shown, null among them where it may stand."""
        leaf = type_ if is_leaf_type(type_) else None
        key = (leaf.name if leaf else None, required)
        if key not in self._shown:
            self._shown[key] = {**(shown_by(leaf) if leaf else {}), **({} if required else _NULL)}
        return self._shown[key]

    def by_class(self, type_: GraphQLAbstractType) -> Mapping[type, GraphQLObjectType]:
        if type_.name not in self._by_class:
            self._by_class[type_.name] = types_by_class(type_, self.schema.get_possible_types(type_))
        return self._by_class[type_.name]

    def getter(self, type_: GraphQLObjectType, name: str, definition: GraphQLField) -> Get | None:
        """How to get the field's value from the object alone, where that is all that its resolver does."""
        key = (type_.name, name)
        if key not in self._getters:
            is_type_name = definition is TypeNameMetaFieldDef
            self._getters[key] = Constant(type_.name) if is_type_name else getter(self.schema, definition)
        return self._getters[key]

    def plain_resolver(self, type_: GraphQLObjectType, name: str, definition: GraphQLField) -> PlainResolver | None:
        """The field's resolver without what Strawberry puts around it, where that makes no difference."""
        key = (type_.name, name)
        if key not in self._plain_resolvers:
            self._plain_resolvers[key] = plain_resolver(self.schema, definition)
        return self._plain_resolvers[key]
