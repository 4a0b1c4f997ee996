"""The arguments of a selected field: what its document says is coerced once, what a variable says is taken from there,
and whatever may be wrong is left to graphql-core."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from graphql import (
    ArgumentNode,
    GraphQLArgument,
    ListValueNode,
    ObjectValueNode,
    Undefined,
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


class Arguments:
    """Of a field at one place."""

    __slots__ = ("_known", "_names", "_selected")

    def __init__(self, selected: SelectedField, names: Mapping[str, str] | None = None) -> None:
        """`names` are those that the resolver has for them, by those of the schema; None: the same."""
        self._selected = selected
        self._names = names
        self._known = _all_known(selected, names or {})

    def values(self, run: Run) -> dict[str, Any]:
        """A dict of its own for each call.

        Raises:
            GraphQLError: as graphql-core does.
        """
        if self._known is None:
            return self._coerced(run)
        values: dict[str, Any] = {}
        for known in self._known:
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


def _all_known(selected: SelectedField, names: Mapping[str, str]) -> tuple[_Known, ...] | None:
    """None where one of them has to be coerced for each request."""
    nodes = {node.name.value: node for node in selected.nodes[0].arguments or ()}
    found: list[_Known] = []
    for name, argument in selected.definition.args.items():
        try:
            known = _known(selected, name, argument, nodes.get(name), names.get(name) or argument.out_name or name)
        except Exception:
            # What is wrong is told for each request.
            return None
        if known is None:
            return None
        found.append(known)
    return tuple(found)


def _known(
    selected: SelectedField, name: str, argument: GraphQLArgument, node: ArgumentNode | None, called: str
) -> _Known | None:
    if node is not None and isinstance(node.value, VariableNode):
        required = is_required_argument(argument)
        return _Known(
            called,
            Undefined if required else _coerced(selected, name, argument, None),
            node.value.name.value,
            may_be_left_out=not required,
            may_be_null=not is_non_null_type(argument.type),
        )
    value = _coerced(selected, name, argument, node)
    if node is None:
        # A default is the same object for every request in graphql-core, too.
        return _Known(called, value)
    lasts = isinstance(value, _LASTING) and not isinstance(node.value, ListValueNode | ObjectValueNode)
    return _Known(called, value) if lasts else None


def _coerced(selected: SelectedField, name: str, argument: GraphQLArgument, node: ArgumentNode | None) -> Any:
    """Without any variable.

    Raises:
        GraphQLError: it is wrong, or has to be there and is not.
    """
    coerced: dict[str, Any] = {}
    coerce_argument(coerced, selected.nodes[0], name, argument, node, _NO_VARIABLES, None)
    return next(iter(coerced.values()), Undefined)
