"""What an operation may cost: depth of its document, time until its deadline.

More limits come with the HTTP issue; this much keeps a small document from asking without end, because
`contact` and `records` lead to each other.
"""

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValidationRule,
)
from strawberry.extensions import AddValidationRules, SchemaExtension

from gateway.resilience.operation import operation

MAX_DEPTH = 12


class OperationScope(SchemaExtension):
    """Everything that runs inside spends from one deadline and one number of calls."""

    def __init__(self, *, query_seconds: float, mutation_seconds: float) -> None:
        self._query_seconds = query_seconds
        self._mutation_seconds = mutation_seconds

    def on_execute(self) -> Iterator[None]:
        mutates = self.execution_context.operation_type.value == OperationType.MUTATION.value
        with operation(deadline_seconds=self._mutation_seconds if mutates else self._query_seconds):
            yield


class OneOperation(SchemaExtension):
    """A document of several operations needs `operationName`: guessing could run the wrong one, even a mutation."""

    def on_operation(self) -> Iterator[None]:
        if self.execution_context.operation_name is None:
            self.execution_context.validation_rules += (_OneOperationRule,)
        yield


class _OneOperationRule(ValidationRule):
    def enter_document(self, node: DocumentNode, *_: Any) -> None:
        operations = [one for one in node.definitions if isinstance(one, OperationDefinitionNode)]
        if len(operations) > 1:
            message = "The document has several operations; name the one to run as `operationName`."
            self.report_error(GraphQLError(message, operations))


class _DepthRule(ValidationRule):
    """Counts nested fields; each fragment is measured once, so spreading one often costs nothing."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        self._depths: dict[str, int] = {}
        depth = self._depth(node.selection_set)
        if depth > MAX_DEPTH:
            message = f"The operation nests {depth} fields deep; at most {MAX_DEPTH} are allowed."
            self.report_error(GraphQLError(message, node))

    def _depth(self, selections: SelectionSetNode | None) -> int:
        return max((self._node_depth(node) for node in selections.selections), default=0) if selections else 0

    def _node_depth(self, node: Any) -> int:
        if isinstance(node, FragmentSpreadNode):
            return self._fragment_depth(node.name.value)
        below = self._depth(node.selection_set)
        if not isinstance(node, FieldNode):
            return below
        # Introspection asks nobody, and tools nest it deep.
        return 0 if node.name.value in ("__schema", "__type") else below + 1

    def _fragment_depth(self, name: str) -> int:
        if name not in self._depths:
            # A fragment that contains itself is refused by a rule of its own; here it only has to end.
            self._depths[name] = 0
            fragment: FragmentDefinitionNode | None = self.context.get_fragment(name)
            self._depths[name] = self._depth(fragment.selection_set) if fragment else 0
        return self._depths[name]


class DepthLimit(AddValidationRules):
    def __init__(self) -> None:
        super().__init__([_DepthRule])
