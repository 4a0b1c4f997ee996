"""@skip and @include: a plan is compiled for what the variables in them say, once for each case."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import BooleanValueNode, DirectiveNode, SelectionNode, VariableNode

# What each variable that a condition names says.
Case: TypeAlias = Mapping[str, bool]

_CONDITIONS = ("skip", "include")


@dataclass(frozen=True, slots=True)
class Conditions:
    """The variables that decide what is selected."""

    variables: tuple[str, ...]

    def case(self, coerced: Mapping[str, Any]) -> tuple[bool, ...] | None:
        """What they say; None when one of them is null or left out, which is an error that the executor tells."""
        said = tuple(coerced.get(name) for name in self.variables)
        return said if all(type(one) is bool for one in said) else None  # type: ignore[return-value]  # just looked at

    def named(self, case: tuple[bool, ...]) -> Case:
        return dict(zip(self.variables, case, strict=True))


def conditions_of(directives: Iterable[DirectiveNode]) -> Conditions | None:
    """Of all directives of an operation; None when one of them is not understood."""
    found: dict[str, None] = {}
    for directive in directives:
        if directive.name.value not in _CONDITIONS:
            return None
        value = _condition(directive)
        if isinstance(value, VariableNode):
            found[value.name.value] = None
        elif not isinstance(value, BooleanValueNode):
            return None
    return Conditions(tuple(found))


def is_included(node: SelectionNode, case: Case) -> bool:
    directives = node.directives
    if not directives:
        return True
    skipped, included = (next((one for one in directives if one.name.value == name), None) for name in _CONDITIONS)
    return not (skipped and _holds(skipped, case)) and (included is None or _holds(included, case))


def _holds(directive: DirectiveNode, case: Case) -> bool:
    value = _condition(directive)
    if isinstance(value, VariableNode):
        return case[value.name.value]
    assert isinstance(value, BooleanValueNode), "others are not compiled"
    return value.value


def _condition(directive: DirectiveNode) -> Any:
    return next((one.value for one in directive.arguments or () if one.name.value == "if"), None)
