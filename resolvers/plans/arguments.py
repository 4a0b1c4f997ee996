"""The arguments of a selected field: what its document says is coerced once, what a variable says is taken from there,
and whatever may be wrong is left to graphql-core."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from graphql import (
    ArgumentNode,
    GraphQLArgument,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    is_non_null_type,
    is_required_argument,
)
from graphql.execution.values import VariableValues, coerce_argument

from resolvers.plans.run import Run, SelectedField

_NO_VARIABLES: Final = VariableValues({}, {})
# What nobody can change may be the same for every request.
_LASTING: Final = (type(None), bool, int, float, str, Enum)


@dataclass(frozen=True, slots=True)
class _Known:
    """`value` is what it is without a variable, or where its variable says nothing; Undefined: it is left out then."""

    name: str
    value: Any
    variable: str | None = None
    may_be_left_out: bool = True
    may_be_null: bool = True


@dataclass(frozen=True, slots=True)
class _Late:
    """A list or an input object that has to be coerced for each request: it is there, whatever it says."""

    name: str
    argument: GraphQLArgument
    node: ArgumentNode
    called: str

    def coerce(self, run: Run, selected: SelectedField, values: dict[str, Any]) -> None:
        """
        Raises:
            GraphQLError: as graphql-core does.
        """
        values[self.called] = run.argument(selected, self.name, self.argument, self.node)


class Arguments:
    """Of a field at one place."""

    __slots__ = ("_known", "_names", "_selected")

    def __init__(
        self, selected: SelectedField, names: Mapping[str, str] | None = None, copied: Container[str] = ()
    ) -> None:
        """`names` are those that the resolver has for them, by those of the schema; None: the same. Of lists that are
        `copied`, by the resolver's names, it gets one of its own each time."""
        self._selected = selected
        self._names = names
        self._known = _all_known(selected, names or {}, copied)

    def values(self, run: Run) -> dict[str, Any]:
        """A dict of its own for each call.

        Raises:
            GraphQLError: as graphql-core does.
        """
        if self._known is None:
            return self._coerced(run)
        values: dict[str, Any] = {}
        for known in self._known:
            if isinstance(known, _Late):
                known.coerce(run, self._selected, values)
                continue
            value = known.value
            if known.variable is not None:
                said = run.variables.coerced.get(known.variable, Undefined)
                if said is not Undefined:
                    value = said
                if (said is Undefined and not known.may_be_left_out) or (said is None and not known.may_be_null):
                    return self._coerced(run)
            if value is not Undefined:
                values[known.name] = value
        return values

    def _coerced(self, run: Run) -> dict[str, Any]:
        values = run.arguments(self._selected)
        return {self._names[name]: value for name, value in values.items()} if self._names else values


def _all_known(
    selected: SelectedField, names: Mapping[str, str], copied: Container[str]
) -> tuple[_Known | _Late, ...] | None:
    """None where something is wrong, which is told for each request."""
    nodes = {node.name.value: node for node in selected.nodes[0].arguments or ()}
    found: list[_Known | _Late] = []
    for name, argument in selected.definition.args.items():
        called = names.get(name) or argument.out_name or name
        try:
            found.append(_known(selected, name, argument, nodes.get(name), called, may_be_list=called in copied))
        except Exception:
            return None
    return tuple(found)


def _known(
    selected: SelectedField,
    name: str,
    argument: GraphQLArgument,
    node: ArgumentNode | None,
    called: str,
    *,
    may_be_list: bool,
) -> _Known | _Late:
    if node is not None and isinstance(node.value, VariableNode):
        required = is_required_argument(argument)
        return _Known(
            called,
            Undefined if required else _coerced(selected, name, argument, None),
            node.value.name.value,
            may_be_left_out=not required,
            may_be_null=not is_non_null_type(argument.type),
        )
    if node is None:
        # A default is the same object for every request in graphql-core, too.
        return _Known(called, _coerced(selected, name, argument, None))
    if isinstance(node.value, ListValueNode) and may_be_list and all(map(_is_leaf, node.value.values)):
        value = _coerced(selected, name, argument, node)
        lasts = isinstance(value, list) and all(isinstance(item, _LASTING) for item in value)
    elif _is_leaf(node.value):
        value = _coerced(selected, name, argument, node)
        lasts = isinstance(value, _LASTING)
    else:
        lasts = False
    return _Known(called, value) if lasts else _Late(name, argument, node, called)


def _is_leaf(node: ValueNode) -> bool:
    """Whether no variable can be in it."""
    return not isinstance(node, ListValueNode | ObjectValueNode | VariableNode)


def _coerced(selected: SelectedField, name: str, argument: GraphQLArgument, node: ArgumentNode | None) -> Any:
    """Without any variable.

    Raises:
        GraphQLError: it is wrong, or has to be there and is not.
    """
    coerced: dict[str, Any] = {}
    coerce_argument(coerced, selected.nodes[0], name, argument, node, _NO_VARIABLES, None)
    return next(iter(coerced.values()), Undefined)
