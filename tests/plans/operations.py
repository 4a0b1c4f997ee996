"""Operations by chance: plain ones of a schema, and what makes any operation harder to execute without changing its
types (aliases, merging, fragments, conditions, variables)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_input_type,
    is_required_argument,
    is_required_input_field,
    parse,
    parse_type,
    parse_value,
    print_ast,
    validate,
    value_from_ast_untyped,
)
from graphql.execution.values import get_variable_values

LITERALS: Mapping[str, Sequence[str]] = {
    "Int": ("0", "7"),
    "Float": ("1.5",),
    "String": ('"a"',),
    "ID": ('"b"', "3"),
    "Boolean": ("true", "false"),
    "DateTime": ('"2031-03-04T05:06:07Z"', '"not a time"'),
    "JSON": ('{a: [1, null, "b"]}', "null"),
}


@dataclass(frozen=True)
class Asked:
    document: DocumentNode
    variables: dict[str, Any]

    @property
    def operation(self) -> OperationDefinitionNode:
        first = self.document.definitions[0]
        assert isinstance(first, OperationDefinitionNode)
        return first

    @property
    def text(self) -> str:
        return print_ast(self.document)

    def again(self, chance: Random) -> Asked:
        """The same, now and then with other conditions."""
        said = {
            name: chance.random() < 0.5 if isinstance(value, bool) and chance.random() < 0.3 else value
            for name, value in self.variables.items()
        }
        return Asked(self.document, said)


@dataclass(frozen=True)
class Plain:
    """Plain operations of a schema. `literals` are what is given for each scalar."""

    schema: GraphQLSchema
    literals: Mapping[str, Sequence[str]] = field(default_factory=lambda: LITERALS)

    def document(self, chance: Random, kind: OperationType = OperationType.QUERY, depth: int = 4) -> DocumentNode:
        root = self.schema.get_root_type(kind)
        assert root is not None
        selected = self._selected(chance, root, depth)
        return DocumentNode(definitions=(OperationDefinitionNode(operation=kind, selection_set=selected),))

    def _selected(self, chance: Random, type_: Any, depth: int) -> SelectionSetNode:
        found: list[SelectionNode] = []
        fields: Mapping[str, Any] = getattr(type_, "fields", {})
        for name in chance.sample(sorted(fields), min(len(fields), chance.randint(1, 4))):
            below = get_named_type(fields[name].type)
            if is_composite_type(below) and depth == 0:
                continue
            arguments = [
                ArgumentNode(name=NameNode(value=argument), value=self._literal(chance, one.type))
                for argument, one in fields[name].args.items()
                if is_required_argument(one) or chance.random() < 0.3
            ]
            selected = self._selected(chance, below, depth - 1) if is_composite_type(below) else None
            found.append(FieldNode(name=NameNode(value=name), arguments=tuple(arguments), selection_set=selected))
        if is_abstract_type(type_) and depth:
            some = chance.sample(self.schema.get_possible_types(type_), chance.randint(0, 2))
            found += [_inline(self._selected(chance, one, depth - 1), one.name) for one in some]
        return SelectionSetNode(selections=tuple(found or [_field("__typename")]))

    def _literal(self, chance: Random, type_: GraphQLInputType) -> ValueNode:
        return parse_value(self._text(chance, type_))

    def _text(self, chance: Random, type_: GraphQLInputType) -> str:
        if isinstance(type_, GraphQLNonNull):
            return self._text(chance, type_.of_type)
        if isinstance(type_, GraphQLList):
            return f"[{', '.join(self._text(chance, type_.of_type) for _ in range(chance.randint(0, 2)))}]"
        if isinstance(type_, GraphQLEnumType):
            return chance.choice(list(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            given = [
                f"{name}: {self._text(chance, one.type)}"
                for name, one in type_.fields.items()
                if is_required_input_field(one) or chance.random() < 0.2
            ]
            return f"{{{', '.join(given)}}}"
        return chance.choice(self.literals[type_.name])


def _field(name: str) -> FieldNode:
    return FieldNode(name=NameNode(value=name))


def _inline(
    selected: SelectionSetNode, on: str | None, directives: tuple[DirectiveNode, ...] = ()
) -> InlineFragmentNode:
    condition = NamedTypeNode(name=NameNode(value=on)) if on else None
    return InlineFragmentNode(type_condition=condition, selection_set=selected, directives=directives)


def dressed(schema: GraphQLSchema, chance: Random, document: DocumentNode) -> Asked | None:
    """The same operation in other words, some of it left out by conditions; None if it is not valid any more."""
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    dress = _Dress(schema, chance, rate=chance.choice([0.0, 0.1, 0.3]))
    root = schema.get_root_type(operation.operation)
    selected = dress.of(operation.selection_set, root)
    variables = tuple(
        VariableDefinitionNode(variable=_variable(name), type=parse_type(type_))
        for name, (type_, _) in dress.variables.items()
    )
    asked = OperationDefinitionNode(
        operation=operation.operation, selection_set=selected, variable_definitions=variables
    )
    whole = DocumentNode(definitions=(asked, *dress.fragments))
    written = parse(print_ast(whole))
    values = {name: value for name, (_, value) in dress.variables.items()}
    # What was a literal is refused later as a variable: two members of a @oneOf input, or none.
    if validate(schema, written) or isinstance(get_variable_values(schema, variables, values), list):
        return None
    return Asked(written, values)


def _variable(name: str) -> VariableNode:
    return VariableNode(name=NameNode(value=name))


@dataclass
class _Dress:
    schema: GraphQLSchema
    chance: Random
    rate: float
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    fragments: list[FragmentDefinitionNode] = field(default_factory=list)
    names: int = 0

    def of(self, selected: SelectionSetNode, type_: Any) -> SelectionSetNode:
        found: list[SelectionNode] = []
        for node in selected.selections:
            found += self._node(node, type_)
        if self._happens():
            found.insert(self.chance.randint(0, len(found)), _field("__typename"))
        if self._happens() and len(found) > 1:
            self.chance.shuffle(found)
        if self._happens():
            return SelectionSetNode(selections=(self._spread(found, type_.name),))
        # A fragment whose type is this one may also stand here.
        fitting = [one for one in self.fragments if one.type_condition.name.value == type_.name]
        if fitting and self._happens():
            name = self.chance.choice(fitting).name.value
            found.append(FragmentSpreadNode(name=NameNode(value=name), directives=self._condition()))
        return SelectionSetNode(selections=tuple(found))

    def _happens(self) -> bool:
        return self.chance.random() < self.rate

    def _node(self, node: SelectionNode, type_: Any) -> list[SelectionNode]:
        if isinstance(node, InlineFragmentNode):
            on = node.type_condition.name.value if node.type_condition else type_.name
            below = self.of(node.selection_set, self.schema.get_type(on))
            return [_inline(below, on, self._condition())]
        assert isinstance(node, FieldNode)
        fields = getattr(type_, "fields", {})
        definition = fields.get(node.name.value)
        alias = NameNode(value=self._name("a")) if self._happens() else node.alias
        arguments = tuple(self._argument(one, definition) for one in node.arguments or ())
        parts = self._parts(node.selection_set)
        below = get_named_type(definition.type) if definition else None
        mentions: list[SelectionNode] = [
            FieldNode(
                name=node.name,
                alias=alias,
                arguments=arguments,
                directives=self._condition(),
                selection_set=self.of(part, below) if part else None,
            )
            for part in parts
        ]
        return [
            _inline(SelectionSetNode(selections=(one,)), self._on(type_)) if self._happens() else one
            for one in mentions
        ]

    def _parts(self, selected: SelectionSetNode | None) -> list[SelectionSetNode | None]:
        """One mention of a field, or two that are merged, with what is selected below divided or repeated."""
        if not self._happens():
            return [selected]
        if selected is None:
            return [None, None]
        nodes = list(selected.selections)
        place = self.chance.randint(0, len(nodes))
        return [SelectionSetNode(selections=tuple(part)) for part in (nodes[:place] or nodes, nodes[place:] or nodes)]

    def _on(self, type_: Any) -> str | None:
        return type_.name if self.chance.random() < 0.5 else None

    def _spread(self, found: list[SelectionNode], on: str) -> FragmentSpreadNode:
        name = NameNode(value=self._name("F"))
        condition = NamedTypeNode(name=NameNode(value=on))
        self.fragments.append(
            FragmentDefinitionNode(
                name=name, type_condition=condition, selection_set=SelectionSetNode(selections=tuple(found))
            )
        )
        return FragmentSpreadNode(name=name, directives=self._condition())

    def _condition(self) -> tuple[DirectiveNode, ...]:
        kinds = [kind for kind in ("skip", "include") if self._happens()]
        return tuple(
            DirectiveNode(
                name=NameNode(value=kind),
                arguments=(ArgumentNode(name=NameNode(value="if"), value=self._boolean(kind)),),
            )
            for kind in kinds
        )

    def _boolean(self, kind: str) -> ValueNode:
        # Mostly so that something is left to be executed.
        said = (self.chance.random() < 0.75) is (kind == "include")
        if self._happens():
            return BooleanValueNode(value=said)
        name = f"{kind}_{self.chance.randint(1, 2)}"
        self.variables.setdefault(name, ("Boolean!", said))
        return _variable(name)

    def _argument(self, argument: ArgumentNode, definition: Any) -> ArgumentNode:
        if not self._happens() or definition is None:
            return argument
        type_ = definition.args[argument.name.value].type
        assert is_input_type(type_)
        name = self._name("v")
        self.variables[name] = (str(type_), value_from_ast_untyped(argument.value))
        return ArgumentNode(name=argument.name, value=_variable(name))

    def _name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"
