"""One run of a plan: what the plan does not do itself is done by an ordinary executor beside it.

The executor makes the infos that resolvers read, collects the errors, settles what an error left behind, and executes
what is not compiled; so these cannot differ.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import CoroutineType, GeneratorType
from typing import Any, TypeAlias, TypeGuard

from graphql import FieldNode, GraphQLError, GraphQLField, GraphQLObjectType, GraphQLResolveInfo, located_error
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import get_argument_values
from graphql.pyutils import gather_with_cancel
from strawberry.execution import optimized_is_awaitable

from resolvers.parts import Whole
from resolvers.plans.places import Place, of_field, to_path
from resolvers.plans.together import has_own_attributes


@dataclass(frozen=True, slots=True)
class SelectedField:
    """A field as it is selected at one place: `nodes` are all its mentions there, which are merged."""

    definition: GraphQLField
    nodes: list[FieldNode]
    parent: GraphQLObjectType

    @property
    def details(self) -> list[FieldDetails]:
        """The nodes, as the executor wants them."""
        return [FieldDetails(node, None) for node in self.nodes]

    def __str__(self) -> str:
        return f"{self.parent}.{self.nodes[0].name.value}"


class Run:
    """`executor` is of this run alone."""

    __slots__ = ("executor",)

    def __init__(self, executor: Whole) -> None:
        self.executor = executor

    def info(self, selected: SelectedField, place: Place) -> GraphQLResolveInfo[Any]:
        path = to_path(of_field(place))
        return self.executor.build_resolve_info(selected.definition, selected.nodes, selected.parent, path)

    def arguments(self, selected: SelectedField) -> dict[str, Any]:
        executor = self.executor
        return get_argument_values(
            selected.definition,
            selected.nodes[0],
            executor.variable_values,
            hide_suggestions=executor.hide_suggestions,
        )

    def located(self, error: Exception, selected: SelectedField, place: Place) -> GraphQLError:
        return located_error(error, selected.nodes, to_path(place).as_list())

    def note(self, error: GraphQLError, place: Place | None) -> None:
        """The error of a place that is null now; whatever still happens below that place is not told any more."""
        self.executor.collected_errors.add(error, to_path(place) if place else None)

    def settle(self, pending: Sequence[Any]) -> None:
        """An error goes on without waiting for what its neighbours have begun; that runs on, and is not waited for."""
        if pending:
            self.executor.settle_in_background(list(pending))


# Makes a value, which is neither null nor an exception, what the answer shows of it; or raises.
Complete: TypeAlias = Callable[[Run, Any, Place], Any]
# Makes an object the fields that are selected of it; the root has no place.
Execute: TypeAlias = Callable[[Run, Any, Place | None], Any]

# What a plan itself hands on unfinished is always exactly this.
Unfinished = CoroutineType

# Classes whose instances are neither awaited nor exceptions. Of a class this is found out once, unless its instances
# may differ in it. (Python awaits nothing by an attribute that one instance alone has.)
PLAIN: set[type] = {type(None), bool, int, float, str, list, tuple, dict}


def is_awaited(value: Any) -> TypeGuard[Awaitable[Any]]:
    """Whether a value has to be awaited, as the executor sees it."""
    kind: Any = type(value)
    if kind in PLAIN:
        return False
    if optimized_is_awaitable(value):
        return True
    # A generator is awaitable or not by how it was made.
    if not (has_own_attributes(kind) or kind is GeneratorType or issubclass(kind, Exception)):
        PLAIN.add(kind)
    return False


async def filled(results: Any, waiting: list[Any]) -> Any:
    """A list or an object, once what it waits for at these keys has come; the first error cancels the rest."""
    if len(waiting) == 1:
        (key,) = waiting
        results[key] = await results[key]
        return results
    arrived = await gather_with_cancel(*(results[key] for key in waiting))
    for key, result in zip(waiting, arrived, strict=True):
        results[key] = result
    return results
