"""One run of a plan: what the plan does not do itself is done by an ordinary executor beside it.

The executor collects the errors, settles what an error left behind, and executes what is not compiled; so these cannot
differ. Most runs need none.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import CoroutineType, GeneratorType
from typing import Any, TypeAlias, TypeGuard

from graphql import (
    ArgumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    default_field_resolver,
    default_type_resolver,
    located_error,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails
from graphql.execution.values import VariableValues, coerce_argument, get_argument_values
from graphql.pyutils import gather_with_cancel
from strawberry.execution import optimized_is_awaitable

# Strawberry has no public name for the infos that its executors make.
from strawberry.schema.schema import _OperationContextAwareGraphQLResolveInfo as ResolveInfo

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


@dataclass(frozen=True, slots=True)
class Operation:
    """What all runs of a plan have in common."""

    schema: GraphQLSchema
    definition: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    details: dict[str, FragmentDetails]


class Run:
    """One execution, with its variables as they were coerced."""

    __slots__ = ("_context", "_executor", "_hide_suggestions", "_operation", "root_value", "variables")

    def __init__(
        self,
        operation: Operation,
        variables: VariableValues,
        *,
        context_value: Any,
        root_value: Any,
        hide_suggestions: bool,
    ) -> None:
        self._operation = operation
        self._context = context_value
        self._hide_suggestions = hide_suggestions
        self._executor: Whole | None = None
        self.variables = variables
        self.root_value = root_value

    @property
    def executor(self) -> Whole:
        """Of this run alone, and made when it is first asked for: to make one takes as long as a few fields."""
        if self._executor is None:
            self._executor = Whole(
                self._operation.schema,
                self._operation.fragments,
                self._operation.details,
                self.root_value,
                self._context,
                self._operation.definition,
                self.variables,
                default_field_resolver,
                default_type_resolver,
                default_field_resolver,
                is_awaitable=optimized_is_awaitable,
                hide_suggestions=self._hide_suggestions,
            )
        return self._executor

    @property
    def errors(self) -> list[GraphQLError] | None:
        """None when there are none."""
        return (self._executor.collected_errors.errors or None) if self._executor else None

    async def end(self) -> None:
        if self._executor is not None:
            await self._executor.end()

    def info(self, selected: SelectedField, place: Place) -> Any:
        """As the executor's `build_resolve_info` makes it."""
        operation = self._operation
        return ResolveInfo._make(
            (
                selected.nodes[0].name.value,
                selected.nodes,
                selected.definition.type,
                selected.parent,
                to_path(of_field(place)),
                operation.schema,
                operation.fragments,
                self.root_value,
                operation.definition,
                self.variables.coerced,
                self._context,
                optimized_is_awaitable,
                None,
                _Helpers(self),
                None,
            )
        )

    def arguments(self, selected: SelectedField) -> dict[str, Any]:
        return get_argument_values(
            selected.definition,
            selected.nodes[0],
            self.variables,
            hide_suggestions=self._hide_suggestions,
        )

    def argument(self, selected: SelectedField, name: str, argument: GraphQLArgument, node: ArgumentNode) -> Any:
        """One that the document gives, and that is no variable.

        Raises:
            GraphQLError: as graphql-core does.
        """
        coerced: dict[str, Any] = {}
        of = selected.nodes[0]
        coerce_argument(coerced, of, name, argument, node, self.variables, None, self._hide_suggestions)
        (value,) = coerced.values()
        return value

    def located(self, error: Exception, selected: SelectedField, place: Place) -> GraphQLError:
        return located_error(error, selected.nodes, to_path(place).as_list())

    def note(self, error: GraphQLError, place: Place | None) -> None:
        """The error of a place that is null now; whatever still happens below that place is not told any more."""
        self.executor.collected_errors.add(error, to_path(place) if place else None)

    def settle(self, pending: Sequence[Any]) -> None:
        """An error goes on without waiting for what its neighbours have begun; that runs on, and is not waited for."""
        if pending:
            self.executor.settle_in_background(list(pending))


class _Helpers:
    """The executor's `async_helpers`, for a resolver that should ever ask for them."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run.executor.async_helpers, name)


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
